#include "server/sessions/session.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/feed/damage.h"
#include "server/feed/incarnation.h"
#include "server/identity/certificate.h"
#include "server/identity/whereabouts.h"
#include "server/sessions/ask.h"
#include "server/sessions/courier.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/refusal.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "sync/merge/audience.h"
#include "sync/wire/canonical.h"
#include "sync/wire/compression.h"
#include "sync/wire/record.h"
#include "sync/wire/wire.h"

namespace zhibu::server {

using sync::v1::ClientFrame;
using sync::v1::ServerFrame;

namespace {

// In one update; more than a device leaves without an answer.
constexpr size_t kAnswersMax = 3000;
constexpr int64_t kHourMs = 3'600'000;
// When a device comes back that may fork no more in this hour.
constexpr uint32_t kForkedOftenMs = 600'000;

// The groups of one update, cut where a frame is full; all else is in the last part.
std::vector<sync::v1::Update> PartsOf(sync::v1::Update update, size_t bytes_max) {
  google::protobuf::RepeatedPtrField<sync::v1::Group> groups;
  groups.Swap(update.mutable_groups());
  std::vector<sync::v1::Update> parts(1);
  size_t bytes = 0;
  for (sync::v1::Group& group : groups) {
    sync::v1::Group* part = nullptr;
    for (int i = 0; i < group.bodies_size(); ++i) {
      const bool traced = !group.traces().empty();
      const size_t size =
          Id::kSize + group.bodies(i).size() + (traced ? group.traces(i).size() : 0);
      if (bytes > 0 && bytes + size > bytes_max) {
        parts.emplace_back();
        bytes = 0;
        part = nullptr;
      }
      if (part == nullptr) {
        part = parts.back().add_groups();
        part->set_type(group.type());
        part->set_version(group.version());
        part->set_writer(group.writer());
        part->set_stamp(group.stamp());
      }
      const size_t at = static_cast<size_t>(i) * Id::kSize;
      part->mutable_ids()->append(group.ids(), at, Id::kSize);
      part->add_bodies(std::move(*group.mutable_bodies(i)));
      if (traced) part->add_traces(std::move(*group.mutable_traces(i)));
      bytes += size;
    }
  }
  update.mutable_groups()->Swap(parts.back().mutable_groups());
  parts.back() = std::move(update);
  for (size_t i = 0; i + 1 < parts.size(); ++i) parts[i].set_continues(true);
  return parts;
}

// In the message and so many levels of what may be messages in it: what reading it takes in memory,
// which its length does not tell. A push has its edits in its second level.
size_t CountFields(absl::string_view message, int levels) {
  size_t fields = 0;
  wire::Reader reader(message);
  for (wire::Field field; reader.Next(&field);) {
    ++fields;
    if (levels > 0 && field.type == wire::Type::kBytes) {
      fields += CountFields(field.payload, levels - 1);
    }
  }
  return fields;
}

// One for each thread that runs sessions: an idle one keeps nothing for it.
Compressor& TheCompressor() {
  static thread_local Compressor compressor;
  return compressor;
}

}  // namespace

Session::Session(Store* store, const Ingest* ingest, Environment environment, SessionLimits limits,
                 Observer* observer)
    : store_(*store),
      ingest_(*ingest),
      schema_(ingest->schema()),
      environment_(std::move(environment)),
      limits_(limits),
      observer_(*observer),
      catch_up_(ingest->schema(), limits.update_bytes) {}

void Session::Refuse(sync::v1::Reason reason, absl::string_view detail) {
  End(zhibu::Refuse(reason, detail));
}

void Session::End(const absl::Status& refused) {
  if (state_ == State::kClosed) return;  // the last word has been said
  sync::v1::Refusal refusal = RefusalOf(refused);
  observer_.OnRefused(refusal.reason(), device_.number);
  *out_.emplace_back().mutable_refusal() = std::move(refusal);
  state_ = State::kClosed;
}

void Session::OnGarbage(absl::string_view what) { Refuse(sync::v1::MALFORMED, what); }

void Session::OnTrouble(const absl::Status& status) {
  if (ReasonOf(status).reason != sync::v1::NO_REASON) return End(status);
  observer_.OnTrouble(
      {.what = Trouble::What::kSession, .status = status, .device = device_.number});
  Refuse(sync::v1::SERVER_TROUBLE, absl::StatusCodeToString(status.code()));
}

void Session::OnFrame(const ClientFrame& frame) {
  if (state_ == State::kClosed) return;
  switch (frame.frame_case()) {
    case ClientFrame::kHello:
      return OnHello(frame.hello());
    case ClientFrame::kProof:
      return OnProof(frame.proof());
    case ClientFrame::kPush:
      return OnPush(frame.push());
    case ClientFrame::kAsk:
      return OnAsk(frame.ask());
    case ClientFrame::kCompressed:
      return OnCompressed(frame.compressed());
    case ClientFrame::kLeave:
      return OnLeave();
    default:
      // A kind of frame from a newer app: it can wait, the stream goes on.
      if (state_ != State::kOpen) Refuse(sync::v1::PROTOCOL_ERROR, "frame");
      return;
  }
}

void Session::OnCompressed(const std::string& compressed) {
  if (state_ != State::kOpen) return Refuse(sync::v1::PROTOCOL_ERROR, "compressed");
  if (!compresses_) return Refuse(sync::v1::MALFORMED, "compressed");
  const size_t most = std::min(limits_.message_bytes_max, UnpackedBytesMax(compressed.size()));
  const auto bytes = TheCompressor().Decompress(compressed, most);
  if (!bytes.ok()) return End(bytes.status());
  if (const size_t fields = CountFields(*bytes, 2); fields > limits_.compressed_fields_max) {
    return End(TooLarge("compressed", fields, limits_.compressed_fields_max, " fields"));
  }
  const auto frame = FrameIn<ClientFrame>(*bytes);
  if (!frame.ok()) return End(frame.status());
  OnFrame(*frame);
}

absl::Status Session::CheckHello(const std::string& bytes) {
  if (bytes.size() > limits_.hello_bytes_max) {
    return TooLarge("hello", bytes.size(), limits_.hello_bytes_max);
  }
  sync::v1::Hello& hello = hello_;
  // One reading of what is signed: bytes that say a thing twice have two.
  RETURN_IF_ERROR(CheckCanonicalMessage(*sync::v1::Hello::descriptor(), bytes));
  if (!hello.ParseFromString(bytes)) return zhibu::Refuse(sync::v1::MALFORMED, "hello");
  if (hello.protocol() != kProtocolVersion) {
    return zhibu::Refuse(sync::v1::UNSUPPORTED_VERSION,
                         absl::StrCat(hello.protocol(), " / ", kProtocolVersion));
  }
  return store_.Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string server_id, reader.GetSetting("server_id"));
    if (hello.server_id() != server_id) return zhibu::Refuse(sync::v1::OTHER_SERVER, "");
    ASSIGN_OR_RETURN(incarnation_, reader.GetSetting(kIncarnation));
    ASSIGN_OR_RETURN(const std::string certificate, reader.GetSetting(kServerCertificate));
    fingerprint_ = FingerprintOf(certificate);
    ASSIGN_OR_RETURN(const auto device, reader.GetDevice(DeviceNumber(hello.device())));
    const bool known = device && !device->of_server();
    device_ = known ? *device : DeviceRow();
    // A number that there is not has a key that nobody has: strangers cannot count devices.
    if (!known) device_.public_key = NewKeyPair(environment_).public_key;
    return absl::OkStatus();
  });
}

