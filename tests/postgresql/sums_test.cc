// Sums where several servers write at once, and make them anew at once.
#include "tests/server/sums.h"

#include <gmock/gmock.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/figures/making.h"
#include "server/ingest/own_chain.h"
#include "sync/merge/own_edit.h"

namespace zhibu::test {
namespace {

using ::testing::IsEmpty;

// Another server on the world's database.
class Another {
 public:
  explicit Another(World& world)
      : world_(world),
        store_(*World::open_store(world.server_file(), server::Observer::None())),
        ingest_(world.schema(), SystemEnvironment(), server::Observer::None(), rules::ShippedBook(),
                *server::EnsureOwnChain(*store_, SystemEnvironment(), {})) {}

  server::Store& store() { return *store_; }

  absl::Status Commit(const google::protobuf::Message& message) {
    const RecordType& type = *world_.schema()->Find(message.GetDescriptor());
    sync::v1::Edit edit;
    AddChange(type, SystemEnvironment().NewId(), RecordState(), message, &edit);
    return ingest_.CommitOwn(*store_, edit).status();
  }
  absl::Status MakeSums(size_t at_once, std::atomic<int>* steps) {
    while (true) {
      ASSIGN_OR_RETURN(const bool made,
                       server::MakeSums(*store_, *world_.schema(), rules::ShippedBook(), at_once));
      if (made) return absl::OkStatus();
      ++*steps;
    }
  }

 private:
  World& world_;
  const std::unique_ptr<server::Store> store_;
  const server::Ingest ingest_;
};

class SumsOfSeveral : public Sums {
 protected:
  DuesPayment Paid(const Id& by, int month) const {
    DuesPayment paid;
    paid.set_branch_id(branch.str());
    paid.set_member_id(by.str());
    paid.set_amount_fen(100);
    paid.set_month(absl::StrCat("2026-0", month));
    return paid;
  }
  Meeting Held(const Id& by) const {
    Meeting meeting;
    meeting.set_branch_id(by.str());
    meeting.set_state(Meeting::HELD);
    meeting.mutable_starts_at()->set_seconds(BeginningOf(*DayFrom("2026-03-31")) / 1000);
    return meeting;
  }
  // As an update does that brings other figures.
  void Forget() {
    EXPECT_EQ(world.store().Write([](server::Writer& writer) {
      return server::PutSumsState(writer, stored::v1::SumsState());
    }),
              absl::OkStatus());
  }

  const Id other = world.Branch("白水村党支部");
  Another first{world};
  Another second{world};
};

TEST_F(SumsOfSeveral, WhoWriteAtOnceAreWhatIsCountedFromNothing) {
  constexpr int kEach = 25;
  std::vector<std::thread> servers;
  for (Another* server : {&first, &second}) {
    servers.emplace_back([&, server] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_EQ(server->Commit(Held(i % 5 == 0 ? other : branch)), absl::OkStatus());
        EXPECT_EQ(server->Commit(Paid(zhang, 1 + i % 9)), absl::OkStatus());
      }
    });
  }
  for (std::thread& server : servers) server.join();
  EXPECT_EQ(Kept("meeting.held"), 2 * kEach * 4 / 5);
  EXPECT_EQ(Kept("dues.paid"), 2 * kEach * 100);
  EXPECT_THAT(Wrong(), IsEmpty());
}

TEST_F(SumsOfSeveral, WhoMakeThemAnewAtOnceAreRightAndFollowTheEditsMeanwhile) {
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(first.Commit(Held(i % 2 == 0 ? branch : other)), absl::OkStatus());
    ASSERT_EQ(first.Commit(Paid(zhang, 1 + i % 9)), absl::OkStatus());
  }
  Forget();
  ASSERT_EQ(server::BeginSums(first.store(), rules::ShippedBook()), absl::OkStatus());
  ASSERT_EQ(server::BeginSums(second.store(), rules::ShippedBook()), absl::OkStatus());
  std::atomic<int> by_first = 0, by_second = 0;
  std::thread one([&] { EXPECT_EQ(first.MakeSums(3, &by_first), absl::OkStatus()); });
  std::thread two([&] { EXPECT_EQ(second.MakeSums(3, &by_second), absl::OkStatus()); });
  Another third(world);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(third.Commit(Held(branch)), absl::OkStatus());
    EXPECT_EQ(third.Commit(Paid(li, 1 + i % 9)), absl::OkStatus());
  }
  one.join();
  two.join();
  std::cout << by_first << " and " << by_second << " steps" << std::endl;
  EXPECT_GT(by_first + by_second, 60 / 3);
  EXPECT_EQ(Kept("meeting.held"), 15 + 20);
  EXPECT_EQ(Kept("dues.paid"), (30 + 20) * 100);
  EXPECT_THAT(Wrong(), IsEmpty());
}

}  // namespace
}  // namespace zhibu::test
