// What somebody hostile may try on a server that runs: each attack ends in a clear
// refusal, in bounded memory, and beside it an honest device syncs as ever.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <thread>

#include "absl/base/config.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sync/base/environment.h"
#include "sync/schema/schema.h"
#include "sync/wire/record.h"
#include "sync/wire/wire.h"
#include "tests/e2e/hostile.h"
#include "tests/e2e/proxy.h"
#include "tests/e2e/township.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::e2e {
namespace {

using records::v1::Contact;
using sync::v1::Change;
using sync::v1::ClientFrame;
using sync::v1::Edit;
using sync::v1::Hello;
using sync::v1::NumberedEdit;
using sync::v1::ServerFrame;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr size_t kMiB = 1 << 20;
// More than any attack here may cost the server, less than any of them sends. The address
// sanitizer keeps what was freed for a while (CMakePresets.json says how much), lays room
// around each piece and a shadow beside all of it; and everything takes longer, a sync of
// somebody else's as well (seconds).
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
constexpr size_t kGrowthMax = 250 * kMiB;
constexpr char kSyncSeconds[] = "90";
constexpr std::chrono::seconds kDelayMax{20};
#else
constexpr size_t kGrowthMax = 100 * kMiB;
constexpr char kSyncSeconds[] = "20";
// By which somebody else's sync may take longer than when nothing goes on.
constexpr std::chrono::seconds kDelayMax{2};
#endif
// Of the server, where a test is about its deadlines.
constexpr std::chrono::seconds kDeadline{4};
constexpr char kOtherBranch[] = "云溪镇柳湾村党支部";

std::string FromBase64(const std::string& text) {
  std::string bytes;
  EXPECT_TRUE(absl::Base64Unescape(text, &bytes)) << text;
  return bytes;
}

// One line of /proc/PID/status, in KiB or as it is counted.
size_t StatusOf(pid_t pid, const std::string& name) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string line; std::getline(status, line);) {
    if (absl::StartsWith(line, name + ":")) return std::stoul(line.substr(name.size() + 1));
  }
  ADD_FAILURE() << "the server is not there";
  return 0;
}

template <typename T>
Change Create(const std::string& id, const T& record) {
  Change change;
  change.set_type(T::descriptor()->options().GetExtension(zhibu::record).type());
  change.set_id(id);
  change.set_kind(Change::CREATE);
  change.set_set(record.SerializeAsString());
  return change;
}

Edit EditOf(const std::vector<Change>& changes) {
  Edit edit;
  edit.mutable_changes()->Add(changes.begin(), changes.end());
  return edit;
}

std::string NewId() { return SystemEnvironment().NewId().str(); }

class AdversaryTest : public testing::Test {
 protected:
  explicit AdversaryTest(Way way = Way::kGrpc, std::chrono::seconds deadline = kPatience)
      : way_(way),
        township_("", {"--handshake-seconds-max", absl::StrCat(deadline.count()),
                       "--unread-seconds-max", absl::StrCat(deadline.count()),
                       "--network-bytes-max", absl::StrCat(32 * kMiB), "--streams-unproven-max",
                       "40", "--connections-max", "300", "--edits-per-second", "500"}),
        honest_(township_.Enrol(kSecretary)),
        branch_(FromBase64(honest_.BranchId())),
        hostile_(port(), way),
        usual_(StatusOf(township_.server_pid(), "VmHWM") * 1024) {}

  ~AdversaryTest() override {
    HonestSyncs();
    EXPECT_LT(StatusOf(township_.server_pid(), "VmHWM") * 1024, usual_ + kGrowthMax);
    township_.Admin({"audit", "verify"});
    EXPECT_EQ(township_.Stop().status, 0);
  }

  void HonestSyncs() {
    const std::string topic = absl::StrCat("照常 ", ++meetings_);
    const std::string id = honest_.Put("Meeting", Meeting(honest_, topic));
    honest_.Do({"sync", "--timeout", kSyncSeconds});
    EXPECT_EQ(honest_.Unsent(), 0);
    EXPECT_EQ(honest_.Record("Meeting", id).value("topic", ""), topic);
  }

  // How long it takes.
  std::chrono::milliseconds HonestSync() {
    honest_.Put("Meeting", Meeting(honest_, absl::StrCat("照常 ", ++meetings_)));
    const auto began = std::chrono::steady_clock::now();
    honest_.Do({"sync", "--timeout", kSyncSeconds});
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_EQ(honest_.Unsent(), 0);
    return std::chrono::duration_cast<std::chrono::milliseconds>(took);
  }