void Session::OnHello(const std::string& bytes) {
  if (state_ != State::kHello) return Refuse(sync::v1::PROTOCOL_ERROR, "hello");
  if (const auto status = CheckHello(bytes); !status.ok()) return OnTrouble(status);
  hello_bytes_ = bytes;
  nonce_ = environment_.random_bytes(32);
  auto* challenge = out_.emplace_back().mutable_challenge();
  challenge->set_nonce(nonce_);
  challenge->set_server_time_ms(environment_.now_ms());
  clock_.emplace(environment_);
  state_ = State::kProof;
}

void Session::OnProof(const sync::v1::Proof& proof) {
  if (state_ != State::kProof) return Refuse(sync::v1::PROTOCOL_ERROR, "proof");
  if (!VerifyProof(device_.public_key, nonce_, fingerprint_, hello_bytes_, proof.signature())) {
    return Refuse(sync::v1::UNKNOWN_DEVICE, absl::StrCat(hello_.device()));
  }
  const int64_t unseen_ms = environment_.now_ms() - device_.last_seen_ms;
  if (!device_.revoked() && limits_.unseen_ms_max > 0 && unseen_ms > limits_.unseen_ms_max) {
    return Refuse(sync::v1::REAUTHENTICATE, absl::StrCat(unseen_ms / kDayMs));
  }
  if (hello_.incarnation() != incarnation_) {
    out_.emplace_back().mutable_restored()->set_incarnation(incarnation_);
    state_ = State::kClosed;
    return;
  }
  const auto status = store_.Read([&](Reader& reader) { return Open(reader); });
  if (!status.ok()) return OnTrouble(status);
  state_ = State::kOpen;
  moved_ = true;
}

