// A store that is taken into another is the same there, wherever the move breaks off.
#include "server/store/relocation.h"

#include <gmock/gmock.h>

#include <memory>

#include "server/store/sqlite/store.h"
#include "tests/server/relocated.h"

namespace zhibu::server {
namespace {

class RelocationTest : public testing::Test {
 protected:
  std::unique_ptr<Store> Open(const std::string& name) {
    auto store = OpenSqliteStore(folder_.File(name), {.key = std::string(32, 'k')});
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  absl::Status Move() { return Relocate(*source_, *target_, TestBytes).status(); }

  const RelocationFolder folder_;
  const std::unique_ptr<Store> source_ = FilledWithAllParts(Open("source"));
  const std::unique_ptr<Store> target_ = Open("target");
};

TEST_F(RelocationTest, AllThatAStoreKeepsIsInTheOtherAndItServesNobodyAnyMore) {
  const std::string before = TellAll(*source_);
  const auto moved = Relocate(*source_, *target_, TestBytes);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_GT(moved->rows, 500u);
  EXPECT_EQ(TellAll(*target_), before);
  EXPECT_EQ(TakeIntoService(*target_, false), absl::OkStatus());
  EXPECT_EQ(TakeIntoService(*source_, false).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Move().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TakeIntoService(*source_, true), absl::OkStatus()) << "as though it had been restored";
}

TEST_F(RelocationTest, WhereverItBreaksOffItGoesOnThere) {
  const std::string before = TellAll(*source_);
  int breaks = 0;
  for (; breaks < 100; ++breaks) {
    BreaksAfter breaking(*target_, 3);
    if (Relocate(*source_, breaking, TestBytes).ok()) break;
    EXPECT_EQ(TakeIntoService(*target_, true).code(), absl::StatusCode::kFailedPrecondition)
        << "it is not whole";
  }
  EXPECT_GT(breaks, 3);
  EXPECT_LT(breaks, 100);
  EXPECT_EQ(TellAll(*target_), before);
  EXPECT_EQ(TakeIntoService(*target_, false), absl::OkStatus());
}

TEST_F(RelocationTest, AStoreThatWasServedFromMeanwhileIsNotGoneOnWith) {
  BreaksAfter breaking(*target_, 4);
  ASSERT_FALSE(Relocate(*source_, breaking, TestBytes).ok());
  ASSERT_EQ(TakeIntoService(*source_, false), absl::OkStatus());
  EXPECT_EQ(Move().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TakeIntoService(*source_, false), absl::OkStatus()) << "and can be served from";
}

// The last that is read before the source is marked is the target, for its digest.
class ServedMeanwhile : public BreaksAfter {
 public:
  ServedMeanwhile(Store& target, Store& source) : BreaksAfter(target, 1000), source_(source) {}
  absl::Status Read(absl::FunctionRef<absl::Status(Reader&)> body) override {
    EXPECT_EQ(TakeIntoService(source_, false), absl::OkStatus());
    return BreaksAfter::Read(body);
  }

 private:
  Store& source_;
};

TEST_F(RelocationTest, AServerThatBeganAtTheLastMomentIsNotLeftWithAStoreThatIsGone) {
  ServedMeanwhile target(*target_, *source_);
  EXPECT_EQ(Relocate(*source_, target, TestBytes).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TakeIntoService(*source_, false), absl::OkStatus());
  EXPECT_EQ(TakeIntoService(*target_, false).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RelocationTest, AStoreThatHasSomethingIsNotMovedInto) {
  ASSERT_EQ(target_->Write([](Writer& writer) { return writer.PutMark("mark", Named("ann")); }),
            absl::OkStatus());
  EXPECT_EQ(Move().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TakeIntoService(*source_, false), absl::OkStatus());
  EXPECT_EQ(TakeIntoService(*target_, false), absl::OkStatus());
}

// What comes after the move is numbered on from what came before it.
TEST_F(RelocationTest, VersionsDevicesAndChainsGoOn) {
  ASSERT_EQ(Move(), absl::OkStatus());
  EXPECT_EQ(target_
                ->Write([](Writer& writer) -> absl::Status {
                  ASSIGN_OR_RETURN(const Version last, writer.ScopeVersion(Named("east")));
                  ASSIGN_OR_RETURN(const Version next,
                                   writer.NextVersion({{Named("east")}}, Version()));
                  EXPECT_GT(next, last);
                  ASSIGN_OR_RETURN(const DeviceNumber device, writer.NextDevice());
                  EXPECT_EQ(device, DeviceNumber(9));
                  AuditRow again;
                  again.device = DeviceNumber(7);
                  again.number = EditNumber(1);
                  EXPECT_EQ(writer.AppendAudit(again).code(), absl::StatusCode::kAlreadyExists);
                  return absl::CancelledError();
                })
                .code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace zhibu::server