  // A hostile device of somebody who may write in the branch, or of another.
  Self Enrol(const std::string& member = kDeputy) { return hostile_.Enrol(township_.Code(member)); }

  records::v1::Meeting MeetingHere(const std::string& topic) const {
    records::v1::Meeting meeting;
    meeting.set_branch_id(branch_);
    meeting.set_topic(topic);
    return meeting;
  }
  NumberedEdit NewMeeting(Edits* edits, const std::string& topic) const {
    return edits->Next(EditOf({Create(NewId(), MeetingHere(topic))}));
  }

  // Where hostile connections go.
  int port() const { return way_ == Way::kWeb ? township_.web_port() : township_.port(); }

  const Way way_;
  Township township_;
  const Device honest_;
  const std::string branch_;
  Hostile hostile_;
  const size_t usual_;  // memory
  int meetings_ = 0;
};

// What holds by whichever way they come.
class EitherWayTest : public AdversaryTest, public testing::WithParamInterface<Way> {
 protected:
  explicit EitherWayTest(std::chrono::seconds deadline = kPatience)
      : AdversaryTest(GetParam(), deadline) {}
};

class ImpatientServerTest : public EitherWayTest {
 protected:
  ImpatientServerTest() : EitherWayTest(kDeadline) {}
};

std::string NameOf(const testing::TestParamInfo<Way>& info) {
  return info.param == Way::kWeb ? "OverTheWeb" : "OverGrpc";
}
const auto kEitherWay = testing::Values(Way::kGrpc, Way::kWeb);
INSTANTIATE_TEST_SUITE_P(, EitherWayTest, kEitherWay, NameOf);
INSTANTIATE_TEST_SUITE_P(, ImpatientServerTest, kEitherWay, NameOf);

// ---- Who it claims to be ---------------------------------------------------------

TEST_P(EitherWayTest, ClaimsAnothersDevice) {
  const Self self = Enrol();
  std::vector<uint32_t> numbers = {0u, 1u, 999u, ~0u};  // nobody's; 1 is the server's own
  const Json devices = township_.Admin({"devices"});
  for (const Json& device : devices["devices"]) numbers.push_back(device.value("number", 0u));
  EXPECT_GT(numbers.size(), 5u);
  for (const uint32_t number : numbers) {
    Self other = self;
    other.device = number;
    if (other.device == self.device) continue;
    const auto stream = hostile_.Connect();
    stream->Say(HelloOf(other));
    const ServerFrame challenge = stream->Read();
    ASSERT_TRUE(challenge.has_challenge()) << number;
    stream->Prove(SignProof(self.keys.secret_key, challenge.challenge().nonce(), self.fingerprint,
                            HelloOf(other).SerializeAsString()));
    EXPECT_EQ(stream->Refused(), "UNKNOWN_DEVICE") << number;
  }
}

