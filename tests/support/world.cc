#include "tests/support/world.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/util/time_util.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "proto/policies.pb.h"
#include "server/feed/incarnation.h"
#include "server/figures/making.h"
#include "server/identity/certificate.h"
#include "server/identity/enrolment.h"
#include "server/identity/marks.h"
#include "server/ingest/chains.h"
#include "server/sessions/courier.h"
#include "server/store/sqlite/store.h"
#include "sync/base/status.h"
#include "sync/crypto/courier.h"
#include "sync/merge/audience.h"
#include "sync/merge/diff.h"
#include "sync/merge/own_edit.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::test {

using google::protobuf::util::TimeUtil;

using google::protobuf::Message;

namespace {

// As kServerCertificateDer.
constexpr char kCertificate[] =
    "-----BEGIN CERTIFICATE-----\nemhpYnU=\n-----END CERTIFICATE-----\n";

}  // namespace

std::shared_ptr<const Schema> WideSchema() {
  static const auto schema = Schema::Compile({records::v1::Catalogue::descriptor()->file(),
                                              zhibu::testing::Bicycle::descriptor()->file()})
                                 .value();
  return schema;
}

std::string TextOf(const Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(message, &text);
  return std::string(absl::StripSuffix(text, " "));
}

namespace {

std::string LineOf(const RecordType& type, const Id& id, absl::string_view body) {
  const std::unique_ptr<Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor)->New());
  message->ParsePartialFromString(Canonical(type.fields, body));
  return absl::StrCat(type.name, " ", Hex(id.bytes()), " ", TextOf(*message));
}

}  // namespace

// ---- Files, time and chance ----------------------------------------------------

Directory::Directory() {
  const bool memory = ::access("/dev/shm", W_OK) == 0;
  path_ = absl::StrCat(memory ? "/dev/shm" : std::filesystem::temp_directory_path().string(),
                       "/zhibu-test-XXXXXX");
  if (::mkdtemp(path_.data()) == nullptr) std::abort();
}

Directory::~Directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Directory::NewFile() { return absl::StrCat(path_, "/", ++files_, ".db"); }

void CopyDatabase(const std::string& from, const std::string& to) {
  for (const char* part : {"", "-wal"}) {
    if (!std::filesystem::exists(from + part)) continue;
    std::filesystem::copy_file(from + part, to + part);
  }
}

Environment Fate::environment() {
  return {.now_ms = [this] { return *now_ms_ + clock_error_ms; },
          .random_bytes =
              [this](size_t size) {
                std::string bytes(size, 'r');
                if (constant) return bytes;
                for (char& byte : bytes) byte = static_cast<char>(random_());
                return bytes;
              },
          .steady_ms = [this] { return *now_ms_; }};
}

// ---- Phone ---------------------------------------------------------------------

Phone::Phone(World* world, Id person, uint64_t seed)
    : world_(*world), person_(person), fate_(std::make_unique<Fate>(seed, &world->now_ms_)) {}

void Phone::Open(const std::string& file) {
  store_.reset();
  file_ = file;
  auto store = client::Store::Open({.file = file,
                                    .schema = world_.schema(),
                                    .rules = nullptr,  // a phone may be anybody's
                                    .environment = fate_->environment(),
                                    .key = kPhoneKey});
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
}

DeviceNumber Phone::number() { return store_->GetIdentity().value().device; }

void Phone::Commit(std::vector<client::Draft*> drafts) {
  const auto number = store_->Commit(drafts);
  ASSERT_TRUE(number.ok()) << number.status();
}