absl::Status Session::Open(Reader& reader) {
  ASSIGN_OR_RETURN(const auto device, reader.GetDevice(device_.number));
  if (!device) return zhibu::Refuse(sync::v1::UNKNOWN_DEVICE, absl::StrCat(device_.number.value));
  device_ = *device;
  ASSIGN_OR_RETURN(const CursorSeal seal, CursorSeal::Of(reader, device_.person));
  auto shown = hello_.cursors();
  shown.MergeFrom(hello_.seen());
  sent_ = SentBy(seal, shown);
  // Who has lost the device is told to remove all at once.
  if (device_.lost()) hello_.clear_cursors();
  RETURN_IF_ERROR(catch_up_.Resume(seal, hello_.cursors()));
  RETURN_IF_ERROR(RefreshOffices(reader));
  unasked_ = hello_.unanswered() == 0 ? device->last_number : EditNumber(hello_.unanswered() - 1);
  heard_ = unasked_;
  ASSIGN_OR_RETURN(const uint64_t to_pass, catch_up_.CountRows(reader));
  auto* welcome = out_.emplace_back().mutable_welcome();
  welcome->set_to_pass(to_pass);
  welcome->set_safe(device->safe_number.value);
  ASSIGN_OR_RETURN(*welcome->mutable_courier_key(), CourierKeyOf(reader));
  welcome->set_device_id(device_.record.str());
  compresses_ = limits_.compress && hello_.dictionary() == DictionaryNumber();
  if (compresses_) welcome->set_dictionary(DictionaryNumber());
  ASSIGN_OR_RETURN(const sync::v1::ServerAddresses reached, ReachedAt(reader));
  const std::string reached_at = reached.SerializeAsString();
  ASSIGN_OR_RETURN(const std::string announced, reader.GetSetting(kAnnounced));
  // Who has never been told finds it by its code, maybe by a way that the server does not know.
  const bool tells = !announced.empty() || hello_.reached_at() != 0;
  if (tells && !reached_at.empty() && LinkTo(reached_at) != hello_.reached_at()) {
    welcome->set_reached_at(reached_at);
  }
  welcome->set_service(device_.lost()      ? sync::v1::Welcome::LOST
                       : device_.revoked() ? sync::v1::Welcome::REVOKED
                                           : sync::v1::Welcome::IN_SERVICE);
  return absl::OkStatus();
}

