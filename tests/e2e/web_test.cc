// Devices and couriers that come over the web, beside those of gRPC.
#include "tests/e2e/web.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sync/base/environment.h"
#include "tests/e2e/township.h"
#include "zhibu/records/v1/meeting.pb.h"
#include "zhibu/sync/v1/courier.pb.h"

namespace zhibu::e2e {
namespace {

using sync::v1::ServerFrame;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kDeadline{4};

class WebTest : public testing::Test {
 protected:
  explicit WebTest(const Words& options = {})
      : township_("", options), secretary_(township_.Enrol(kSecretary)) {
    absl::Base64Unescape(secretary_.BranchId(), &branch_);
  }
  ~WebTest() override {
    EXPECT_TRUE(township_.Admin({"audit", "verify"}).is_object());
    EXPECT_EQ(township_.Stop().status, 0);
  }

  int port() const { return township_.web_port(); }
  Self Enrol() { return Hostile(port(), Way::kWeb).Enrol(township_.Code(kDeputy)); }

  std::string NewMeeting(const std::string& topic) const {
    records::v1::Meeting meeting;
    meeting.set_branch_id(branch_);
    meeting.set_topic(topic);
    sync::v1::Edit edit;
    auto* change = edit.add_changes();
    change->set_type(31);
    change->set_id(SystemEnvironment().NewId().str());
    change->set_kind(sync::v1::Change::CREATE);
    change->set_set(meeting.SerializeAsString());
    return edit.SerializeAsString();
  }
  // As the secretary has them, whose device is of gRPC.
  size_t MeetingsCalled(const std::string& topic) const {
    secretary_.Do({"sync"});
    return secretary_.Do({"list", "Meeting", "--where", absl::StrCat("topic=", topic)}).size();
  }
  uint64_t Count(const std::string& what) const {
    return township_.Admin({"counts"})["counts"].value(what, uint64_t{0});
  }