// A key of a small order was enrolled, to which anybody can sign; and the code was gone.
TEST_P(EitherWayTest, EnrolsWhatIsNoDeviceAndSpendsNoCode) {
  const Self other = Enrol();
  sync::v1::EnrolRequest good;
  good.set_code(EnrolmentTicket::FromText(township_.Code(kMigrant))->code);
  good.set_public_key(NewKeyPair(SystemEnvironment()).public_key);
  good.set_device_name("手机");
  const auto enrol = [&](const std::function<void(sync::v1::EnrolRequest*)>& spoil) {
    sync::v1::EnrolRequest request = good;
    spoil(&request);
    sync::v1::EnrolReply reply;
    return hostile_.TryToEnrol(request, &reply).error_code();
  };
  const std::vector<std::string> keys = {"", std::string(32, '\0'), "\1" + std::string(31, '\0'),
                                         std::string(32, 'k'), good.public_key().substr(1)};
  for (const std::string& key : keys) {
    EXPECT_EQ(enrol([&](auto* request) { request->set_public_key(key); }),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  for (const std::string& name : {std::string(), std::string(201, 'x'), std::string("a\nb")}) {
    EXPECT_EQ(enrol([&](auto* request) { request->set_device_name(name); }),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_EQ(enrol([&](auto* request) { request->set_public_key(other.keys.public_key); }),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(enrol([](auto* request) { request->set_device_name(std::string(200, 'x')); }),
            grpc::StatusCode::OK);
}

TEST_P(EitherWayTest, ReplaysAHandshakeAnEditAndACode) {
  const std::string code = township_.Code(kDeputy);
  const Self self = hostile_.Enrol(code);
  sync::v1::EnrolRequest again;
  again.set_code(EnrolmentTicket::FromText(code)->code);
  again.set_public_key(self.keys.public_key);
  sync::v1::EnrolReply reply;
  EXPECT_EQ(hostile_.TryToEnrol(again, &reply).error_code(), grpc::StatusCode::PERMISSION_DENIED);

  const auto first = hostile_.Connect();
  first->Say(HelloOf(self));
  const std::string proof = SignProof(self.keys.secret_key, first->Read().challenge().nonce(),
                                      self.fingerprint, HelloOf(self).SerializeAsString());
  first->Prove(proof);
  ASSERT_TRUE(first->Read().has_welcome());
  const auto second = hostile_.Connect();
  second->Say(HelloOf(self));
  second->Read();
  second->Prove(proof);
  EXPECT_EQ(second->Refused(), "UNKNOWN_DEVICE");

  Edits edits;
  const NumberedEdit edit = NewMeeting(&edits, "重放");
  first->Send(PushOf({edit, edit}));
  first->Send(PushOf({edit}));
  EXPECT_THAT(first->Answers(1), ElementsAre("1 MERGED"));
  honest_.Do({"sync"});
  EXPECT_THAT(honest_.Do({"list", "Meeting", "--where", "topic=重放"}), SizeIs(1));
}

TEST_P(EitherWayTest, GuessesEditNumbers) {
  Self self = Enrol();
  for (const uint64_t number : {uint64_t{0}, uint64_t{2}, uint64_t{1} << 63, ~uint64_t{0}}) {
    const auto stream = hostile_.Connect();
    Hello hello = HelloOf(self);
    hello.set_unanswered(number);
    stream->Open(self, hello);
    Edits edits;
    NumberedEdit edit = NewMeeting(&edits, "猜测");
    edit.set_number(number);
    stream->Send(PushOf({edit}));
    ServerFrame frame = stream->Read();
    while (frame.has_update()) frame = stream->Read();
    ASSERT_TRUE(frame.has_renumber()) << number << frame.ShortDebugString();
    EXPECT_TRUE(stream->End().ok());
    self.device = frame.renumber().device();
  }
  honest_.Do({"sync"});
  EXPECT_THAT(honest_.Do({"list", "Meeting", "--where", "topic=猜测"}), IsEmpty());
}

TEST_F(AdversaryTest, OnceRevokedNothingIsMergedUnderAnotherNumberEither) {
  const Self self = Enrol();
  Self copy = self;
  {
    const auto stream = hostile_.Connect();
    stream->Open(self);
    Edits edits;
    NumberedEdit edit = NewMeeting(&edits, "分身");
    edit.set_number(7);
    stream->Send(PushOf({edit}));
    ServerFrame frame = stream->Read();
    while (frame.has_update()) frame = stream->Read();
    copy.device = frame.renumber().device();
  }
  hostile_.Connect()->Open(copy);
  township_.Admin({"revoke", "--device", absl::StrCat(self.device)});
  const auto stream = hostile_.Connect();
  EXPECT_EQ(stream->Open(copy).service(), sync::v1::Welcome::REVOKED);
  Edits edits;
  stream->Send(PushOf({NewMeeting(&edits, "分身")}));
  EXPECT_THAT(stream->Answers(1), ElementsAre("1 HELD OF_REVOKED_DEVICE"));
}

// ---- What it reads and writes ------------------------------------------------------

TEST_F(AdversaryTest, ForgesCursorsToReadScopesItMayNot) {
  Device other_secretary = [&] {
    township_.Admin({"grant", "柳湾党员01", kOtherBranch});
    return township_.Enrol("柳湾党员01");
  }();
  const Self self = Enrol(kMigrant);
  const auto plain = hostile_.Connect();
  const uint64_t own_rows = plain->Open(self).to_pass();
  const std::string other = FromBase64(other_secretary.Do(
      {"list", "Organisation", "--where", absl::StrCat("name=", kOtherBranch)})[0]["id"]);
  for (const uint64_t version : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
    for (const uint32_t audience : {0u, 1u, ~0u}) {
      Hello hello = HelloOf(self);
      for (const std::string& scope : {other, FromBase64(other_secretary.IdOf("柳湾党员01"))}) {
        auto* cursor = hello.add_cursors();
        cursor->set_scope(scope);
        cursor->set_version(version);
        cursor->set_audience(audience);
      }
      const auto stream = hostile_.Connect();
      EXPECT_EQ(stream->Open(self, hello).to_pass(), own_rows);
      const sync::v1::Update update = stream->Read().update();
      EXPECT_FALSE(update.catching_up());
      EXPECT_EQ(update.removals_size(), 0) << version << " " << audience;
      for (const auto& group : update.groups()) {
        for (const std::string& body : group.bodies()) EXPECT_THAT(body, Not(HasSubstr(other)));
      }
    }
  }
  // What happens there while it listens goes past it.
  const std::string meeting =
      other_secretary.Put("Meeting", {{"branchId", absl::Base64Escape(other)}, {"topic", "别处"}});
  other_secretary.Do({"sync"});
  HonestSyncs();
  ServerFrame frame = plain->Read();
  while (!absl::StrContains(frame.SerializeAsString(), "照常")) {
    EXPECT_THAT(frame.SerializeAsString(), Not(HasSubstr("别处")));
    frame = plain->Read();
  }
  EXPECT_THAT(frame.SerializeAsString(), Not(HasSubstr("别处")));
}

TEST_F(AdversaryTest, WritesWhatItMayNot) {
  const Self self = Enrol(kMigrant);  // who holds no office
  const auto stream = hostile_.Connect();
  stream->Open(self);
  records::v1::Grant grant;
  grant.set_person_id(self.person);
  grant.set_organisation_id(branch_);
  grant.set_office(SECRETARY);
  const Schema& schema = *CatalogueSchema();
  const RecordType& grants = *schema.Find(records::v1::Grant::descriptor());
  const std::string grant_id = DeriveId(grants, grant.SerializeAsString())->str();
  records::v1::Device device;
  device.set_person_id(self.person);
  records::v1::ConflictNote note;
  note.add_scopes(branch_);
  records::v1::Meeting elsewhere = MeetingHere("别处");
  elsewhere.set_branch_id(NewId());
  Edits edits;
  stream->Send(PushOf({edits.Next(EditOf({Create(grant_id, grant)})),
                       edits.Next(EditOf({Create(NewId(), device)})),
                       edits.Next(EditOf({Create(NewId(), note)})),
                       edits.Next(EditOf({Create(NewId(), MeetingHere("越权"))})),
                       edits.Next(EditOf({Create(NewId(), elsewhere)}))}));
  EXPECT_THAT(stream->Answers(5), ElementsAre("1 RETURNED SERVER_ONLY", "2 RETURNED SERVER_ONLY",
                                              "3 RETURNED SERVER_ONLY", "4 RETURNED NOT_ENTITLED",
                                              "5 RETURNED NOT_ENTITLED"));
}

TEST_F(AdversaryTest, InjectsSqlAndPathsThroughEveryString) {
  const std::vector<std::string> strings = {"'; DROP TABLE record; --",
                                            "\" OR 1=1 --",
                                            "../../../../tmp/x",
                                            "/etc/passwd",
                                            "%s%n%x",
                                            "$(reboot)",
                                            "{\"ready\":true}"};
  for (const std::string& string : strings) {
    sync::v1::EnrolRequest request;
    request.set_code(string);
    request.set_public_key(std::string(32, 'k'));
    request.set_device_name(string);
    sync::v1::EnrolReply reply;
    EXPECT_EQ(hostile_.TryToEnrol(request, &reply).error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
    const Self self = hostile_.Enrol(township_.Code(kDeputy), string);
    Hello hello = HelloOf(self);
    hello.set_server_id(string);
    hello.set_app(string);
    auto stream = hostile_.Connect();
    stream->Say(hello);
    EXPECT_EQ(stream->Refused(), "OTHER_SERVER");
    stream = hostile_.Connect();
    hello.set_server_id(self.server_id);
    stream->Open(self, hello);
    Edits edits;
    stream->Send(PushOf({NewMeeting(&edits, string), edits.Next(string)}));
    EXPECT_THAT(stream->Answers(2), ElementsAre("1 MERGED", "2 RETURNED MALFORMED"));
  }
  honest_.Do({"sync"});
  std::set<std::string> topics;
  for (const Json& meeting : honest_.List("Meeting")) {
    topics.insert(meeting["record"].value("topic", ""));
  }
  EXPECT_EQ(topics, std::set<std::string>(strings.begin(), strings.end()));
  std::set<std::string> names;
  const Json devices = township_.Admin({"devices"});
  for (const Json& device : devices["devices"]) names.insert(device.value("name", ""));
  for (const std::string& string : strings) EXPECT_TRUE(names.contains(string)) << string;
  for (const auto& file : std::filesystem::directory_iterator(township_.data())) {
    const std::string name = file.path().filename();
    EXPECT_TRUE(absl::StartsWith(name, "zhibu.") || name == "lock" || name == "admin.sock");
  }
}

TEST_F(AdversaryTest, InjectsWhatCommandsATerminalOrEndsALine) {
  const Self self = Enrol();
  const auto stream = hostile_.Connect();
  stream->Open(self);
  Edits edits;
  for (const std::string& string : {std::string("a\0b", 3), std::string("\r\n\r\n{\"ready\":true}"),
                                    std::string("\x1b]0;x\x07"), std::string("\u202e党员")}) {
    sync::v1::EnrolRequest request;
    request.set_code(EnrolmentTicket::FromText(township_.Code(kDeputy))->code);
    request.set_public_key(NewKeyPair(SystemEnvironment()).public_key);
    request.set_device_name(string);
    sync::v1::EnrolReply reply;
    EXPECT_EQ(hostile_.TryToEnrol(request, &reply).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
    stream->Send(PushOf({NewMeeting(&edits, string)}));
    EXPECT_THAT(stream->Answers(1), ElementsAre(HasSubstr("RETURNED BAD_VALUE")));
  }
  EXPECT_EQ(township_.Admin({"devices"})["devices"].size(), 2);  // the honest one's and this
}

TEST_F(AdversaryTest, WritesInTheFarFutureToWinForEver) {
  const std::string meeting = honest_.Put("Meeting", Meeting(honest_, "定时"));
  honest_.Do({"sync"});
  const Self self = Enrol();
  const auto stream = hostile_.Connect();
  stream->Open(self);
  Change change;
  change.set_type(31);
  change.set_id(FromBase64(meeting));
  records::v1::Meeting place;
  place.set_place("黑客");
  change.set_set(place.SerializeAsString());
  Edit edit = EditOf({change});
  edit.set_device_time_ms(std::numeric_limits<int64_t>::max());
  Edits edits;
  NumberedEdit numbered = edits.Next(edit);
  numbered.set_stamp(~uint64_t{0});
  stream->Send(PushOf({numbered}));
  EXPECT_THAT(stream->Answers(1), ElementsAre("1 MERGED"));
  honest_.Do({"edit", "Meeting", meeting, R"({"place": "礼堂"})"});  // later, and has not seen it
  honest_.Do({"sync"});
  EXPECT_EQ(honest_.Record("Meeting", meeting).value("place", ""), "礼堂");
}

// ---- How much it sends ---------------------------------------------------------------

TEST_P(EitherWayTest, SendsHugeCounts) {
  const Self self = Enrol();
  auto stream = hostile_.Connect();
  Hello hello = HelloOf(self);
  for (int i = 0; i < 100'000; ++i) hello.add_cursors()->set_scope(branch_);
  stream->Say(hello);
  EXPECT_EQ(stream->Refused(), "TOO_LARGE");

  stream = hostile_.Connect();
  stream->Open(self);
  stream->Send(PushOf(std::vector<NumberedEdit>(1001)));
  EXPECT_EQ(stream->Refused(), "TOO_LARGE");

  stream = hostile_.Connect();
  stream->Open(self);
  Edits edits;
  records::v1::Meeting crowded = MeetingHere("人山人海");
  for (uint32_t i = 0; i < 5'000; ++i) crowded.add_present(FromBase64(MadeUpId(i)));
  const std::string id = NewId();
  Change again = Create(id, crowded);
  again.set_kind(Change::UPDATE);
  Change none = again;
  none.clear_set();
  auto* removed = none.mutable_without()->add_removed();
  removed->set_field(8);
  for (const std::string& one : crowded.present()) removed->add_elements(one);
  Change cleared = none;
  cleared.clear_without();
  for (int i = 0; i < 500'000; ++i) cleared.mutable_without()->add_cleared(4);  // once too often
  stream->Send(
      PushOf({edits.Next(EditOf(std::vector<Change>(1001, Create(id, MeetingHere("")))))}));
  stream->Send(PushOf({edits.Next(EditOf({Create(id, crowded)})), edits.Next(EditOf({again})),
                       edits.Next(EditOf({none}))}));
  stream->Send(PushOf({edits.Next(EditOf({cleared}))}));
  const auto began = std::chrono::steady_clock::now();
  HonestSyncs();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
  EXPECT_THAT(stream->Answers(5), ElementsAre("1 RETURNED TOO_LARGE", "2 MERGED", "3 MERGED",
                                              "4 MERGED", "5 RETURNED MALFORMED"));
}

TEST_P(EitherWayTest, NestsDeeply) {
  const Self self = Enrol();
  auto stream = hostile_.Connect();
  stream->Open(self);
  std::string nested;
  for (int i = 0; i < 20'000 && nested.size() < 900'000; ++i) {
    // Without.nested { without { … } }
    std::string without;
    wire::AppendBytesField(4, nested, &without);
    nested.clear();
    wire::AppendBytesField(3, without, &nested);
  }
  const std::string groups(900'000, '\x0b');  // a group in a group …
  Edits edits;
  std::vector<NumberedEdit> all;
  for (const std::string& set : {std::string(), groups, nested}) {
    for (const std::string& without : {std::string(), groups.substr(0, 100'000), nested}) {
      std::string change;
      wire::AppendVarintField(1, 31, &change);
      wire::AppendBytesField(2, NewId(), &change);
      wire::AppendVarintField(3, 1, &change);
      wire::AppendBytesField(6, set, &change);
      wire::AppendBytesField(7, without, &change);
      std::string edit;
      wire::AppendBytesField(1, change, &edit);
      all.push_back(edits.Next(edit));
    }
  }
  for (const NumberedEdit& one : all) stream->Send(PushOf({one}));
  EXPECT_THAT(stream->Answers(all.size()), Each(HasSubstr("RETURNED")));
  stream->SendBytes(groups);
  EXPECT_EQ(stream->Refused(), "MALFORMED");
}

TEST_F(AdversaryTest, SendsDecompressionBombs) {
  for (const auto algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    const auto stream = hostile_.Connect(
        [&](grpc::ClientContext* context) { context->set_compression_algorithm(algorithm); });
    stream->SendBytes(std::string(128 * kMiB, '\0'));
    const grpc::Status status = stream->End();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << status.error_message();
  }
}

TEST_P(EitherWayTest, SendsAMessageWithoutEnd) {
  const auto large = hostile_.Connect();
  large->SendBytes(std::string(5 * kMiB, 'x'));
  EXPECT_EQ(large->End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const auto endless = hostile_.Connect();
  endless->SendBytes(std::string(200 * kMiB, 'x'));
  // Over the web whoever goes on sending after the close may lose it with the link.
  const grpc::StatusCode broken =
      GetParam() == Way::kWeb ? grpc::StatusCode::CANCELLED : grpc::StatusCode::RESOURCE_EXHAUSTED;
  EXPECT_THAT(endless->End().error_code(),
              ::testing::AnyOf(grpc::StatusCode::RESOURCE_EXHAUSTED, broken));
}

// ---- How it behaves --------------------------------------------------------------------

TEST_P(ImpatientServerTest, NeverReadsItsStream) {
  const Self self = Enrol();
  Hostile deaf(port(), way_);
  const auto silent = deaf.Connect();
  silent->Open(self);
  const auto stream = hostile_.Connect();
  stream->Open(self);
  Edits edits;
  for (int i = 0; i < 20; ++i) {
    records::v1::Meeting meeting = MeetingHere("长");
    meeting.set_minutes(std::string(900'000, 'x'));
    stream->Send(PushOf({edits.Next(EditOf({Create(NewId(), meeting)}))}));
    EXPECT_THAT(stream->Answers(1), ElementsAre(HasSubstr("MERGED")));
  }
  HonestSyncs();
  std::this_thread::sleep_for(kDeadline + std::chrono::seconds(1));
  // It was ended though it never read; else this would go on until its own deadline.
  EXPECT_EQ(silent->End().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_P(EitherWayTest, WritesWithoutPause) {
  constexpr int kFrames = 14;  // twice what is saved up, and a frame is work too
  const Self self = Enrol();
  const auto stream = hostile_.Connect();
  stream->Open(self);
  const auto began = std::chrono::steady_clock::now();
  std::thread flood([&] {
    Edits edits;
    for (int i = 0; i < kFrames; ++i) {
      std::vector<NumberedEdit> push;
      for (int j = 0; j < 500; ++j) push.push_back(NewMeeting(&edits, "洪水"));
      stream->Send(PushOf(push));
    }
  });
  HonestSyncs();
  EXPECT_THAT(stream->Answers(kFrames * 500), Each(HasSubstr("MERGED")));
  flood.join();
  // 5000 at once, the rest at 500 a second.
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
}

// An edit may say what it builds on, and each of these would have to be looked up.
TEST_F(AdversaryTest, BuildsAThousandTimesOnAnEditOfAMegabyte) {
  const auto usual = HonestSync();
  const Self self = Enrol();
  const auto stream = hostile_.Connect();
  stream->Open(self);
  Edits edits;
  records::v1::Meeting large = MeetingHere("大");
  large.set_minutes(std::string(1'000'000, 'x'));
  stream->Send(PushOf({edits.Next(EditOf({Create(NewId(), large)}))}));
  EXPECT_THAT(stream->Answers(1), ElementsAre("1 MERGED"));
  std::vector<NumberedEdit> push;
  for (int i = 0; i < 30; ++i) {
    NumberedEdit& edit = push.emplace_back(NewMeeting(&edits, "小"));
    for (int j = 0; j < 1000; ++j) edit.add_builds_on(1);
  }
  stream->Send(PushOf(push));
  EXPECT_LT(HonestSync(), usual + kDelayMax);
  EXPECT_THAT(stream->Answers(push.size()), SizeIs(push.size()));
}

TEST_F(AdversaryTest, OnePhoneSendsAThousandHeavyEditsAgainAndAgain) {
  const auto usual = HonestSync();
  const Self self = Enrol();
  const auto stream = hostile_.Connect();
  stream->Open(self);
  records::v1::Meeting crowded = MeetingHere("人山人海");
  for (uint32_t i = 0; i < 200; ++i) crowded.add_present(FromBase64(MadeUpId(i)));
  constexpr int kFrames = 3;
  constexpr int kEdits = 1000;
  std::atomic<bool> stop = false;
  std::thread flood([&] {
    Edits edits;
    for (int i = 0; i < kFrames && !stop; ++i) {
      std::vector<NumberedEdit> push;
      for (int j = 0; j < kEdits; ++j)
        push.push_back(edits.Next(EditOf({Create(NewId(), crowded)})));
      stream->Send(PushOf(push));
    }
  });
  stream->Answers(1);
  for (int i = 0; i < 3; ++i) EXPECT_LT(HonestSync(), usual + kDelayMax);
  stop = true;
  flood.join();
}

TEST_P(EitherWayTest, OpensAStreamTooMany) {
  const Self self = Enrol();
  std::vector<std::unique_ptr<HostileStream>> streams;
  for (int i = 0; i < 5; ++i) {
    streams.push_back(hostile_.Connect());
    streams.back()->Open(self);
  }
  EXPECT_EQ(streams.front()->Refused(), "LIMIT_REACHED");
  EXPECT_TRUE(streams.back()->Read().has_update());
}

TEST_F(AdversaryTest, OpensThousandsOfStreams) {
  constexpr int kConnections = 250;
  constexpr int kEach = 4;
  std::vector<std::unique_ptr<Hostile>> flood;
  std::vector<std::unique_ptr<HostileStream>> streams;
  for (int i = 0; i < kConnections; ++i) {
    flood.push_back(std::make_unique<Hostile>(port(), way_));
    for (int j = 0; j < kEach; ++j) streams.push_back(flood.back()->Connect());
  }
  HonestSyncs();
  for (int i = 0; i < 50; ++i) {
    const sync::v1::Refusal refused = streams[i]->Read().refusal();
    EXPECT_EQ(refused.reason(), sync::v1::LIMIT_REACHED);
    EXPECT_GT(refused.come_back_ms(), 0u) << "a device in its place is told when to come back";
  }

  const Self self = Enrol();
  std::vector<std::unique_ptr<Hostile>> channels;
  std::vector<std::unique_ptr<HostileStream>> own;
  for (int i = 0; i < 6; ++i) {
    channels.push_back(std::make_unique<Hostile>(port(), way_));
    own.push_back(channels.back()->Connect());
    own.back()->Open(self);
  }
  EXPECT_EQ(own[0]->Refused(), "LIMIT_REACHED");
  EXPECT_EQ(own[1]->Refused(), "LIMIT_REACHED");
  EXPECT_TRUE(own[5]->Read().has_update());
}

int Dial(int port, const std::string& from = "127.0.0.1") {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, from.c_str(), &address.sin_addr);
  EXPECT_EQ(bind(file, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(file, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return file;
}

bool Closed(int file, std::chrono::milliseconds patience) {
  pollfd one = {file, POLLIN, 0};
  char byte = 0;
  return poll(&one, 1, static_cast<int>(patience.count())) > 0 && read(file, &byte, 1) <= 0;
}

TEST_P(ImpatientServerTest, OpensConnectionsAndSaysNothing) {
  std::vector<int> files;
  for (int i = 0; i < 800; ++i) files.push_back(Dial(port()));
  EXPECT_TRUE(Closed(files.front(), kDeadline));
  EXPECT_LT(StatusOf(township_.server_pid(), "FDSize"), 1024);
  HonestSyncs();
  // The others go in their time.
  for (const int file : files) EXPECT_TRUE(Closed(file, 3 * kDeadline));
  HonestSyncs();
  for (const int file : files) close(file);
}

// Of one address, and of hundreds.
TEST_P(EitherWayTest, TwoThousandStrangersSayNothingAndDevicesComeAndStay) {
  AllowManyFiles();
  const auto usual = HonestSync();
  const Self self = Enrol();
  const auto stays = hostile_.Connect();
  stays->Open(self);
  std::vector<int> files;
  for (const bool many : {false, true}) {
    for (int i = 0; i < 2000; ++i) {
      files.push_back(
          Dial(port(), many ? absl::StrCat("127.7.", i / 250, ".", 1 + i % 250) : "127.7.0.1"));
      if (i % 500 != 499) continue;
      EXPECT_LT(HonestSync(), usual + kDelayMax);
    }
    EXPECT_LT(StatusOf(township_.server_pid(), "FDSize"), 1024);
  }
  Edits edits;
  stays->Send(PushOf({NewMeeting(&edits, "还在")}));
  EXPECT_THAT(stays->Answers(1), ElementsAre("1 MERGED"));
  for (const int file : files) close(file);
}

TEST_P(ImpatientServerTest, DripsBytes) {
  const auto hesitant = hostile_.Connect();
  hesitant->Say(HelloOf(Enrol()));
  const int file = Dial(port());
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);  // of TLS
  const auto began = std::chrono::steady_clock::now();
  size_t sent = 0;
  while (!Closed(file, std::chrono::milliseconds(100))) {
    const char byte = sent < hello.size() ? hello[sent] : 'x';
    if (send(file, &byte, 1, MSG_NOSIGNAL) != 1) break;
    ++sent;
    ASSERT_LT(std::chrono::steady_clock::now() - began, 4 * kDeadline);
  }
  close(file);
  EXPECT_GT(sent, hello.size());
  EXPECT_EQ(hesitant->Refused(), "LIMIT_REACHED");
}

TEST_P(EitherWayTest, TriesCodesWithoutPause) {
  std::vector<std::unique_ptr<Hostile>> channels;
  std::vector<std::thread> threads;
  std::atomic<int> let_in = 0;
  for (int i = 0; i < 40; ++i) {
    channels.push_back(std::make_unique<Hostile>(port(), way_));
    threads.emplace_back([&, i] {
      for (int j = 0; j < 50; ++j) {
        sync::v1::EnrolRequest request;
        request.set_code(absl::StrCat(i, "-", j));
        request.set_public_key(std::string(32, 'k'));
        sync::v1::EnrolReply reply;
        let_in += channels[i]->TryToEnrol(request, &reply).ok();
      }
    });
  }
  HonestSyncs();
  EXPECT_LT(StatusOf(township_.server_pid(), "Threads"), 60);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(let_in, 0);
}

TEST_P(EitherWayTest, DeliversRubbishWithoutPause) {
  const std::string rubbish(1 << 20, 'r');
  std::atomic<int> refused = 0;
  std::atomic<int> sent_away = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Hostile courier(port(), way_);
      for (int j = 0; j < 25; ++j) {
        const grpc::Status status = courier.Deliver(rubbish);
        EXPECT_FALSE(status.ok());
        sync::v1::Refusal why;
        why.ParseFromString(status.error_details());
        refused += why.reason() == sync::v1::COURIER_DAMAGED;
        sent_away += why.reason() == sync::v1::LIMIT_REACHED;
      }
    });
  }
  HonestSyncs();
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(refused, 0);
  EXPECT_GT(sent_away, 0);
  EXPECT_EQ(refused + sent_away, 100);
}

TEST_F(AdversaryTest, RubbishFromOneAddressShutsNoCourierOut) {
  const TempFolder stick;
  const std::string bundles = stick / "包.zhibu";
  const Proxy elsewhere(township_.port(), "127.7.0.1");
  const std::string rubbish(64 << 10, 'r');
  std::atomic<bool> stop = false;
  std::atomic<int> opened = 0;
  std::atomic<int> sent_away = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Hostile courier(elsewhere.port());
      while (!stop) {
        sync::v1::Refusal why;
        why.ParseFromString(courier.Deliver(rubbish).error_details());
        (why.reason() == sync::v1::LIMIT_REACHED ? sent_away : opened) += 1;
      }
    });
  }
  EXPECT_TRUE(Eventually([&] { return sent_away > 0; }));
  for (int i = 0; i < 3; ++i) {
    honest_.Put("Meeting", Meeting(honest_, absl::StrCat("捎带 ", i)));
    honest_.Do({"courier", "export", bundles});
    Succeed(
        {"--json", "device", "courier", "deliver", bundles, "--receipts", stick / "回执.zhibu"});
    EXPECT_EQ(honest_.Do({"courier", "receive", stick / "回执.zhibu"}).value("delivered", 0), 1);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace zhibu::e2e