std::vector<std::string> Phone::View() {
  std::vector<std::string> lines;
  for (const RecordType& type : store_->schema().types()) {
    EXPECT_EQ(store_->List({.type = type.number},
                           [&](const Id& id, const Message& message) {
                             lines.push_back(LineOf(type, id, message.SerializePartialAsString()));
                             return true;
                           }),
              absl::OkStatus());
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> Phone::SetAside() {
  std::vector<std::string> lines;
  EXPECT_EQ(store_->ListSetAside([&](const client::SetAside& item) {
    lines.push_back(absl::StrCat(item.answer.number(), " ",
                                 sync::v1::Verdict_Name(item.answer.verdict()), " ",
                                 sync::v1::Reason_Name(item.answer.reason())));
  }),
            absl::OkStatus());
  return lines;
}

void Phone::Crash() { Restore(Save()); }

std::string Phone::Save() {
  const std::string saved = world_.directory().NewFile();
  CopyDatabase(file_, saved);
  return saved;
}

void Phone::Restore(const std::string& saved) {
  const std::string file = world_.directory().NewFile();
  CopyDatabase(saved, file);
  Open(file);
}

// ---- Stream --------------------------------------------------------------------

Stream::Stream(World* world, Phone* phone)
    : world_(*world),
      phone_(*phone),
      client_(&phone->store()),
      server_(&world->store(), &world->ingest(), world->fate_.environment(), world->limits,
              &world->heard_) {
  world_.streams_.push_back(this);
  EXPECT_EQ(client_.Start(), absl::OkStatus());
}

Stream::~Stream() {
  auto& streams = world_.streams_;
  streams.erase(std::find(streams.begin(), streams.end(), this));
}

void Stream::Deliver(const sync::v1::ClientFrame& frame) {
  server_.OnFrame(frame);
  const std::vector<server::Submitted> submitted = server_.TakeSubmitted();
  if (!submitted.empty()) server_.OnResults(world_.Commit(submitted));
}

bool Stream::StepClient() {
  sync::v1::ClientFrame frame;
  if (client_.closed() || !client_.Next(&frame)) return false;
  sync::v1::ClientFrame arrived;
  EXPECT_TRUE(arrived.ParseFromString(frame.SerializeAsString()));
  ++frames_;
  Deliver(arrived);
  return true;
}

bool Stream::StepServer() {
  sync::v1::ServerFrame frame;
  const bool speaks = server_.Next(&frame);
  world_.TellOfMoved();
  if (!speaks) return false;
  sync::v1::ServerFrame arrived;
  EXPECT_TRUE(arrived.ParseFromString(frame.SerializeAsString()));
  if (watch) watch(Unpacked(arrived));
  ++frames_;
  client_.OnFrame(arrived);
  return true;
}

bool Stream::Step() {
  return server_first ? StepServer() || StepClient() : StepClient() || StepServer();
}

void Stream::Run() {
  while (Step()) continue;
}

void Stream::Lose() {
  sync::v1::ClientFrame up;
  sync::v1::ServerFrame down;
  if (!client_.Next(&up)) server_.Next(&down);
}

// ---- World ---------------------------------------------------------------------

World::OpenStore World::open_store = [](const std::string& file, server::Observer* observer) {
  return server::OpenSqliteStore(file, {.key = kServerKey, .observer = observer});
};

World::World(uint64_t seed) : seed_(seed), fate_(seed, &now_ms_), schema_(WideSchema()) {
  OpenServer(directory_.NewFile());
  if (store_ == nullptr) std::abort();
  ingest_ = std::make_unique<server::Ingest>(schema_, fate_.environment(), &heard_);
  EXPECT_EQ(store_->Write([&](server::Writer& writer) -> absl::Status {
    server::DeviceRow own;
    own.number = kServerDevice;
    own.name = "server";
    RETURN_IF_ERROR(writer.PutDevice(own));
    RETURN_IF_ERROR(writer.PutSetting(server::kServerCertificate, kCertificate));
    return writer.PutSetting("server_id", "the test's server");
  }),
            absl::OkStatus());
  EXPECT_EQ(server::EnsureIncarnation(*store_, *schema_, fate_.environment()), absl::OkStatus());
  EXPECT_EQ(server::EnsureCourierKey(*store_, fate_.environment()), absl::OkStatus());
  EXPECT_EQ(server::EnsureMarks(*store_, *ingest_, fate_.environment()), absl::OkStatus());
  MakeSums();
}

void World::Write(const Message& message, const Id& id) {
  const RecordType& type = *schema_->Find(message.GetDescriptor());
  Id key = id;
  if (!type.id_from.empty()) {
    key = DeriveId(type, Canonical(type.fields, message.SerializeAsString())).value();
  }
  sync::v1::Edit edit;
  if (!AddChange(type, key, StateOf({type.number, key}), message, &edit)) return;
  const auto version = ingest_->CommitOwn(*store_, edit);
  EXPECT_TRUE(version.ok()) << version.status();
  TellOfMoved();
}

Id World::Branch(const std::string& name) {
  const Id id = fate_.environment().NewId();
  records::v1::Organisation organisation;
  organisation.set_kind(records::v1::Organisation::BRANCH);
  organisation.set_name(name);
  Write(organisation, id);
  return id;
}

Id World::Person(const std::string& name, const Id& branch) {
  const Id id = fate_.environment().NewId();
  records::v1::Member member;
  member.set_branch_id(branch.str());
  member.set_name(name);
  Write(member, id);
  Place(id, branch);
  return id;
}

void World::Place(const Id& person, const Id& branch) {
  records::v1::Placement placement;
  placement.set_member_id(person.str());
  placement.set_branch_id(branch.str());
  Write(placement, Id());
}

void World::Appoint(const Id& person, const Id& organisation, Office office, int64_t until_ms) {
  records::v1::Grant grant;
  grant.set_person_id(person.str());
  grant.set_organisation_id(organisation.str());
  grant.set_office(office);
  *grant.mutable_from() = TimeUtil::MillisecondsToTimestamp(now_ms_);
  if (until_ms != 0) *grant.mutable_until() = TimeUtil::MillisecondsToTimestamp(until_ms);
  Write(grant, Id());
}

void World::Dismiss(const Id& person, const Id& organisation, Office office) {
  records::v1::Grant grant;
  grant.set_person_id(person.str());
  grant.set_organisation_id(organisation.str());
  grant.set_office(office);
  const RecordType& type = *schema_->Find(records::v1::Grant::descriptor());
  grant = Get<records::v1::Grant>(DeriveId(type, grant.SerializeAsString()).value());
  *grant.mutable_until() = TimeUtil::MillisecondsToTimestamp(now_ms_);
  Write(grant, Id());
}

Phone& World::Enrol(const Id& person) {
  phones_.push_back(std::unique_ptr<Phone>(new Phone(this, person, ++seed_ * 7919)));
  Phone& phone = *phones_.back();
  phone.Open(directory_.NewFile());
  const std::string name = absl::StrCat("phone ", phones_.size());
  EnrolWith(phone, NewKeyPair(phone.fate_->environment()).secret_key, name);
  return phone;
}

void World::EnrolAgain(Phone& phone) {
  EnrolWith(phone, phone.store().GetIdentity().value().secret_key, "phone");
}

sync::v1::EnrolReply World::AnswerTo(const sync::v1::EnrolRequest& request, const Id& person) {
  server::DeviceRow row;
  EXPECT_EQ(store_->Write([&](server::Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(row,
                     server::EnrolDevice(writer, *ingest_, fate_.environment(), person, request));
    return absl::OkStatus();
  }),
            absl::OkStatus());
  TellOfMoved();
  sync::v1::EnrolReply reply;
  reply.set_device(row.number.value);
  reply.set_person_id(person.str());
  reply.set_server_id("the test's server");
  reply.set_incarnation(Incarnation());
  reply.set_courier_key(CourierKey());
  return reply;
}

void World::EnrolWith(Phone& phone, const std::string& secret_key, const std::string& name) {
  sync::v1::EnrolRequest request;
  request.set_public_key(PublicKeyOf(secret_key));
  request.set_device_name(name);
  const auto known = phone.store().GetIdentity();
  if (known.ok() && known->secret_key == secret_key) request.set_device(known->device.value);
  const sync::v1::EnrolReply reply = AnswerTo(request, phone.person());
  EXPECT_EQ(phone.store_->SetIdentity({.device = DeviceNumber(reply.device()),
                                       .person = phone.person(),
                                       .server_id = reply.server_id(),
                                       .fingerprint = kServerFingerprint,
                                       .secret_key = secret_key,
                                       .incarnation = reply.incarnation(),
                                       .courier_key = reply.courier_key()}),
            absl::OkStatus());
}

std::string World::Incarnation() {
  std::string incarnation;
  EXPECT_EQ(store_->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(incarnation, reader.GetSetting(server::kIncarnation));
    return absl::OkStatus();
  }),
            absl::OkStatus());
  return incarnation;
}