void Session::OnPush(const sync::v1::Push& push) {
  if (state_ != State::kOpen) return Refuse(sync::v1::PROTOCOL_ERROR, "push");
  // They are stamped by a time that was wrong here: the device comes again, and hears the
  // right one.
  if (clock_->WasSet(environment_)) {
    state_ = State::kClosed;
    return;
  }
  if (push.edits_size() > limits_.push_edits_max) {
    return Refuse(sync::v1::TOO_LARGE, absl::StrCat("push: ", push.edits_size(), " edits > ",
                                                    limits_.push_edits_max, " edits"));
  }
  if (forked_) return;
  for (const auto& edit : push.edits()) {
    const EditNumber number(edit.number());
    const bool repeated = number <= std::max(unasked_, pushed_);
    on_the_way_.push_back({number, edit.previous(), repeated});
    pushed_ = std::max(pushed_, number);
    // Of one that is repeated the device may have the answer, and keep the edit no longer.
    if (hello_.own_as_made() && !repeated) as_made_.NotePushed(edit);
    Submitted& submitted = submitted_.emplace_back(Submitted{device_.number, edit, sent_});
    submitted.edit.GetReflection()->MutableUnknownFields(&submitted.edit)->Clear();
  }
}

// What cannot be answered does not end the stream.
void Session::OnAsk(const sync::v1::Ask& ask) {
  if (state_ != State::kOpen) return Refuse(sync::v1::PROTOCOL_ERROR, "ask");
  sync::v1::Page page;
  Disclosures disclosures;
  absl::Status status;
  if (const size_t bytes = ask.ByteSizeLong(); bytes > limits_.ask_bytes_max) {
    status = TooLarge("ask", bytes, limits_.ask_bytes_max);
  }
  if (status.ok()) status = store_.Read([&](Reader& reader) { return RefreshOffices(reader); });
  // A device that is out of service has no offices to ask with.
  if (device_.revoked()) return Refuse(sync::v1::DEVICE_REVOKED, device_.name);
  if (status.ok() && !ask.reason().empty()) {
    status = store_.Write([&](Writer& writer) {
      return OpenAccess(writer, ingest_, environment_, device_.person, ask);
    });
  }
  if (status.ok()) {
    status = store_.Read([&](Reader& reader) {
      return AnswerAsk(reader, ingest_, device_.person, environment_.now_ms(), ask, &tree_, &page,
                       &disclosures);
    });
  }
  if (status.ok()) status = Log(Way::kQuery, disclosures);
  if (!status.ok()) {
    const Refused refused =
        IsDamagedRow(status) ? Refused{sync::v1::SERVER_TROUBLE, "damage"} : ReasonOf(status);
    if (refused.reason == sync::v1::NO_REASON) return OnTrouble(status);
    observer_.OnRefused(refused.reason, device_.number);
    page.Clear();
    page.mutable_refusal()->set_reason(refused.reason);
    page.mutable_refusal()->set_detail(refused.detail);
  }
  page.set_id(ask.id());
  *out_.emplace_back().mutable_page() = std::move(page);
}

absl::Status Session::Log(Way way, const Disclosures& disclosures) {
  if (disclosures.empty()) return absl::OkStatus();
  return store_.Write([&](Writer& writer) {
    return LogAccess(writer, ingest_, environment_, device_.person, way, disclosures);
  });
}

void Session::OnLeave() {
  if (state_ != State::kOpen || !device_.revoked()) {
    return Refuse(sync::v1::PROTOCOL_ERROR, "leave");
  }
  if (!device_.lost()) return Refuse(sync::v1::DEVICE_REVOKED, device_.name);
  const auto status = store_.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(auto device, writer.GetDevice(device_.number));
    if (!device) return zhibu::Refuse(sync::v1::UNKNOWN_DEVICE, device_.name);
    device->standing = DeviceRow::Standing::kWiped;
    return writer.PutDevice(*device);
  });
  if (!status.ok()) return OnTrouble(status);
  Refuse(sync::v1::DEVICE_WIPED, device_.name);
}

std::vector<Submitted> Session::TakeSubmitted() { return std::exchange(submitted_, {}); }

