// Whoever operates the server is told what is refused and what fails, and nothing that
// anybody wrote.
#include "server/base/observer.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "absl/strings/str_cat.h"
#include "client-core/courier.h"
#include "server/admin/admin.h"
#include "server/base/log.h"
#include "server/sessions/hub.h"
#include "sync/base/damage.h"
#include "sync/base/reason.h"
#include "sync/crypto/courier.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using server::Trouble;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

// What the log says, line by line, while it lives.
class Lines {
 public:
  explicit Lines(spdlog::level::level_enum level) : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(stream_));
    logger->set_level(level);
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(logger);
  }
  ~Lines() { spdlog::set_default_logger(before_); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  std::string text() const { return stream_.str(); }

 private:
  std::ostringstream stream_;
  const std::shared_ptr<spdlog::logger> before_;
};

TEST(LogTest, EachReasonIsCountedUnderItsName) {
  const Lines lines(spdlog::level::debug);
  server::Log log;
  const auto* reasons = sync::v1::Reason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    const auto reason = static_cast<sync::v1::Reason>(reasons->value(i)->number());
    for (int times = 0; times <= i; ++times) log.OnRefused(reason, DeviceNumber(7));
  }
  const auto counts = log.Counts();
  for (int i = 0; i < reasons->value_count(); ++i) {
    EXPECT_THAT(counts, Contains(Pair(absl::StrCat("refused.", reasons->value(i)->name()),
                                      static_cast<uint64_t>(i) + 1)));
  }
  EXPECT_THAT(lines.text(), HasSubstr("debug refused reason=NOT_ENTITLED device=7\n"));
}

TEST(LogTest, RefusalsAreNoLinesUnlessOneLooksForThem) {
  const Lines lines(spdlog::level::info);
  server::Log log;
  log.OnRefused(sync::v1::NOT_ENTITLED, DeviceNumber(7));
  log.OnSessionOpened(DeviceNumber(7));
  log.OnCommitted(3, std::chrono::milliseconds(1));
  EXPECT_THAT(lines.text(), IsEmpty());
  EXPECT_THAT(log.Counts(), Contains(Pair("edits", 3)));
}

TEST(LogTest, TroubleSaysWhatWhoseAndWhatToDo) {
  const Lines lines(spdlog::level::info);
  server::Log log;
  log.OnTrouble({.what = Trouble::What::kEdit,
                 .status = absl::UnavailableError("The disk is full"),
                 .device = DeviceNumber(7),
                 .edit = EditNumber(12)});
  EXPECT_THAT(lines.text(),
              HasSubstr("error trouble what=edit device=7 edit=12 type=0 status=UNAVAILABLE "
                        "said=\"The disk is full\" do=\"look at the disk"));
  EXPECT_THAT(log.Counts(), ElementsAre(Pair("trouble.edit", 1)));
}

TEST(LogTest, NothingThatAnybodyWroteReachesALine) {
  const Lines lines(spdlog::level::trace);
  server::Log log;
  for (const absl::Status& status :
       {Refuse(sync::v1::BAD_VALUE, "张三"), Refuse(sync::v1::SERVER_FAULT, "张三"),
        absl::InvalidArgumentError("张三"), absl::NotFoundError("张三"),
        absl::FailedPreconditionError("张三")}) {
    log.OnTrouble({.what = Trouble::What::kFault, .status = status});
    log.OnTrouble({.what = Trouble::What::kSession, .status = status});
  }
  EXPECT_THAT(lines.text(), Not(HasSubstr("张三")));
  EXPECT_THAT(lines.text(), HasSubstr("said=\"BAD_VALUE\""));
}

TEST(LogTest, ADamagedRowIsOneLineHoweverOftenItIsMet) {
  const Lines lines(spdlog::level::info);
  server::Log log;
  const server::Damage damage{.device = DeviceNumber(7), .edit = EditNumber(12)};
  server::Damage of_edit = damage;
  of_edit.what = server::Damage::What::kEdit;
  for (int i = 0; i < 3; ++i) log.OnDamage(of_edit);
  EXPECT_EQ(lines.text(),
            "error damage what=\"edit 12 of device 7\" do=\"run zhibu admin check; restore the "
            "newest backup (docs/operating.md)\"\n");
  EXPECT_THAT(log.Counts(), ElementsAre(Pair("damage.edit", 3)));
}

class ObserverTest : public Village {
 protected:
  Environment ForThreads() const {
    const int64_t now_ms = world.now_ms();
    return {.now_ms = [now_ms] { return now_ms; },
            .random_bytes = SystemEnvironment().random_bytes};
  }
};

TEST_F(ObserverTest, IsToldWhyAnEditWasRefused) {
  wangs.Change<Organisation>(branch, [](Organisation& own) { own.set_name("王家"); });
  ASSERT_EQ(world.Sync(wangs), absl::OkStatus());
  EXPECT_THAT(world.heard().refused(), ElementsAre(sync::v1::NOT_ENTITLED));
}

TEST_F(ObserverTest, IsToldWhyASessionEnded) {
  world.Revoke(wangs.number());
  EXPECT_FALSE(world.Sync(wangs).ok());
  EXPECT_THAT(world.heard().refused(), Contains(sync::v1::DEVICE_REVOKED));
}

TEST_F(ObserverTest, IsToldWhyAQuestionWasRefused) {
  Stream stream(&world, &wangs);
  stream.Run();
  sync::v1::Ask ask;
  ask.set_type(1);
  ask.set_organisation_id(std::string(16, 'x'));
  stream.client().Ask(ask);
  stream.Run();
  EXPECT_THAT(world.heard().refused(), Contains(sync::v1::ASK_NOT_BELOW));
}

TEST_F(ObserverTest, IsToldWhyADeviceOrABundleWasRefused) {
  Heard heard;
  server::Ingest ingest(world.schema(), ForThreads(), &heard);
  server::Hub hub(&world.store(), &ingest, ForThreads(), {}, &heard);
  server::Admin admin(&hub);
  sync::v1::EnrolRequest request;
  request.set_code("no such code");
  EXPECT_FALSE(admin.EnrolDevice(request).ok());
  EXPECT_FALSE(hub.Deliver("rubbish", "10.0.0.1").ok());
  hub.Stop();
  EXPECT_THAT(heard.refused(), ElementsAre(sync::v1::BAD_CODE, sync::v1::COURIER_DAMAGED));
}

}  // namespace
}  // namespace zhibu::test