std::string World::CourierKey() {
  std::string key;
  EXPECT_EQ(store_->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(key, server::CourierKeyOf(reader));
    return absl::OkStatus();
  }),
            absl::OkStatus());
  return key;
}

std::string World::BackUp() {
  const std::string backup = directory_.NewFile();
  EXPECT_EQ(server::BackUp(*store_, [&] { return store_->Backup(backup); }), absl::OkStatus());
  return backup;
}

void World::RestoreServer(const std::string& backup) {
  EXPECT_TRUE(streams_.empty());
  const std::string file = directory_.NewFile();
  std::filesystem::copy_file(backup, file);
  OpenServer(file);
  EXPECT_EQ(server::EnsureIncarnation(*store_, *schema_, fate_.environment()), absl::OkStatus());
  MakeSums();
}

void World::RestartServer() {
  EXPECT_TRUE(streams_.empty());
  OpenServer(server_file_);
  EXPECT_EQ(server::EnsureIncarnation(*store_, *schema_, fate_.environment()), absl::OkStatus());
  MakeSums();
}

void World::MakeSums() {
  ASSERT_EQ(server::BeginSums(*store_, ingest_->book()), absl::OkStatus());
  while (true) {
    const absl::StatusOr<bool> made =
        server::MakeSums(*store_, *schema_, ingest_->book(), server::kSumsAtOnce);
    ASSERT_TRUE(made.ok()) << made.status();
    if (*made) return;
  }
}