  Township township_;
  const Device secretary_;
  std::string branch_;
};

// What is heard until `text` is in it.
bool Hears(HostileStream* stream, const std::string& text) {
  while (true) {
    const ServerFrame frame = stream->Read();
    if (absl::StrContains(frame.SerializeAsString(), text)) return true;
    if (frame.frame_case() == ServerFrame::FRAME_NOT_SET) return false;
  }
}

TEST_F(WebTest, EnrolsAndSyncsBothWaysWithADeviceOfGrpcLive) {
  const Self self = Enrol();
  WebStream stream(port());
  EXPECT_EQ(stream.http_status(), 101);
  EXPECT_EQ(stream.field("Sec-WebSocket-Extensions"), "") << "nothing is compressed";
  stream.Open(self);
  const auto watching = Process::Start(secretary_.Command({"sync", "--watch"}));
  Edits edits;
  stream.Send(PushOf({edits.Next(NewMeeting("网页上写的"))}));
  EXPECT_THAT(stream.Answers(1), ElementsAre("1 MERGED"));
  EXPECT_TRUE(Eventually([&] {
    return !secretary_.Do({"list", "Meeting", "--where", "topic=网页上写的"}).empty();
  }));
  secretary_.Put("Meeting", Meeting(secretary_, "手机上写的"));
  EXPECT_TRUE(Hears(&stream, "手机上写的"));
  watching->Signal(SIGTERM);
  EXPECT_GE(Count("streams.web"), 1u);
  EXPECT_GE(Count("streams.grpc"), 1u);
  EXPECT_GE(Count("calls.web"), 1u);
}

TEST_F(WebTest, WhatWasAcknowledgedOutlivesKillNine) {
  const Self self = Enrol();
  size_t answered = 0;
  Edits edits;
  for (int round = 0; round < 3; ++round) {
    WebStream stream(port());
    stream.Open(self);
    for (int i = 0; i < 20; ++i) {
      stream.Send(PushOf({edits.Next(NewMeeting("断电"))}));
      answered += stream.Answers(1).size();
    }
    township_.Kill();
    EXPECT_FALSE(Hears(&stream, "断电之后"));
    EXPECT_EQ(stream.code(), 0);
    township_.Start();
  }
  EXPECT_EQ(MeetingsCalled("断电"), answered);
}

TEST_F(WebTest, AServerThatStopsSaysSo) {
  const Self self = Enrol();
  WebStream idle(port());
  WebStream stream(port());
  stream.Open(self);
  ASSERT_TRUE(stream.Read().has_update());
  EXPECT_EQ(township_.Stop().status, 0);
  EXPECT_EQ(stream.End().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(stream.code(), 1001);
  EXPECT_EQ(idle.End().error_code(), grpc::StatusCode::UNAVAILABLE);
  township_.Start();
}

TEST_F(WebTest, WhatIsRefusedInAFrameIsClosedWithNothingMoreToSay) {
  WebStream stream(port());
  stream.SendBytes(std::string(100, '\x0b'));
  EXPECT_EQ(stream.Refused(), "MALFORMED");
  EXPECT_TRUE(stream.End().ok());
  EXPECT_EQ(stream.code(), 1000);
}

// ---- Couriers

class WebCourierTest : public WebTest {
 protected:
  std::string Parcel(const std::string& topic) {
    secretary_.Put("Meeting", Meeting(secretary_, topic));
    const std::string file = stick_ / "包.zhibu";
    secretary_.Do({"courier", "export", file});
    sync::v1::Parcel parcel;
    parcel.ParseFromString(ReadFile(file));
    sync::v1::DeliverRequest request;
    request.set_bundle(parcel.sealed(0));
    return request.SerializeAsString();
  }
  static std::string ReasonOf(const HttpReply& reply) {
    sync::v1::Refusal refusal;
    refusal.ParseFromString(reply.body);
    return sync::v1::Reason_Name(refusal.reason());
  }
  const TempFolder stick_;
};

TEST_F(WebCourierTest, AParcelByOnePostCountsOnceHoweverOftenItComes) {
  const std::string parcel = Parcel("捎带");
  WebConnection courier(port());
  EXPECT_EQ(courier.Post(kDeliverPath, parcel, {{"Expect", "100-continue"}}).status, 100);
  for (const HttpReply& told : {courier.Read(), courier.Post(kDeliverPath, parcel)}) {
    ASSERT_EQ(told.status, 200);
    EXPECT_EQ(told.fields.at("grpc-status"), "0");
    sync::v1::DeliverReply delivered;
    EXPECT_TRUE(delivered.ParseFromString(told.body));
    EXPECT_FALSE(delivered.receipt().empty());
  }
  const Device other = township_.Enrol(kDeputy);
  EXPECT_EQ(other.Do({"list", "Meeting", "--where", "topic=捎带"}).size(), 1);
  EXPECT_EQ(MeetingsCalled("捎带"), 1);
}

TEST_F(WebCourierTest, WhatIsTamperedWithTooBigOrNoMessageIsRefusedInWords) {
  std::string tampered = Parcel("捎带");
  tampered[tampered.size() / 2] ^= 1;
  WebConnection courier(port());
  const HttpReply reply = courier.Post(kDeliverPath, tampered);
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.fields.at("grpc-status"), "3");
  EXPECT_EQ(ReasonOf(reply), "COURIER_DAMAGED");
  EXPECT_EQ(ReasonOf(courier.Post(kDeliverPath, std::string(100, '\x0b'))), "MALFORMED");
  EXPECT_EQ(WebConnection(port()).Post(kDeliverPath, std::string(5 << 20, 'x')).status, 413);
  EXPECT_EQ(WebConnection(port()).Post(kDeliverPath, std::string(100 << 20, 'x')).status, 413);
  const Device other = township_.Enrol(kDeputy);
  EXPECT_TRUE(other.List("Meeting").empty());
}

// ---- Adversaries

TEST_F(WebTest, WhatIsNoCallAndNoStreamIsRefusedByHttp) {
  const auto ask = [&](const std::string& method, const std::string& path,
                       const HttpFields& fields = {}) {
    return WebConnection(port()).Ask(method, path, "", fields).status;
  };
  EXPECT_EQ(ask("POST", "/"), 404);
  EXPECT_EQ(ask("POST", "/zhibu.admin.v1.Admin/Init"), 404);
  EXPECT_EQ(ask("POST", absl::StrCat(kDeliverPath, "/../Enrol")), 404);
  EXPECT_EQ(ask("GET", kDeliverPath), 405);
  EXPECT_EQ(ask("OPTIONS", kDeliverPath), 405);
  EXPECT_EQ(ask("GET", kConnectPath), 426);
  EXPECT_EQ(ask("POST", kDeliverPath, {{"X", std::string(9 << 10, 'x')}}), 431);
  EXPECT_EQ(WebStream(port(), "/").http_status(), 404);
  EXPECT_EQ(WebStream(port(), kDeliverPath).http_status(), 405);
  WebConnection rubbish(port());
  rubbish.SendBytes("SSH-2.0-x\r\n\r\n");
  EXPECT_EQ(rubbish.Read().status, 400);
  WebConnection early(port());
  early.SendBytes(absl::StrCat("GET ", kConnectPath,
                               " HTTP/1.1\r\nHost: zhibu\r\nConnection: upgrade\r\nUpgrade: "
                               "websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                               "AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\x82\x80\x01\x02\x03\x04"));
  EXPECT_EQ(early.Read().status, 400);
}

TEST_F(WebTest, PagesOfOthersDoNotComeIn) {
  const HttpFields page = {{"Origin", "https://evil.example"}};
  EXPECT_EQ(WebStream(port(), kConnectPath, page).http_status(), 403);
  EXPECT_EQ(WebConnection(port()).Post(kEnrolPath, "", page).status, 403);
  EXPECT_EQ(WebConnection(port()).Ask("OPTIONS", kEnrolPath, "", page).status, 403);
}

class PagesTest : public WebTest {
 protected:
  PagesTest() : WebTest({"--web-origin", "https://app.example"}) {}
};

TEST_F(PagesTest, ThoseThatTheOperatorNamesDo) {
  const HttpFields page = {{"Origin", "https://app.example"}};
  EXPECT_EQ(WebStream(port(), kConnectPath, page).http_status(), 101);
  WebConnection browser(port());
  const HttpReply asked = browser.Ask("OPTIONS", kEnrolPath, "", page);
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(asked.fields.at("access-control-allow-headers"), "content-type");
  const HttpReply reply = browser.Post(kEnrolPath, "", page);
  EXPECT_EQ(reply.status, 403) << "the code is wrong";
  EXPECT_EQ(reply.fields.at("access-control-allow-origin"), "https://app.example");
  EXPECT_EQ(StatusOf(reply).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(WebStream(port(), kConnectPath, {{"Origin", "null"}}).http_status(), 403);
}

TEST_F(WebTest, TextIsNoFrameAndAFrameMayComeInPieces) {
  WebStream text(port());
  text.SendText("frame");
  text.End();
  EXPECT_EQ(text.code(), 1003);
  const Self self = Enrol();
  WebStream stream(port());
  stream.Open(self);
  Edits edits;
  const auto frame = PushOf({edits.Next(NewMeeting(std::string(5000, 'x')))});
  EXPECT_TRUE(stream.SendInPieces(frame.SerializeAsString(), 7));
  EXPECT_THAT(stream.Answers(1), ElementsAre(HasSubstr("1 ")));
}

TEST_F(WebTest, WhoPingsWithoutPauseIsEnded) {
  const Self self = Enrol();
  WebStream stream(port());
  stream.Open(self);
  ASSERT_TRUE(stream.Read().has_update());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(stream.Ping());
  Edits edits;
  stream.Send(PushOf({edits.Next(NewMeeting("还在"))}));
  EXPECT_THAT(stream.Answers(1), ElementsAre("1 MERGED"));
  for (int i = 0; i < 100 && stream.Ping(); ++i) continue;
  stream.End();
  EXPECT_EQ(stream.code(), 1008);
}

// Of user and system, by all of its threads.
double CpuSecondsOf(pid_t pid) {
  std::ifstream stat(absl::StrCat("/proc/", pid, "/stat"));
  const std::string line((std::istreambuf_iterator<char>(stat)), {});
  const std::vector<std::string> fields =
      absl::StrSplit(line.substr(line.rfind(')') + 2), ' ');  // from "state" on
  int64_t ticks[2] = {0, 0};
  EXPECT_TRUE(absl::SimpleAtoi(fields[11], &ticks[0]) && absl::SimpleAtoi(fields[12], &ticks[1]));
  return static_cast<double>(ticks[0] + ticks[1]) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

TEST_F(WebTest, WhoSendsFramesOfNothingTakesLittleOfTheServerHoweverLong) {
  const Self self = Enrol();
  WebStream stream(port());
  stream.Open(self);
  ASSERT_TRUE(stream.Read().has_update());
  const double before = CpuSecondsOf(township_.server_pid());
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(4);
  while (std::chrono::steady_clock::now() < until && stream.SendEmptyPieces(10'000)) continue;
  EXPECT_LT(CpuSecondsOf(township_.server_pid()) - before, 1.0);
  EXPECT_EQ(MeetingsCalled("会议"), 0u) << "an honest device syncs beside it";
}

class ImpatientWebTest : public WebTest {
 protected:
  ImpatientWebTest()
      : WebTest({"--handshake-seconds-max", absl::StrCat(kDeadline.count()), "--unread-seconds-max",
                 absl::StrCat(kDeadline.count()), "--network-bytes-max", absl::StrCat(16 << 20)}) {}

  // How long it takes until the server ends the connection.
  std::chrono::steady_clock::duration Ends(WebConnection* connection) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(connection->Read().status, 0);
    return std::chrono::steady_clock::now() - began;
  }
};

TEST_F(ImpatientWebTest, WhoDripsAHeadABodyOrSaysNothingIsEndedInTime) {
  const std::string head =
      absl::StrCat("POST ", kDeliverPath, " HTTP/1.1\r\nHost: zhibu\r\nContent-Length: 100000\r\n");
  WebConnection silent(port());
  EXPECT_LT(Ends(&silent), 3 * kDeadline);
  WebConnection in_body(port());
  in_body.SendBytes(head + "\r\n123");
  EXPECT_LT(Ends(&in_body), 3 * kDeadline);
  WebConnection after(port());
  EXPECT_EQ(after.Post(kEnrolPath, "").status, 403);
  EXPECT_LT(Ends(&after), 3 * kDeadline);
  WebConnection drips(port());
  const auto began = std::chrono::steady_clock::now();
  for (size_t i = 0; drips.SendBytes(head.substr(i % head.size(), 1)); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ASSERT_LT(std::chrono::steady_clock::now() - began, 4 * kDeadline);
  }
}

TEST_F(ImpatientWebTest, AWebSocketThatProvesNothingIsRefusedInTime) {
  WebStream stream(port());
  EXPECT_EQ(stream.Refused(), "LIMIT_REACHED");
  EXPECT_EQ(stream.code(), 0) << "the frame came before the close";
  EXPECT_TRUE(stream.End().ok());
}

// Strangers that fill half of the memory for messages end strangers.
TEST_F(ImpatientWebTest, StrangersThatSendWithoutEndTakeNothingFromADevice) {
  const Self self = Enrol();
  WebStream honest(port());
  honest.Open(self);
  std::vector<std::unique_ptr<WebConnection>> couriers;
  for (int i = 0; i < 12; ++i) {
    couriers.push_back(std::make_unique<WebConnection>(port()));
    couriers.back()->SendBytes(absl::StrCat("POST ", kDeliverPath,
                                            " HTTP/1.1\r\nHost: zhibu\r\nContent-Length: 4000000"
                                            "\r\n\r\n",
                                            std::string(1'500'000, 'x')));
  }
  Edits edits;
  honest.Send(PushOf({edits.Next(NewMeeting("还在"))}));
  EXPECT_THAT(honest.Answers(1), ElementsAre("1 MERGED"));
  const HttpReply reply = couriers.back()->Read();
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(StatusOf(reply).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(WebTest, FiveHundredStrangersWithStreamsDoNotStopADevice) {
  const Self self = Enrol();
  WebStream honest(port());
  honest.Open(self);
  std::vector<std::unique_ptr<WebStream>> strangers;
  AllowManyFiles();
  for (int i = 0; i < 500; ++i) {
    strangers.push_back(std::make_unique<WebStream>(port()));
    ASSERT_EQ(strangers.back()->http_status(), 101);
  }
  Edits edits;
  const auto began = std::chrono::steady_clock::now();
  honest.Send(PushOf({edits.Next(NewMeeting("还在"))}));
  EXPECT_THAT(honest.Answers(1), ElementsAre("1 MERGED"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
  EXPECT_EQ(MeetingsCalled("还在"), 1);
  for (size_t i = 0; i < strangers.size(); i += 2) strangers[i]->Cut();
}

}  // namespace
}  // namespace zhibu::e2e