// What the answers are stands in the audit (ReadAnswers); here it matters that
// there are some, and whether all were for this copy of the device.
void Session::OnResults(const std::vector<Result>& results) {
  moved_ = true;
  for (const Result& result : results) {
    if (on_the_way_.empty()) break;
    const OnTheWay edit = on_the_way_.front();
    on_the_way_.pop_front();
    if (result.forked) {
      if (!forked_) forked_ = edit;
    } else if (edit.repeated) {
      repeats_.push_back(edit.number);
    }
  }
}

// The device gets a number that no other copy of it has, with the standing that it
// has, and begins again with a new session. What was answered before the fork has been
// told by now.
void Session::Renumber() {
  DeviceRow copy;
  sync::v1::Renumber renumber;
  renumber.set_came_number(forked_->number.value);
  renumber.set_came_previous(forked_->previous);
  const auto status = store_.Write([&](Writer& writer) -> absl::Status {
    RETURN_IF_ERROR(CountRenumbering(writer));
    ASSIGN_OR_RETURN(const auto device, writer.GetDevice(device_.number));
    if (!device) return zhibu::Refuse(sync::v1::UNKNOWN_DEVICE, device_.name);
    renumber.set_expected_number(device->last_number.value + 1);
    ASSIGN_OR_RETURN(const auto last, writer.GetVerdict(device->number, device->last_number));
    if (last) renumber.set_expected_previous(last->link);
    copy = *device;
    ASSIGN_OR_RETURN(copy.number, writer.NextDevice());
    copy.last_number = copy.safe_number = EditNumber();
    copy.enrolled_ms = copy.last_seen_ms = environment_.now_ms();
    return writer.PutDevice(copy);
  });
  if (!status.ok()) return OnTrouble(status);
  renumber.set_device(copy.number.value);
  *out_.emplace_back().mutable_renumber() = std::move(renumber);
  state_ = State::kClosed;
}

// A device whose links are never right would use up a number for each edit.
absl::Status Session::CountRenumbering(Writer& writer) const {
  const std::string setting = absl::StrCat("renumbered/", Hex(device_.record.bytes()));
  const std::string hour = absl::StrCat(environment_.now_ms() / kHourMs);
  ASSIGN_OR_RETURN(const std::string known, writer.GetSetting(setting));
  const std::pair<std::string, std::string> last = absl::StrSplit(known, ' ');
  int times = 0;
  if (last.first == hour && !absl::SimpleAtoi(last.second, &times)) times = 0;
  if (times >= limits_.renumbered_max) {
    return ComeBackIn(kForkedOftenMs, zhibu::Refuse(sync::v1::LIMIT_REACHED, "renumber"));
  }
  return writer.PutSetting(setting, absl::StrCat(hour, " ", times + 1));
}

absl::Status Session::RefreshOffices(Reader& reader) {
  if (persons_.empty()) persons_ = {device_.person};
  ASSIGN_OR_RETURN(const Version version, OfficesVersion(reader, persons_));
  const int64_t now = environment_.now_ms();
  if (version == offices_at_ && version.value != 0 && now < offices_valid_until_ms_) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto device, reader.GetDevice(device_.number));
  // It begins again, and is told.
  const bool as_welcomed = device && device->standing == device_.standing;
  if (!as_welcomed) return zhibu::Refuse(sync::v1::DEVICE_REVOKED, device_.name);
  Offices offices;
  if (!device_.revoked()) {
    ASSIGN_OR_RETURN(offices, OfficesOf(reader, device_.person, now));
  }
  RETURN_IF_ERROR(catch_up_.SetOffices(reader, {offices.now.begin(), offices.now.end()}));
  if (!offices.persons.empty()) persons_ = offices.persons;
  ASSIGN_OR_RETURN(offices_at_, OfficesVersion(reader, persons_));
  offices_valid_until_ms_ = offices.valid_until_ms;
  return absl::OkStatus();
}

// From the same snapshot as the changes: a device that saw a change of its own
// without the answer would count it twice. Another copy of the device may have
// used the number; the link tells.
absl::Status Session::ReadAnswers(Reader& reader) {
  for (const EditNumber number : std::exchange(repeats_, {})) {
    if (number > heard_) continue;  // is told below
    ASSIGN_OR_RETURN(const auto answered, reader.GetAnswered(device_.number, number));
    if (answered) AddAnswer(*answered);
  }
  return reader.ReadAnswered(device_.number, heard_, [&](const Answered& answered) {
    AddAnswer(answered);
    heard_ = answered.number;
    return answers_.size() < kAnswersMax;
  });
}