void World::OpenServer(const std::string& file) {
  store_.reset();
  server_file_ = file;
  auto store = open_store(file, &heard_);
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
  store_->Watch(&moved_);
}

Phone& World::Clone(Phone& phone) {
  phones_.push_back(std::unique_ptr<Phone>(new Phone(this, phone.person(), ++seed_ * 7919)));
  phones_.back()->Restore(phone.Save());
  return *phones_.back();
}

server::DeviceRow World::RowOf(DeviceNumber number) {
  server::DeviceRow row;
  EXPECT_EQ(store_->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto found, reader.GetDevice(number));
    row = found.value();
    return absl::OkStatus();
  }),
            absl::OkStatus());
  return row;
}

void World::Revoke(DeviceNumber number, server::DeviceRow::Standing standing) {
  EXPECT_EQ(store_->Write([&](server::Writer& writer) {
    return server::RevokeDevice(writer, *ingest_, fate_.environment(), number, standing);
  }),
            absl::OkStatus());
  TellOfMoved();
}

std::vector<server::Result> World::Commit(const std::vector<server::Submitted>& batch) {
  auto committed = ingest_->Commit(*store_, batch);
  EXPECT_TRUE(committed.ok()) << committed.status();
  if (!committed.ok()) return {};
  EXPECT_EQ(committed->size(), batch.size());
  TellOfMoved();
  return *std::move(committed);
}

absl::StatusOr<std::string> World::Deliver(const std::string& bundles) {
  ASSIGN_OR_RETURN(const sync::v1::Parcel parcel, FromFile(Cargo::kBundle, bundles));
  sync::v1::Parcel receipts;
  for (const std::string& sealed : parcel.sealed()) {
    ASSIGN_OR_RETURN(const server::Delivery delivery,
                     server::OpenBundle(*store_, sealed, {now_ms_, limits.unseen_ms_max}));
    ASSIGN_OR_RETURN(const sync::v1::DeliverReply reply,
                     server::ReplyTo(delivery, Commit(delivery.edits)));
    receipts.add_sealed(reply.receipt());
  }
  return ToFile(Cargo::kReceipt, receipts);
}

