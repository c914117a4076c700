// A universe's server and the phones that say anything (hostile.h): what the hub does
// for any stream, and the judge of what they are told.
#include "absl/strings/str_cat.h"
#include "server/identity/enrolment.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "tests/sim/hostile.h"
#include "tests/sim/universe.h"

namespace zhibu::sim {

using google::protobuf::Message;
using sync::v1::ClientFrame;
using sync::v1::ServerFrame;

namespace {

std::string NameOf(const Hostile& hostile) {
  return absl::StrCat("the hostile device ", hostile.number().value);
}

}  // namespace

// A server of an earlier version believes what a phone says of fields that it does not
// know: they begin when it is updated.
void Universe::LetHostileAct(uint64_t seed) {
  if (hostiles_.empty() || server_.old || server_.store == nullptr) return;
  Dice dice(seed);
  hostiles_[dice.Below(hostiles_.size())]->Act(dice.Next());
  for (const auto& hostile : hostiles_) {
    if (dice.OneIn(2)) hostile->Hear();
  }
}

void Universe::NoteHostile(DeviceNumber number) {
  hostile_numbers_.insert(number);
  ledger_.Distrust(number);
}

DeviceNumber Universe::EnrolHostile(const Id& person, const sync::v1::EnrolRequest& request) {
  server::DeviceRow row;
  const absl::Status status = server_.disk.Quietly([&] {
    return server_.store->Write([&](server::Writer& writer) -> absl::Status {
      ASSIGN_OR_RETURN(row, server::EnrolDevice(writer, *server_.ingest, server_.environment(),
                                                person, request));
      return absl::OkStatus();
    });
  });
  Reap();
  if (!status.ok()) return DeviceNumber();
  NoteHostile(row.number);
  Absorb();
  TellOfMoved();
  return row.number;
}

std::unique_ptr<server::Session> Universe::OpenHostile(const Hostile& hostile, uint64_t* stream) {
  hostile_due_.erase(hostile.stream());
  *stream = ++streams_made_;
  return std::make_unique<server::Session>(server_.store.get(), server_.ingest.get(),
                                           server_.environment(), LimitsOf(256 << 10));
}

void Universe::HearHostile(Hostile& hostile, const std::string& bytes) {
  server::Session& session = *hostile.session();
  ClientFrame frame;
  if (!frame.ParseFromString(bytes)) return session.OnGarbage("frame");
  if (frame.has_ask()) {
    Absorb();
    const Ledger::Answer due = ledger_.AnswerTo(hostile.person(), frame.ask(), server_ms());
    session.OnFrame(frame);
    Absorb();  // what it opens by asking may be what it asks for
    hostile_due_[hostile.stream()] = {
        frame.ask(), server_ms(),
        due.refusal == sync::v1::NO_REASON || frame.ask().reason().empty()
            ? ledger_.AnswerTo(hostile.person(), frame.ask(), server_ms())
            : due};
  } else {
    session.OnFrame(frame);
  }
  auto edits = session.TakeSubmitted();
  for (const server::Submitted& edit : edits) NoteSent(hostile, edit);
  stats.hostile_edits += edits.size();
  if (!edits.empty()) Submit(session, hostile.stream(), std::move(edits));
  Reap();
}

// What the server believes that it has seen is what it has been sent.
void Universe::NoteSent(Hostile& hostile, const server::Submitted& submitted) {
  const uint64_t number = submitted.edit.number();
  if (!hostile.IsFirst(number) || ledger_.Find(submitted.device, number) != nullptr) return;
  std::map<Id, uint64_t> sent;
  if (submitted.sent != nullptr) {
    for (const auto& [scope, version] : submitted.sent->cursors) {
      sent[scope] = version.value;
      if (hostile.MayHaveSeen(scope, version.value)) continue;
      // A scope that is read again is sent up to where the reading has come.
      const bool read_again = ledger_.EverBelonged(hostile.person(), scope);
      if (read_again && version.value <= ledger_.LastIn(scope)) continue;
      ledger_.Fail(kSent, absl::StrCat(NameOf(hostile), " counts as having seen ", version.value));
    }
  }
  ledger_.Sent(submitted.device, number, std::move(sent));
}

bool Universe::NextForHostile(Hostile& hostile, ServerFrame* frame) {
  server::Session& session = *hostile.session();
  const bool speaks = session.Next(frame);
  const DeviceNumber number = session.device();
  Reap();
  if (!server_.moved.empty()) {
    Absorb();
    TellOfMoved();
  }
  if (!speaks) return false;
  const Hearer hearer{number, hostile.person(), NameOf(hostile)};
  if (frame->has_welcome()) Seen(number, hearer.name);
  if (frame->has_update()) CheckUpdate(hearer, frame->update());
  if (frame->has_page()) CheckHostilePage(hearer, hostile.stream(), frame->page());
  const sync::v1::Reason refusal = frame->refusal().reason();
  if (frame->has_refusal() && WordsFor(refusal, frame->refusal().detail()).zh().empty()) {
    ledger_.Fail(kWords, frame->ShortDebugString());
  }
  return true;
}

// It may be told less, for asking so; never more than anybody who asks.
void Universe::CheckHostilePage(const Hearer& hearer, uint64_t stream, const sync::v1::Page& page) {
  const auto it = hostile_due_.find(stream);
  if (it == hostile_due_.end()) return ledger_.Fail(kProtocol, hearer.name + " has not asked");
  const HostileQuestion question = std::move(it->second);
  hostile_due_.erase(it);
  const Ledger::Answer& due = question.due;
  for (int i = 0; i < page.ids_size(); ++i) {
    const RecordKey key{question.ask.type(), Id::FromBytes(page.ids(i)).value_or(Id())};
    const std::unique_ptr<Message> shown(PrototypeOf(key.type)->New());
    shown->ParsePartialFromString(page.bodies(i));
    CheckLogged(hearer, due.own, key, page.bodies(i), question.heard_ms);
    const auto sheet = due.sheets.find(key.id);
    if (due.unclear.count(key.id) > 0) continue;
    if (sheet != due.sheets.end() && Render(*shown) == Render(*sheet->second.message)) continue;
    ledger_.Fail(kShown,
                 absl::StrCat(hearer.name, ", asking {", question.ask.ShortDebugString(),
                              "}, is shown ", Render(*shown)),
                 key);
  }
}

}  // namespace zhibu::sim
