// What cannot be is refused on the device, offline and in words, wherever it holds what it
// takes to tell; what it cannot tell is left to the server.
#include "sync/base/reason.h"
#include "sync/rules/flow.h"
#include "tests/support/migration.h"

namespace zhibu::test {
namespace {

class RulesOnDevice : public Migration {
 protected:
  // The secretary's, as an app has it. What the other branch has is not here.
  std::unique_ptr<client::Store> Open() {
    auto store = client::Store::Open({.file = zhangs.file(),
                                      .schema = world.schema(),
                                      .environment = zhangs.store().environment(),
                                      .key = kPhoneKey});
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  template <typename T, typename Fill>
  std::string Try(Fill fill) {
    client::Draft draft = store->New<T>();
    fill(draft.message<T>());
    const auto number = store->Commit({&draft});
    return number.ok() ? "COMMITTED" : sync::v1::Reason_Name(ReasonOf(number.status()).reason);
  }
  std::string TryLetter(const Id& member, const Id& from, const std::string& until) {
    return Try<Transfer>([&](Transfer& letter) {
      letter.set_member_id(member.str());
      letter.set_from_branch_id(from.str());
      letter.set_to_branch_id(host.str());
      letter.set_letter_number("鄂组介 2026-17");
      letter.set_issued("2026-11-18");
      letter.set_valid_until(until);
      letter.set_state(Transfer::ISSUED);
    });
  }
  std::string TryPass(const Id& member, const Id& by) {
    return Try<Pass>([&](Pass& pass) {
      pass.set_number("青石 001");
      pass.set_member_id(member.str());
      pass.set_branch_id(by.str());
      pass.set_from("2026-11-18");
      pass.set_until("2026-12-18");
      pass.set_state(Pass::ISSUED);
    });
  }

  const std::unique_ptr<client::Store> store = Open();
};

TEST_F(RulesOnDevice, ALetterThatIsTooLongIsRefusedAndNothingOfItStays) {
  EXPECT_EQ(TryLetter(wang, branch, "2027-02-17"), "LETTER_TOO_LONG");
  EXPECT_EQ(store->State()->unsent, 0u);
  EXPECT_TRUE(zhangs.All<Transfer>().empty());
  EXPECT_EQ(TryLetter(wang, branch, "2027-02-15"), "COMMITTED");
  ExpectConverged();
  EXPECT_TRUE(zhangs.SetAside().empty());
}

TEST_F(RulesOnDevice, ARefusalIsInWords) {
  client::Draft draft = store->New<Flow>();
  auto& stay = draft.message<Flow>();
  stay.set_member_id(wang.str());
  stay.set_home_branch_id(branch.str());
  stay.set_host_branch_id(branch.str());
  stay.set_state(Flow::REPORTED);
  const Refused refused = ReasonOf(store->Commit({&draft}).status());
  EXPECT_EQ(refused.reason, sync::v1::BAD_VALUE);
  EXPECT_THAT(WordsFor(refused.reason, refused.detail).zh(),
              ::testing::HasSubstr("host_branch_id"));
}

TEST_F(RulesOnDevice, AnEditMovesFewPeopleAndSaysHowMany) {
  std::vector<client::Draft> stays;
  std::vector<client::Draft*> edit;
  stays.reserve(kMovesMax + 1);
  for (int i = 0; i <= kMovesMax; ++i) {
    stays.push_back(store->New<Flow>());
    auto& stay = stays.back().message<Flow>();
    stay.set_member_id(wang.str());
    stay.set_home_branch_id(branch.str());
    stay.set_host_branch_id(host.str());
    stay.set_state(Flow::REPORTED);
    edit.push_back(&stays.back());
  }
  const Refused refused = ReasonOf(store->Commit(edit).status());
  EXPECT_EQ(refused.reason, sync::v1::TOO_LARGE);
  EXPECT_THAT(WordsFor(refused.reason, refused.detail).zh(), ::testing::HasSubstr("> 20"));
}

TEST_F(RulesOnDevice, AStepOfARecordThatIsHereIsJudgedAsItIsNow) {
  const Id letter = Issue(zhangs, host);
  world.SyncAll();
  world.Wait(int64_t{200} * 86'400'000);
  auto draft = store->Edit<Transfer>(letter);
  ASSERT_TRUE(draft.ok()) << draft.status();
  draft->message<Transfer>().set_state(Transfer::RECEIVED);
  EXPECT_EQ(ReasonOf(store->Commit({&*draft}).status()).reason, sync::v1::LETTER_EXPIRED);
}

TEST_F(RulesOnDevice, WhoBelongsElsewhereIsKnownWhereTheirPlacementIsHere) {
  EXPECT_EQ(TryPass(wang, host), "NOT_OF_BRANCH");
  EXPECT_EQ(TryPass(wang, branch), "COMMITTED");
}

TEST_F(RulesOnDevice, OfWhomNothingIsHereTheServerJudges) {
  EXPECT_EQ(TryPass(chen, branch), "COMMITTED");
  world.SyncAll();
  EXPECT_THAT(zhangs.SetAside(), ::testing::ElementsAre("1 RETURNED NOT_OF_BRANCH"));
}

// A letter that is received moves the member, once the server has heard of it.
TEST_F(RulesOnDevice, AfterAnUnsentEditNobodyHereCanTellWhereSomebodyBelongs) {
  MakeMeeting(zhangs);
  EXPECT_EQ(TryPass(wang, host), "COMMITTED");
  EXPECT_EQ(TryLetter(wang, branch, "2027-02-17"), "LETTER_TOO_LONG") << "that can be told";
}

}  // namespace
}  // namespace zhibu::test