void World::TellOfMoved() {
  const absl::flat_hash_set<Id> moved = moved_.Take();
  for (Stream* stream : streams_) {
    const std::vector<Id> scopes = stream->server().Scopes();
    if (std::any_of(scopes.begin(), scopes.end(),
                    [&](const Id& scope) { return moved.contains(scope); })) {
      stream->server().OnMoved();
    }
  }
}

absl::Status World::Sync(Phone& phone) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    Stream stream(this, &phone);
    stream.Run();
    if (stream.client().again()) continue;
    const absl::Status status = stream.client().status();
    if (status.ok()) {
      EXPECT_TRUE(stream.client().caught_up());
    }
    EXPECT_EQ(phone.store().EndAttempt(status), absl::OkStatus());
    return status;
  }
  return absl::InternalError("the device is told to begin again for ever");
}

bool World::SyncCutAfter(Phone& phone, int frames, bool server_first) {
  Stream stream(this, &phone);
  stream.server_first = server_first;
  while (stream.frames() < frames) {
    if (!stream.Step()) return false;
  }
  stream.Lose();
  return true;
}

void World::SyncAll() {
  for (int round = 0; round < 3; ++round) {
    for (const auto& phone : phones_) EXPECT_EQ(Sync(*phone), absl::OkStatus());
  }
}

std::vector<std::string> World::ViewOf(const Id& person) {
  std::vector<std::string> lines;
  EXPECT_EQ(store_->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const Offices offices, OfficesOf(reader, person, now_ms_));
    for (const RecordType& type : schema_->types()) {
      RETURN_IF_ERROR(reader.ListRecords(
          type.number, std::nullopt, [&](const Id& id, const RecordState& state) {
            const Eyes eyes = EyesOn(PlacesOf(type, id, state.body),
                                     [&](const Id& scope) { return offices.In(scope); });
            if (!eyes.Meet(ReadersOf(*schema_, type, state.body))) return;
            RecordState shown = state;
            Redact(type, HiddenFrom(type, eyes, HostSightOf(type, state.body)), &shown);
            lines.push_back(LineOf(type, id, shown.body));
          }));
    }
    return absl::OkStatus();
  }),
            absl::OkStatus());
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> World::Differences(Phone& phone) {
  const std::vector<std::string> shown = phone.View();
  const std::vector<std::string> expected = ViewOf(phone.person());
  std::vector<std::string> differences;
  for (const std::string& line : expected) {
    if (!std::binary_search(shown.begin(), shown.end(), line)) {
      differences.push_back(absl::StrCat("missing: ", line));
    }
  }
  for (const std::string& line : shown) {
    if (!std::binary_search(expected.begin(), expected.end(), line)) {
      differences.push_back(absl::StrCat("left over: ", line));
    }
  }
  return differences;
}

RecordState World::StateOf(const RecordKey& key) {
  RecordState state;
  EXPECT_EQ(store_->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(state, reader.GetRecord(key));
    return absl::OkStatus();
  }),
            absl::OkStatus());
  return state;
}

std::vector<server::AuditRow> World::AuditOf(DeviceNumber device) {
  std::vector<server::AuditRow> rows;
  EXPECT_EQ(store_->Read([&](server::Reader& reader) {
    return reader.ReadAudit(device, EditNumber(0), [&](const server::AuditRow& row) {
      rows.push_back(row);
      return true;
    });
  }),
            absl::OkStatus());
  return rows;
}

void World::CheckAudit() {
  std::vector<server::DeviceRow> devices;
  ASSERT_EQ(store_->Read([&](server::Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(devices, reader.ListDevices());
    return absl::OkStatus();
  }),
            absl::OkStatus());
  for (const server::DeviceRow& device : devices) {
    std::string chain;
    uint64_t number = 0;
    for (const server::AuditRow& row : AuditOf(device.number)) {
      ASSERT_EQ(row.number.value, ++number) << "device " << device.number.value;
      chain = server::ChainAfter(chain, row);
      ASSERT_EQ(Hex(row.chain), Hex(chain)) << "device " << device.number.value;
    }
    EXPECT_EQ(device.last_number.value, number) << "device " << device.number.value;
  }
}

}  // namespace zhibu::test