void Session::AddAnswer(const Answered& answered) {
  Result& result = answers_.emplace_back();
  result.answer = answered.answer;
  result.version = answered.version;
}

// Each with what it changed, and so not always in their order: versions of
// different scopes do not compare.
std::vector<Version> Session::AddAnswers(Version cut, sync::v1::Update* update) {
  std::vector<Version> versions;
  std::deque<Result> waiting;
  for (Result& result : answers_) {
    if (result.version <= cut) {
      *update->add_answers() = std::move(result.answer);
      versions.push_back(result.version);
    } else {
      waiting.push_back(std::move(result));
    }
  }
  answers_ = std::move(waiting);
  return versions;
}

absl::Status Session::BuildUpdate(Reader& reader, sync::v1::Update* update,
                                  Disclosures* disclosures, std::vector<RecordKey>* passed_over) {
  RETURN_IF_ERROR(RefreshOffices(reader));
  RETURN_IF_ERROR(ReadAnswers(reader));
  ASSIGN_OR_RETURN(const CatchUp::Part part,
                   catch_up_.Read(reader, persons_, &sent_, update, disclosures));
  const std::vector<Version> versions = AddAnswers(part.cut, update);
  as_made_.LeaveOutOwn(device_.number, versions, update);
  update->set_passed(part.passed);
  update->set_catching_up(!part.complete);
  ASSIGN_OR_RETURN(*passed_over, NotNotedYet(reader, part.passed_over));
  return absl::OkStatus();
}

void Session::MakeUpdate() {
  sync::v1::Update update;
  Disclosures disclosures;
  std::vector<RecordKey> passed_over;
  auto status = store_.Read(
      [&](Reader& reader) { return BuildUpdate(reader, &update, &disclosures, &passed_over); });
  if (status.ok()) status = Log(Way::kDevice, disclosures);
  if (status.ok() && !passed_over.empty()) {
    status = store_.Write([&](Writer& writer) { return NotePassedOver(writer, passed_over); });
  }
  if (!status.ok()) return OnTrouble(status);
  moved_ = update.catching_up() || update.answers_size() >= static_cast<int>(kAnswersMax);
  // One is sent even where it is empty, to say that there is no more.
  const bool said = greeted_ && catching_up_ == update.catching_up();
  greeted_ = true;
  catching_up_ = update.catching_up();
  if (!said || update.ByteSizeLong() > 0) Send(std::move(update));
}

void Session::Send(sync::v1::Update update) {
  if (update.ByteSizeLong() <= limits_.frame_bytes) {
    *out_.emplace_back().mutable_update() = std::move(update);
    return;
  }
  for (sync::v1::Update& part : PartsOf(std::move(update), limits_.frame_bytes)) {
    *out_.emplace_back().mutable_update() = std::move(part);
  }
}

int64_t Session::wakes_at_ms() const {
  return state_ == State::kOpen ? offices_valid_until_ms_ : std::numeric_limits<int64_t>::max();
}

bool Session::Next(ServerFrame* frame) {
  if (environment_.now_ms() >= wakes_at_ms()) moved_ = true;
  if (out_.empty() && state_ == State::kOpen && moved_) MakeUpdate();
  // Also where the update had nothing to say: nothing else may come that asks again.
  if (out_.empty() && state_ == State::kOpen && !moved_ && forked_) Renumber();
  if (out_.empty()) return false;
  *frame = std::move(out_.front());
  out_.pop_front();
  const bool update = frame->has_update();
  if (compresses_ && (update || frame->has_page())) CompressFrame(TheCompressor(), frame);
  if (update) observer_.OnUpdate(device_.number, frame->ByteSizeLong());
  return true;
}

}  // namespace zhibu::server
