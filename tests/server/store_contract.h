// What store.h promises, as situations. Every implementation passes the same:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(StoreKind{"Sqlite", make}),
//                            StoreKindName);
#ifndef ZHIBU_TESTS_SERVER_STORE_CONTRACT_H_
#define ZHIBU_TESTS_SERVER_STORE_CONTRACT_H_

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/store/store.h"
#include "sync/base/status.h"
#include "sync/crypto/handshake.h"
#include "tests/server/store_words.h"

namespace zhibu::server {

// Where one test's store lies; empty at first, gone with the place.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  // The same store each time.
  virtual std::unique_ptr<Store> Open() = 0;
  // Where a backup can be made, and what was backed up there, as a store.
  virtual std::string BackupName() = 0;
  virtual std::unique_ptr<Store> OpenBackup() = 0;
};

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<StorePlace>()> make;
};

inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }
inline std::string StoreKindName(const testing::TestParamInfo<StoreKind>& info) {
  return info.param.name;
}

class StoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  using Names = std::vector<std::string>;

  void SetUp() override {
    place_ = GetParam().make();
    store_ = place_->Open();
    ASSERT_NE(store_, nullptr);
  }

  void Reopen() {
    store_.reset();
    store_ = place_->Open();
    ASSERT_NE(store_, nullptr);
  }

  static std::vector<Id> Ids(const Names& names) {
    std::vector<Id> ids;
    for (const std::string& name : names) ids.push_back(Named(name));
    return ids;
  }

  // The version that all of `before` and `after` have moved to.
  static absl::StatusOr<Version> PutIn(Writer& writer, const RecordKey& key, absl::string_view body,
                                       const Names& before, const Names& after) {
    std::vector<Id> scopes = Ids(before);
    for (const Id& scope : Ids(after)) scopes.push_back(scope);
    ASSIGN_OR_RETURN(Version version, writer.NextVersion(scopes, Version()));
    RETURN_IF_ERROR(writer.PutRecord(key, Written(version, body), Ids(before), Shown(Ids(after))));
    return version;
  }

  // In a transaction of its own; the version, or 0 if it failed.
  uint64_t Put(const RecordKey& key, absl::string_view body, const Names& before,
               const Names& after) {
    Version version;
    EXPECT_EQ(store_->Write([&](Writer& writer) -> absl::Status {
      ASSIGN_OR_RETURN(version, PutIn(writer, key, body, before, after));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return version.value;
  }
  uint64_t Put(absl::string_view name, absl::string_view body, const Names& scopes) {
    return Put({kMeeting, Named(name)}, body, scopes, scopes);
  }

  // Reads one thing in a snapshot of its own.
  template <typename Body>
  auto Read(Body body) -> typename decltype(body(std::declval<Reader&>()))::value_type {
    typename decltype(body(std::declval<Reader&>()))::value_type value{};
    EXPECT_EQ(store_->Read([&](Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(value, body(reader));
      return absl::OkStatus();
    }),
              absl::OkStatus());
    return value;
  }
  std::string Feed(absl::string_view scope, uint64_t after = 0) {
    return Read([&](Reader& reader) { return FeedOf(reader, scope, after); });
  }
  std::string List(uint32_t type, std::optional<absl::string_view> scope = std::nullopt) {
    return Read([&](Reader& reader) { return ListOf(reader, type, scope); });
  }
  uint64_t VersionOf(absl::string_view scope) {
    return Read([&](Reader& reader) { return reader.ScopeVersion(Named(scope)); }).value;
  }
  uint64_t Count(absl::string_view scope, uint64_t after) {
    return Read([&](Reader& reader) {
      return reader.CountFeed(Named(scope), Version(after), kAllOffices);
    });
  }
  bool EverIn(absl::string_view scope, absl::string_view name) {
    return Read([&](Reader& reader) {
      return reader.EverIn(Named(scope), {kMeeting, Named(name)});
    });
  }
  RecordState Get(absl::string_view name) {
    return Read([&](Reader& reader) { return reader.GetRecord({kMeeting, Named(name)}); });
  }

  absl::Status Write(absl::FunctionRef<absl::Status(Writer&)> body) { return store_->Write(body); }

  std::unique_ptr<StorePlace> place_;
  std::unique_ptr<Store> store_;
};

// --- Transactions -------------------------------------------------------------

TEST_P(StoreContract, AnEmptyStoreHasNothing) {
  EXPECT_FALSE(Get("ann").exists);
  EXPECT_EQ(VersionOf("east"), 0);
  EXPECT_EQ(Feed("east"), "");
  EXPECT_EQ(Count("east", 0), 0);
  EXPECT_EQ(List(kMeeting), "");
  EXPECT_EQ(List(kMeeting, "east"), "");
}

TEST_P(StoreContract, ARecordComesBackWhole) {
  RecordState put = Written(Version(1), std::string("a\0b\xff", 4));
  put.deletion = Touch{Version(9), DeviceNumber(4000000000u), Stamp(uint64_t{1} << 63)};
  put.trace = "";
  ASSERT_EQ(Write([&](Writer& writer) {
              return writer.PutRecord({kMeeting, Named("ann")}, put, {}, {});
            }),
            absl::OkStatus());
  RecordState got = Get("ann");
  EXPECT_TRUE(got.exists);
  EXPECT_EQ(got.touch, put.touch);
  EXPECT_EQ(got.deletion, put.deletion);
  EXPECT_EQ(got.body, put.body);
  EXPECT_EQ(got.trace, put.trace);
}

TEST_P(StoreContract, TheSameIdUnderAnotherTypeIsAnotherRecord) {
  Put({kMeeting, Named("ann")}, "meeting", {"east"}, {"east"});
  Put({kMember, Named("ann")}, "member", {"east"}, {"east"});
  EXPECT_EQ(Feed("east"), "1 31/ann=meeting, 2 20/ann=member");
}

TEST_P(StoreContract, AnErrorFromTheBodyLeavesNothing) {
  Put("ann", "before", {"east"});
  EXPECT_EQ(
      Write([&](Writer& writer) -> absl::Status {
        RETURN_IF_ERROR(
            PutIn(writer, {kMeeting, Named("ann")}, "after", {"east"}, {"west"}).status());
        RETURN_IF_ERROR(PutIn(writer, {kMeeting, Named("bob")}, "new", {}, {"east"}).status());
        RETURN_IF_ERROR(writer.NextDevice().status());
        RETURN_IF_ERROR(writer.PutSetting("server", "x"));
        RETURN_IF_ERROR(writer.PutCode({"1234", Named("ann"), 5}));
        return absl::PermissionDeniedError("no");
      }),
      absl::PermissionDeniedError("no"));
  EXPECT_EQ(Feed("east"), "1 31/ann=before");
  EXPECT_EQ(Feed("west"), "");
  EXPECT_EQ(VersionOf("west"), 0);
  EXPECT_EQ(List(kMeeting), "ann=before");
  EXPECT_EQ(Read([](Reader& reader) { return reader.GetSetting("server"); }), "");
  EXPECT_EQ(Write([](Writer& writer) { return writer.TakeCode("1234").status(); }).code(),
            absl::StatusCode::kNotFound);
  // And the next may write.
  EXPECT_EQ(Put("bob", "new", {"east"}), 2);
}

TEST_P(StoreContract, WhatWasWrittenSurvivesReopening) {
  Put("ann", "hello", {"east"});
  Reopen();
  EXPECT_EQ(Get("ann").body, "hello");
  EXPECT_EQ(Feed("east"), "1 31/ann=hello");
  EXPECT_EQ(VersionOf("east"), 1);
}

TEST_P(StoreContract, ATransactionReadsWhatItHasWritten) {
  Put("ann", "old", {"east"});
  EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(
                  PutIn(writer, {kMeeting, Named("ann")}, "new", {"east"}, {"east"}).status());
              EXPECT_EQ(writer.GetRecord({kMeeting, Named("ann")})->body, "new");
              EXPECT_EQ(writer.ScopeVersion(Named("east"))->value, 2);
              EXPECT_EQ(*FeedOf(writer, "east"), "2 31/ann=new");
              EXPECT_EQ(*ListOf(writer, kMeeting, "east"), "ann=new");
              return absl::OkStatus();
            }),
            absl::OkStatus());
}

TEST_P(StoreContract, ASnapshotDoesNotSeeAWriteThatCommitsMeanwhile) {
  Put("ann", "old", {"east"});
  EXPECT_EQ(store_->Read([&](Reader& reader) -> absl::Status {
    Put("ann", "new", {"east"});  // before the reader has read anything
    EXPECT_EQ(*FeedOf(reader, "east"), "1 31/ann=old");
    Put("bob", "new", {"east"});
    EXPECT_EQ(*FeedOf(reader, "east"), "1 31/ann=old");
    EXPECT_EQ(reader.ScopeVersion(Named("east"))->value, 1);
    return absl::OkStatus();
  }),
            absl::OkStatus());
  EXPECT_EQ(Feed("east"), "2 31/ann=new, 3 31/bob=new");
}

TEST_P(StoreContract, AnErrorFromAReadIsReturned) {
  EXPECT_EQ(store_->Read([](Reader&) { return absl::AbortedError("enough"); }),
            absl::AbortedError("enough"));
  EXPECT_EQ(VersionOf("east"), 0);
}

// --- Feeds --------------------------------------------------------------------

TEST_P(StoreContract, AFeedIsInOrderOfVersionThenTypeThenId) {
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              ASSIGN_OR_RETURN(Version version, writer.NextVersion(Ids({"east"}), Version()));
              for (auto [type, name] : std::vector<std::pair<uint32_t, std::string>>{
                       {kMeeting, "dan"}, {kMeeting, "bob"}, {kMember, "zoe"}, {kMember, "cat"}}) {
                RETURN_IF_ERROR(writer.PutRecord({type, Named(name)}, Written(version, "1"), {},
                                                 Shown(Ids({"east"}))));
              }
              return absl::OkStatus();
            }),
            absl::OkStatus());
  Put("ann", "2", {"east"});
  Put("bob", "3", {"east"});
  EXPECT_EQ(Feed("east"), "1 20/cat=1, 1 20/zoe=1, 1 31/dan=1, 2 31/ann=2, 3 31/bob=3");
}

TEST_P(StoreContract, AFeedGivesOnlyWhatIsPastTheCursor) {
  Put("ann", "1", {"east"});
  Put("bob", "2", {"east"});
  Put("cat", "3", {"east"});
  EXPECT_EQ(Feed("east", 1), "2 31/bob=2, 3 31/cat=3");
  EXPECT_EQ(Count("east", 1), 2);
  EXPECT_EQ(Feed("east", 3), "");
  EXPECT_EQ(Count("east", 3), 0);
  EXPECT_EQ(Feed("east", kPendingVersion.value), "");
  EXPECT_EQ(Count("east", kPendingVersion.value), 0);
}

TEST_P(StoreContract, AScopeKnowsWhatLiesAndWhatOnceLayInIt) {
  Put("ann", "1", {"east"});
  Put("bob", "1", {"west"});
  EXPECT_TRUE(EverIn("east", "ann"));
  EXPECT_FALSE(EverIn("east", "bob"));
  EXPECT_FALSE(EverIn("nowhere", "ann"));
  Put({kMeeting, Named("ann")}, "2", {"east"}, {"west"});
  EXPECT_TRUE(EverIn("east", "ann"));
  EXPECT_TRUE(EverIn("west", "ann"));
}

TEST_P(StoreContract, AFeedStopsWhenToldTo) {
  for (const char* name : {"ann", "bob", "cat"}) Put(name, "x", {"east"});
  int seen = 0;
  EXPECT_EQ(store_->Read([&](Reader& reader) {
    return reader.ReadFeed(Named("east"), Version(0), kAllOffices,
                           [&](const FeedRow&) { return ++seen < 2; });
  }),
            absl::OkStatus());
  EXPECT_EQ(seen, 2);
}

TEST_P(StoreContract, WhileAFeedIsReadTheReaderMayReadOn) {
  for (const char* name : {"ann", "bob"}) Put(name, "x", {"east"});
  std::vector<std::string> seen;
  EXPECT_EQ(store_->Read([&](Reader& reader) {
    return reader.ReadFeed(Named("east"), Version(0), kAllOffices, [&](const FeedRow& row) {
      seen.push_back(absl::StrCat(NameOf(row.key.id), ": ", *FeedOf(reader, "east", 1)));
      return true;
    });
  }),
            absl::OkStatus());
  EXPECT_THAT(seen, testing::ElementsAre("ann: 2 31/bob=x", "bob: 2 31/bob=x"));
}

TEST_P(StoreContract, ARecordHasOneRowInAFeedHoweverOftenItChanges) {
  for (int i = 1; i <= 50; ++i) Put("ann", absl::StrCat(i), {"east"});
  EXPECT_EQ(Feed("east"), "50 31/ann=50");
  EXPECT_EQ(Feed("east", 49), "50 31/ann=50");
  EXPECT_EQ(Count("east", 0), 1);
}

TEST_P(StoreContract, ARecordLiesInSeveralScopes) {
  Put("ann", "1", {"east", "west"});
  EXPECT_EQ(Feed("east"), "1 31/ann=1");
  EXPECT_EQ(Feed("west"), "1 31/ann=1");
}

TEST_P(StoreContract, ARecordThatMovesLeavesOneScopeAndEntersAnother) {
  Put("ann", "1", {"east"});
  Put("bob", "2", {"east"});
  EXPECT_EQ(Put({kMeeting, Named("ann")}, "3", {"east"}, {"west"}), 3);
  EXPECT_EQ(Feed("east"), "2 31/bob=2, 3 31/ann=3 left");
  EXPECT_EQ(Feed("west"), "3 31/ann=3");
  EXPECT_EQ(VersionOf("east"), 3);
  EXPECT_EQ(VersionOf("west"), 3);
}

TEST_P(StoreContract, WhatHasLeftStaysAtTheVersionAtWhichItLeft) {
  Put("ann", "1", {"east"});
  Put({kMeeting, Named("ann")}, "2", {"east"}, {"west"});
  Put({kMeeting, Named("ann")}, "3", {"west"}, {"west"});
  EXPECT_EQ(Feed("east"), "2 31/ann=3 left");
  EXPECT_EQ(VersionOf("east"), 2);
  EXPECT_EQ(Feed("west"), "3 31/ann=3");
}

TEST_P(StoreContract, ARecordComesBackToAScopeItHadLeft) {
  Put("ann", "1", {"east"});
  Put({kMeeting, Named("ann")}, "2", {"east"}, {"west"});
  Put({kMeeting, Named("ann")}, "3", {"west"}, {"east"});
  EXPECT_EQ(Feed("east"), "3 31/ann=3");
  EXPECT_EQ(Feed("west"), "3 31/ann=3 left");
}

TEST_P(StoreContract, OtherScopesDoNotMove) {
  Put("ann", "1", {"east"});
  Put("bob", "1", {"west"});
  Put("bob", "2", {"west"});
  EXPECT_EQ(Feed("east"), "1 31/ann=1");
  EXPECT_EQ(VersionOf("east"), 1);
}

TEST_P(StoreContract, ADeletedRecordStaysInTheFeedAndIsNotListed) {
  Put("ann", "1", {"east"});
  Put("bob", "2", {"east"});
  ASSERT_EQ(
      Write([&](Writer& writer) -> absl::Status {
        ASSIGN_OR_RETURN(RecordState ann, writer.GetRecord({kMeeting, Named("ann")}));
        ASSIGN_OR_RETURN(Version version, writer.NextVersion(Ids({"east"}), Version()));
        ann.deletion = Touch{version, DeviceNumber(7), StampAt(5)};
        return writer.PutRecord({kMeeting, Named("ann")}, ann, Ids({"east"}), Shown(Ids({"east"})));
      }),
      absl::OkStatus());
  EXPECT_EQ(Feed("east"), "2 31/bob=2, 3 31/ann=1 deleted");
  EXPECT_EQ(List(kMeeting, "east"), "bob=2");
  EXPECT_EQ(List(kMeeting), "bob=2");
  // Somebody changes it whom the deletion had not seen.
  Put("ann", "4", {"east"});
  EXPECT_EQ(List(kMeeting, "east"), "ann=4, bob=2");
}

TEST_P(StoreContract, ListsAreOfOneTypeInOneScopeByIdAndOnlyWhatLiesThere) {
  Put({kMeeting, Named("dan")}, "1", {"east"}, {"east"});
  Put({kMeeting, Named("ann")}, "2", {"east"}, {"east"});
  Put({kMember, Named("bob")}, "3", {"east"}, {"east"});
  Put({kMeeting, Named("cat")}, "4", {"west"}, {"west"});
  Put({kMeeting, Named("eve")}, "5", {"east"}, {"east"});
  Put({kMeeting, Named("eve")}, "6", {"east"}, {"west"});
  EXPECT_EQ(List(kMeeting, "east"), "ann=2, dan=1");
  EXPECT_EQ(List(kMember, "east"), "bob=3");
  EXPECT_EQ(List(kMeeting, "west"), "cat=4, eve=6");
  EXPECT_EQ(List(kMeeting), "ann=2, cat=4, dan=1, eve=6");
}

// --- Versions -----------------------------------------------------------------

TEST_P(StoreContract, WhoWatchesIsToldOfTheScopesThatATransactionHasMovedOnceItIsIn) {
  struct Told : Watcher {
    void OnMoved(const absl::flat_hash_set<Id>& scopes) override {
      std::set<std::string> names;
      for (const Id& scope : scopes) names.insert(NameOf(scope));
      told.push_back(absl::StrJoin(names, " "));
    }
    std::vector<std::string> told;
  } watcher;
  const auto move = [](Writer& writer, const std::vector<Id>& scopes) {
    return writer.NextVersion(scopes, Version()).status();
  };
  store_->Watch(&watcher);
  EXPECT_EQ(store_->Write([&](Writer& writer) -> absl::Status {
    RETURN_IF_ERROR(move(writer, {Named("ann"), Named("bob")}));
    EXPECT_EQ(watcher.told, std::vector<std::string>());
    const absl::Status undone = writer.Attempt([&]() -> absl::Status {
      RETURN_IF_ERROR(move(writer, {Named("eve")}));
      return absl::CancelledError("");
    });
    EXPECT_TRUE(absl::IsCancelled(undone));
    return writer.Attempt([&] { return move(writer, {Named("cat")}); });
  }),
            absl::OkStatus());
  EXPECT_EQ(watcher.told, std::vector<std::string>{"ann bob cat"});

  EXPECT_FALSE(store_
                   ->Write([&](Writer& writer) -> absl::Status {
                     RETURN_IF_ERROR(move(writer, {Named("ann")}));
                     return absl::CancelledError("");
                   })
                   .ok());
  EXPECT_EQ(store_->Write([](Writer& writer) { return writer.PutSetting("a", "b"); }),
            absl::OkStatus());
  store_->StopWatching(&watcher);
  EXPECT_EQ(store_->Write([&](Writer& writer) { return move(writer, {Named("dan")}); }),
            absl::OkStatus());
  EXPECT_EQ(watcher.told.size(), 1u) << "neither what failed, nor what moves nothing, nor later";
}

TEST_P(StoreContract, AVersionIsAboveThatOfEveryScopeItMoves) {
  for (int i = 0; i < 5; ++i) Put("ann", "x", {"east"});
  Put("bob", "x", {"west"});
  EXPECT_EQ(Put("cat", "x", {"east", "west", "new"}), 6);
  EXPECT_EQ(VersionOf("east"), 6);
  EXPECT_EQ(VersionOf("west"), 6);
  EXPECT_EQ(VersionOf("new"), 6);
  EXPECT_EQ(Put("bob", "x", {"west"}), 7);
  EXPECT_EQ(VersionOf("east"), 6);
}

TEST_P(StoreContract, TwoVersionsInOneTransactionDiffer) {
  EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
              EXPECT_EQ(writer.NextVersion(Ids({"east"}), Version())->value, 1);
              EXPECT_EQ(writer.NextVersion(Ids({"east", "west", "east"}), Version())->value, 2);
              EXPECT_EQ(writer.NextVersion(Ids({"west"}), Version())->value, 3);
              return absl::OkStatus();
            }),
            absl::OkStatus());
  EXPECT_EQ(VersionOf("east"), 2);
  EXPECT_EQ(VersionOf("west"), 3);
}

TEST_P(StoreContract, NoVersionIsGivenTwiceEvenIfNothingWasPutAtIt) {
  EXPECT_EQ(
      Write([&](Writer& writer) { return writer.NextVersion(Ids({"east"}), Version()).status(); }),
      absl::OkStatus());
  Reopen();
  EXPECT_EQ(Put("ann", "x", {"east"}), 2);
}

TEST_P(StoreContract, AVersionThatNobodyGaveIsRefused) {
  EXPECT_EQ(Write([&](Writer& writer) {
              return writer.PutRecord({kMeeting, Named("ann")}, Written(kPendingVersion, "x"), {},
                                      Shown(Ids({"east"})));
            }).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(Get("ann").exists);
}

// --- Devices ------------------------------------------------------------------

inline DeviceRow Phone(uint32_t number, absl::string_view name) {
  DeviceRow device;
  device.number = DeviceNumber(number);
  device.public_key = std::string(32, 'k');
  device.person = Named("ann");
  device.record = Named("phone");
  device.name = std::string(name);
  device.enrolled_ms = 1700000000000;
  device.last_seen_ms = 1700000000001;
  device.last_number = EditNumber(12);
  return device;
}

TEST_P(StoreContract, ADeviceComesBackWholeAndCanBeChanged) {
  DeviceRow put = Phone(2, "安的手机");
  ASSERT_EQ(Write([&](Writer& writer) { return writer.PutDevice(put); }), absl::OkStatus());
  put.standing = DeviceRow::Standing::kLost;
  put.last_number = EditNumber(13);
  ASSERT_EQ(Write([&](Writer& writer) { return writer.PutDevice(put); }), absl::OkStatus());
  Reopen();
  auto got = Read([](Reader& reader) { return reader.GetDevice(DeviceNumber(2)); });
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->number, put.number);
  EXPECT_EQ(got->public_key, put.public_key);
  EXPECT_EQ(got->person, put.person);
  EXPECT_EQ(got->record, put.record);
  EXPECT_EQ(got->name, put.name);
  EXPECT_EQ(got->standing, put.standing);
  EXPECT_EQ(got->enrolled_ms, put.enrolled_ms);
  EXPECT_EQ(got->last_seen_ms, put.last_seen_ms);
  EXPECT_EQ(got->last_number, EditNumber(13));
  EXPECT_EQ(Read([](Reader& reader) { return reader.GetDevice(DeviceNumber(3)); }), std::nullopt);
}

TEST_P(StoreContract, ADeviceIsFoundByItsKeyAndByItsRecordUnderEachOfItsNumbers) {
  ASSERT_EQ(Write([](Writer& writer) -> absl::Status {
              for (const uint32_t number : {5u, 2u, 3u}) {
                DeviceRow row = Phone(number, "phone");
                row.public_key = number == 3 ? "another key" : "key";
                row.record = Named(number == 3 ? "r3" : "r2");
                RETURN_IF_ERROR(writer.PutDevice(row));
              }
              return absl::OkStatus();
            }),
            absl::OkStatus());
  Reopen();
  const auto numbers = [](const std::vector<DeviceRow>& rows) {
    std::vector<uint32_t> all;
    for (const DeviceRow& row : rows) all.push_back(row.number.value);
    return all;
  };
  EXPECT_EQ(numbers(Read([](Reader& reader) { return reader.DevicesWithKey("key"); })),
            (std::vector<uint32_t>{2, 5}));
  EXPECT_EQ(numbers(Read([](Reader& reader) { return reader.DevicesWithRecord(Named("r3")); })),
            std::vector<uint32_t>{3});
  EXPECT_TRUE(Read([](Reader& reader) { return reader.DevicesWithKey("no key"); }).empty());
}

TEST_P(StoreContract, ATypeMovesWithEachTransactionThatWritesIt) {
  const auto moves = [&](uint32_t type) {
    return Read([&](Reader& reader) { return reader.MovesOf(type); });
  };
  EXPECT_EQ(moves(kMeeting), 0);
  Put("first", "x", {"east"});
  const int64_t once = moves(kMeeting);
  EXPECT_GT(once, 0);
  EXPECT_EQ(moves(kMeeting + 1), 0);
  Put("second", "x", {"west"});
  EXPECT_GT(moves(kMeeting), once);
  EXPECT_EQ(moves(kMeeting), moves(kMeeting));
}

TEST_P(StoreContract, DevicesAreListedByNumber) {
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(writer.PutDevice(Phone(10, "ten")));
              return writer.PutDevice(Phone(9, "nine"));
            }),
            absl::OkStatus());
  std::vector<std::string> names;
  for (const DeviceRow& device : Read([](Reader& reader) { return reader.ListDevices(); })) {
    names.push_back(device.name);
  }
  EXPECT_THAT(names, testing::ElementsAre("nine", "ten"));
}

TEST_P(StoreContract, ADeviceNumberIsNeverGivenTwice) {
  auto next = [&] {
    uint32_t number = 0;
    EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
                ASSIGN_OR_RETURN(DeviceNumber given, writer.NextDevice());
                number = given.value;
                return absl::OkStatus();
              }),
              absl::OkStatus());
    return number;
  };
  EXPECT_EQ(next(), 2);
  EXPECT_EQ(next(), 3);  // though no device was put under 2
  Reopen();
  EXPECT_EQ(next(), 4);
  ASSERT_EQ(Write([&](Writer& writer) { return writer.PutDevice(Phone(20, "restored")); }),
            absl::OkStatus());
  EXPECT_EQ(next(), 21);
  EXPECT_EQ(next(), 22);
}

// --- Audit --------------------------------------------------------------------

inline AuditRow Edit(uint32_t device, uint64_t number, absl::string_view edit) {
  AuditRow row;
  row.device = DeviceNumber(device);
  row.number = EditNumber(number);
  row.received_ms = 1700000000000;
  row.stamp = StampAt(1700000000000, 1);
  row.edit = std::string(edit);
  row.answer.set_number(number);
  row.answer.set_verdict(sync::v1::RETURNED);
  row.answer.set_reason(sync::v1::BAD_VALUE);
  row.answer.set_detail("minutes");
  row.version = Version(5);
  row.chain = std::string("\0chain", 6);
  row.made_ms = 1699999999999;
  row.author = row.device;
  return row;
}

TEST_P(StoreContract, AnAuditRowComesBackWhole) {
  AuditRow put = Edit(2, 1, std::string("\0edit", 5));
  put.author = DeviceNumber(7);
  put.decided_by = Named("ann");
  put.builds_on = {3, 1u << 31};
  put.withdrawn = true;
  put.sent = Version(9);
  put.bases = {0, 7};
  ASSERT_EQ(Write([&](Writer& writer) { return writer.AppendAudit(put); }), absl::OkStatus());
  Reopen();
  auto got = Read([](Reader& reader) { return reader.GetAudit(DeviceNumber(2), EditNumber(1)); });
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->device, put.device);
  EXPECT_EQ(got->number, put.number);
  EXPECT_EQ(got->received_ms, put.received_ms);
  EXPECT_EQ(got->stamp, put.stamp);
  EXPECT_EQ(got->edit, put.edit);
  EXPECT_EQ(got->answer.SerializeAsString(), put.answer.SerializeAsString());
  EXPECT_EQ(got->version, put.version);
  EXPECT_EQ(got->chain, put.chain);
  EXPECT_EQ(got->made_ms, put.made_ms);
  EXPECT_EQ(got->author, put.author);
  EXPECT_EQ(got->decided_by, put.decided_by);
  EXPECT_EQ(got->builds_on, put.builds_on);
  EXPECT_EQ(got->withdrawn, put.withdrawn);
  EXPECT_EQ(got->sent, put.sent);
  EXPECT_EQ(got->bases, put.bases);
}

TEST_P(StoreContract, WhatBecameOfAnEditIsKnownWithoutOpeningIt) {
  const AuditRow put = Edit(2, 1, std::string(1'000'000, 'x'));
  ASSERT_EQ(Write([&](Writer& writer) { return writer.AppendAudit(put); }), absl::OkStatus());
  const uint64_t work = Read([](Reader& reader) -> absl::StatusOr<uint64_t> {
    auto verdict = reader.GetVerdict(DeviceNumber(2), EditNumber(1));
    EXPECT_TRUE(verdict.ok() && verdict->has_value());
    EXPECT_EQ((*verdict)->verdict, sync::v1::RETURNED);
    EXPECT_EQ((*verdict)->link, LinkTo(std::string(1'000'000, 'x')));
    EXPECT_FALSE(reader.GetVerdict(DeviceNumber(2), EditNumber(2))->has_value());
    return reader.Work();
  });
  EXPECT_LT(work, 10u);
}

TEST_P(StoreContract, WorkGrowsWithRowsAndWithBytes) {
  const auto of = [&](absl::FunctionRef<absl::Status(Writer&)> body) {
    uint64_t work = 0;
    EXPECT_EQ(Write([&](Writer& writer) {
                const absl::Status status = body(writer);
                work = writer.Work();
                return status;
              }),
              absl::OkStatus());
    return work;
  };
  const uint64_t small = of([](Writer& writer) { return writer.AppendAudit(Edit(2, 1, "x")); });
  const uint64_t large =
      of([](Writer& writer) { return writer.AppendAudit(Edit(2, 2, std::string(1 << 20, 'x'))); });
  EXPECT_GT(small, 0u);
  EXPECT_LT(small, 12u);
  EXPECT_GE(large, small + 256);
}

// --- Attempts -------------------------------------------------------------------

TEST_P(StoreContract, WhatAnAttemptWroteIsUndoneWhereItFailsAndTheTransactionGoesOn) {
  const std::vector<Id> scopes = {Named("east"), Named("west")};
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(writer.NextVersion({Named("east")}, Version()).status());
              const absl::Status failed = writer.Attempt([&]() -> absl::Status {
                RETURN_IF_ERROR(writer.NextVersion(scopes, Version()).status());
                RETURN_IF_ERROR(writer.PutSetting("tried", "x"));
                RETURN_IF_ERROR(writer.AppendAudit(Edit(2, 1, "x")));
                return absl::AbortedError("as it is meant");
              });
              EXPECT_EQ(failed.code(), absl::StatusCode::kAborted);
              EXPECT_EQ(writer.ScopeVersion(Named("east")).value(), Version(1));
              EXPECT_EQ(writer.ScopeVersion(Named("west")).value(), Version(0));
              return writer.Attempt([&]() -> absl::Status {
                // What comes within does not stay where what is around it fails.
                EXPECT_FALSE(writer
                                 .Attempt([&]() -> absl::Status {
                                   RETURN_IF_ERROR(writer.Attempt(
                                       [&] { return writer.PutSetting("within", "x"); }));
                                   return absl::AbortedError("around it");
                                 })
                                 .ok());
                return writer.NextVersion({Named("west")}, Version()).status();
              });
            }),
            absl::OkStatus());
  Reopen();
  EXPECT_EQ(Read([](Reader& reader) { return reader.GetSetting("tried"); }), "");
  EXPECT_EQ(Read([](Reader& reader) { return reader.GetSetting("within"); }), "");
  EXPECT_FALSE(Read([](Reader& reader) {
                 return reader.GetVerdict(DeviceNumber(2), EditNumber(1));
               }).has_value());
  EXPECT_EQ(Read([](Reader& reader) { return reader.ScopeVersion(Named("east")); }), Version(1));
  EXPECT_EQ(Read([](Reader& reader) { return reader.ScopeVersion(Named("west")); }), Version(1));
}

TEST_P(StoreContract, AnEditIsFoundByWhatItIsUnderTheNumberThatItHadFirst) {
  AuditRow other_time = Edit(2, 1, "edit");
  other_time.made_ms = 5;
  ASSERT_EQ(Write([&](Writer& writer) {
              RETURN_IF_ERROR(writer.AppendAudit(other_time));
              RETURN_IF_ERROR(writer.AppendAudit(Edit(7, 3, "edit")));
              RETURN_IF_ERROR(writer.AppendAudit(Edit(2, 2, "edit")));
              return writer.AppendAudit(Edit(2, 3, "another"));
            }),
            absl::OkStatus());
  const auto found = Read([](Reader& reader) { return reader.FindEdit(1699999999999, "edit"); });
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->device, DeviceNumber(7));
  EXPECT_FALSE(
      Read([](Reader& reader) { return reader.FindEdit(1699999999999, "none"); }).has_value());
  EXPECT_FALSE(Read([](Reader& reader) { return reader.FindEdit(6, "edit"); }).has_value());
}

TEST_P(StoreContract, AnEditThatWasNeverAnsweredHasNoAuditRow) {
  for (uint64_t number : {uint64_t{1}, ~uint64_t{0}}) {
    EXPECT_FALSE(Read([&](Reader& reader) {
                   return reader.GetAudit(DeviceNumber(2), EditNumber(number));
                 }).has_value());
  }
}

TEST_P(StoreContract, ASecondAnswerIsRefusedAndTheTransactionGoesOn) {
  ASSERT_EQ(Write([&](Writer& writer) { return writer.AppendAudit(Edit(2, 1, "first")); }),
            absl::OkStatus());
  EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(writer.AppendAudit(Edit(2, 2, "second")));
              EXPECT_EQ(writer.AppendAudit(Edit(2, 1, "again")).code(),
                        absl::StatusCode::kAlreadyExists);
              return writer.AppendAudit(Edit(3, 1, "of another device"));
            }),
            absl::OkStatus());
  auto edit = [&](uint32_t device, uint64_t number) {
    return Read([&](Reader& reader) {
             return reader.GetAudit(DeviceNumber(device), EditNumber(number));
           })
        .value_or(AuditRow())
        .edit;
  };
  EXPECT_EQ(edit(2, 1), "first");
  EXPECT_EQ(edit(2, 2), "second");
  EXPECT_EQ(edit(3, 1), "of another device");
}

TEST_P(StoreContract, ADevicesAuditIsReadByNumberPastOneUntilToldToStop) {
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              for (uint64_t number : {4, 2, 3, 1}) {
                RETURN_IF_ERROR(writer.AppendAudit(Edit(2, number, "x")));
              }
              RETURN_IF_ERROR(writer.AppendAudit(Edit(1, 2, "the server's own")));
              return writer.AppendAudit(Edit(3, 3, "another's"));
            }),
            absl::OkStatus());
  std::vector<uint64_t> seen;
  auto read = [&](uint32_t device, uint64_t after, size_t most) {
    seen.clear();
    EXPECT_EQ(store_->Read([&](Reader& reader) {
      return reader.ReadAudit(DeviceNumber(device), EditNumber(after), [&](const AuditRow& row) {
        seen.push_back(row.number.value);
        return seen.size() < most;
      });
    }),
              absl::OkStatus());
    return seen;
  };
  EXPECT_THAT(read(2, 0, 10), testing::ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(read(2, 1, 2), testing::ElementsAre(2, 3));
  EXPECT_THAT(read(kServerDevice.value, 0, 10), testing::ElementsAre(2));
  EXPECT_THAT(read(2, ~uint64_t{0}, 10), testing::IsEmpty());
}

TEST_P(StoreContract, TheVersionsOfWhatADeviceHasInAreReadWithoutItsEdits) {
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              for (const uint64_t number : {1, 2, 3, 4}) {
                AuditRow row = Edit(2, number, std::string(100'000, 'x'));
                row.version = Version(number == 3 ? 0 : 10 * number);  // the third is not in
                RETURN_IF_ERROR(writer.AppendAudit(row));
              }
              AuditRow other = Edit(3, 9, "another's");
              other.version = Version(90);
              return writer.AppendAudit(other);
            }),
            absl::OkStatus());
  std::vector<uint64_t> versions;
  uint64_t work = 0;
  EXPECT_EQ(store_->Read([&](Reader& reader) -> absl::Status {
    const absl::Status status =
        reader.ReadVersions(DeviceNumber(2), EditNumber(1),
                            [&](Version version) { versions.push_back(version.value); });
    work = reader.Work();
    return status;
  }),
            absl::OkStatus());
  EXPECT_THAT(versions, testing::UnorderedElementsAre(20, 40));
  EXPECT_LT(work, 10u);
}

TEST_P(StoreContract, WhatIsCountedAddsUp) {
  ASSERT_EQ(Write([](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(writer.AddToCount("held/east", 2));
              RETURN_IF_ERROR(writer.AddToCount("held/west", 1));
              return writer.AddToCount("held/east", -3);
            }),
            absl::OkStatus());
  Reopen();
  EXPECT_EQ(Read([](Reader& reader) { return reader.GetCount("held/east"); }), -1);
  EXPECT_EQ(Read([](Reader& reader) { return reader.GetCount("held/west"); }), 1);
  EXPECT_EQ(Read([](Reader& reader) { return reader.GetCount("held/north"); }), 0);
}

// --- Settings and codes -------------------------------------------------------

TEST_P(StoreContract, ASettingIsKeptAndReplaced) {
  auto get = [&](absl::string_view name) {
    return Read([&](Reader& reader) { return reader.GetSetting(name); });
  };
  EXPECT_EQ(get("server"), "");
  std::string bytes("\0\xff value", 8);
  for (const std::string& value : {std::string("first"), bytes}) {
    ASSERT_EQ(Write([&](Writer& writer) { return writer.PutSetting("server", value); }),
              absl::OkStatus());
  }
  Reopen();
  EXPECT_EQ(get("server"), bytes);
  EXPECT_EQ(get("serve"), "");
  ASSERT_EQ(Write([&](Writer& writer) { return writer.PutSetting("server", {}); }),
            absl::OkStatus());
  EXPECT_EQ(get("server"), "");
}

TEST_P(StoreContract, AMarkIsFoundOnAllWhoHaveItUntilItIsTakenOff) {
  const auto marked = [&](absl::string_view mark) {
    return Read([&](Reader& reader) { return reader.FindMarked(mark, 10); });
  };
  EXPECT_THAT(marked("same"), testing::IsEmpty());
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(writer.PutMark("same", Named("ann")));
              RETURN_IF_ERROR(writer.PutMark("same", Named("bob")));
              RETURN_IF_ERROR(writer.PutMark("same", Named("bob")));  // once is enough
              return writer.PutMark("other", Named("ann"));
            }),
            absl::OkStatus());
  Reopen();
  EXPECT_THAT(marked("same"), testing::UnorderedElementsAre(Named("ann"), Named("bob")));
  EXPECT_THAT(marked("other"), testing::ElementsAre(Named("ann")));
  EXPECT_THAT(marked("sam"), testing::IsEmpty());
  EXPECT_THAT(Read([&](Reader& reader) { return reader.FindMarked("same", 1); }),
              testing::SizeIs(1));
  const auto common = [&](size_t many) {
    return Read([&](Reader& reader) { return reader.FindCommonMarks(many); });
  };
  EXPECT_THAT(common(0), testing::ElementsAre("other", "same"));
  EXPECT_THAT(common(1), testing::ElementsAre("same"));
  EXPECT_THAT(common(2), testing::IsEmpty());
  ASSERT_EQ(Write([&](Writer& writer) { return writer.DeleteMark("same", Named("ann")); }),
            absl::OkStatus());
  EXPECT_THAT(marked("same"), testing::ElementsAre(Named("bob")));
  ASSERT_EQ(Write([&](Writer& writer) { return writer.DeleteMark("same", Named("ann")); }),
            absl::OkStatus());
}

TEST_P(StoreContract, ACodeWorksOnceAndSaysForWhomAndUntilWhen) {
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(writer.PutCode({"7F3K-22QX", Named("ann"), 1700000000000}));
              return writer.PutCode({"other", Named("bob"), 1});
            }),
            absl::OkStatus());
  Reopen();
  auto take = [&](absl::string_view code) {
    std::string taken;
    absl::Status status = Write([&](Writer& writer) -> absl::Status {
      ASSIGN_OR_RETURN(EnrolmentCode got, writer.TakeCode(code));
      taken = absl::StrCat(got.code, " ", NameOf(got.person), " ", got.expires_ms);
      return absl::OkStatus();
    });
    return status.ok() ? taken : std::string(absl::StatusCodeToString(status.code()));
  };
  EXPECT_EQ(take("7F3K-22Q"), "NOT_FOUND");
  EXPECT_EQ(take("7F3K-22QX"), "7F3K-22QX ann 1700000000000");
  EXPECT_EQ(take("7F3K-22QX"), "NOT_FOUND");
  EXPECT_EQ(take("other"), "other bob 1");  // an expired one too: the caller decides
}

TEST_P(StoreContract, ACodeIsAskedForWithoutTakingItAndGoesOnceItHasRunOut) {
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(writer.PutCode({"early", Named("ann"), 1000}));
              return writer.PutCode({"late", Named("ann"), 2000});
            }),
            absl::OkStatus());
  const auto has = [&](absl::string_view code, int64_t now_ms) {
    return Read([&](Reader& reader) { return reader.HasCode(code, now_ms); });
  };
  EXPECT_TRUE(has("early", 1000));
  EXPECT_TRUE(has("early", 1000)) << "asking takes nothing";
  EXPECT_FALSE(has("early", 1001));
  EXPECT_FALSE(has("other", 0));
  ASSERT_EQ(Write([](Writer& writer) { return writer.DropCodes(1001); }), absl::OkStatus());
  EXPECT_FALSE(has("early", 0));
  EXPECT_TRUE(has("late", 2000));
}

TEST_P(StoreContract, ACodeThatWasTakenInVainIsStillThere) {
  ASSERT_EQ(Write([](Writer& writer) {
              return writer.PutCode({"1234", Named("ann"), 1});
            }),
            absl::OkStatus());
  EXPECT_EQ(Write([](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(writer.TakeCode("1234").status());
              return absl::DeadlineExceededError("expired");
            }),
            absl::DeadlineExceededError("expired"));
  EXPECT_EQ(Write([](Writer& writer) { return writer.TakeCode("1234").status(); }),
            absl::OkStatus());
}

// --- Backup -------------------------------------------------------------------

TEST_P(StoreContract, ABackupOpensAsAStoreWithEverythingInIt) {
  Put("ann", "1", {"east"});
  Put({kMeeting, Named("ann")}, "2", {"east"}, {"west"});
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(writer.PutDevice(Phone(2, "phone")));
              RETURN_IF_ERROR(writer.AppendAudit(Edit(2, 1, "edit")));
              RETURN_IF_ERROR(writer.PutCode({"1234", Named("ann"), 1}));
              return writer.PutSetting("server", "abc");
            }),
            absl::OkStatus());
  ASSERT_EQ(store_->Backup(place_->BackupName()), absl::OkStatus());
  Put("bob", "after the backup", {"west"});

  store_ = place_->OpenBackup();
  ASSERT_NE(store_, nullptr);
  EXPECT_EQ(Feed("east"), "2 31/ann=2 left");
  EXPECT_EQ(Feed("west"), "2 31/ann=2");
  EXPECT_EQ(VersionOf("west"), 2);
  EXPECT_TRUE(Read([](Reader& reader) { return reader.GetDevice(DeviceNumber(2)); }).has_value());
  EXPECT_TRUE(Read([](Reader& reader) {
                return reader.GetAudit(DeviceNumber(2), EditNumber(1));
              }).has_value());
  EXPECT_EQ(Read([](Reader& reader) { return reader.GetSetting("server"); }), "abc");
  EXPECT_EQ(Write([](Writer& writer) { return writer.TakeCode("1234").status(); }),
            absl::OkStatus());
  EXPECT_EQ(Put("bob", "x", {"west"}), 3);
}

TEST_P(StoreContract, ABackupDoesNotOverwriteAnother) {
  Put("ann", "1", {"east"});
  ASSERT_EQ(store_->Backup(place_->BackupName()), absl::OkStatus());
  Put("ann", "2", {"east"});
  EXPECT_EQ(store_->Backup(place_->BackupName()).code(), absl::StatusCode::kAlreadyExists);
  store_ = place_->OpenBackup();
  ASSERT_NE(store_, nullptr);
  EXPECT_EQ(Feed("east"), "1 31/ann=1");
}

// --- Threads ------------------------------------------------------------------

// Every write puts one more record into both scopes at one version, so that in
// any snapshot the scopes have as many rows as their version says.
TEST_P(StoreContract, WritersOnSeveralThreadsEachGetVersionsOfTheirOwn) {
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) Put(absl::StrCat("r", t, ".", i), "x", {"east", "west"});
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (const char* scope : {"east", "west"}) {
    EXPECT_EQ(VersionOf(scope), kThreads * kEach);
    uint64_t expected = 0;
    EXPECT_EQ(store_->Read([&](Reader& reader) {
      return reader.ReadFeed(Named(scope), Version(0), kAllOffices, [&](const FeedRow& row) {
        EXPECT_EQ(row.version.value, ++expected);
        return true;
      });
    }),
              absl::OkStatus());
    EXPECT_EQ(expected, kThreads * kEach);
  }
}

TEST_P(StoreContract, ReadersBesideAWriterSeeWholeTransactions) {
  constexpr uint64_t kWrites = 60;
  std::atomic<bool> done = false;
  std::atomic<int> snapshots = 0;
  std::vector<std::thread> readers;
  for (int t = 0; t < 4; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        EXPECT_EQ(store_->Read([&](Reader& reader) -> absl::Status {
          ASSIGN_OR_RETURN(uint64_t east, reader.CountFeed(Named("east"), Version(0), kAllOffices));
          ASSIGN_OR_RETURN(Version version, reader.ScopeVersion(Named("west")));
          ASSIGN_OR_RETURN(uint64_t west, reader.CountFeed(Named("west"), Version(0), kAllOffices));
          EXPECT_EQ(east, version.value);
          EXPECT_EQ(west, version.value);
          return absl::OkStatus();
        }),
                  absl::OkStatus());
        ++snapshots;
      }
    });
  }
  for (uint64_t i = 0; i < kWrites; ++i) Put(absl::StrCat("r", i), "x", {"east", "west"});
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_GT(snapshots, 0);
  EXPECT_EQ(Count("east", 0), kWrites);
}

TEST_P(StoreContract, ABackupWhileTheStoreIsWrittenToIsConsistent) {
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; !done; ++i) Put(absl::StrCat("r", i), std::string(5000, 'x'), {"east", "west"});
  });
  while (VersionOf("east") < 20) std::this_thread::yield();
  EXPECT_EQ(store_->Backup(place_->BackupName()), absl::OkStatus());
  done = true;
  writer.join();
  store_ = place_->OpenBackup();
  ASSERT_NE(store_, nullptr);
  EXPECT_GE(VersionOf("east"), 20);
  EXPECT_EQ(Count("east", 0), VersionOf("east"));
  EXPECT_EQ(Count("west", 0), VersionOf("east"));
}

// --- Who has seen what --------------------------------------------------------------

TEST_P(StoreContract, ARowThatNoneOfTheOfficesHasSeenIsNeitherReadNorCounted) {
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              uint32_t offices = 1;
              for (const char* name : {"ann", "bob", "cat"}) {
                ASSIGN_OR_RETURN(Version version, writer.NextVersion(Ids({"east"}), Version()));
                RETURN_IF_ERROR(writer.PutRecord({kMeeting, Named(name)}, Written(version, "1"), {},
                                                 Shown(Ids({"east"}), offices)));
                offices <<= 1;
              }
              return absl::OkStatus();
            }),
            absl::OkStatus());
  const auto seen_by = [&](uint32_t offices) {
    return Read([&](Reader& reader) { return FeedOf(reader, "east", 0, offices); });
  };
  EXPECT_EQ(seen_by(1), "1 31/ann=1");
  EXPECT_EQ(seen_by(6), "2 31/bob=1, 3 31/cat=1");
  EXPECT_EQ(seen_by(8), "");
  EXPECT_EQ(Read([&](Reader& reader) { return reader.CountFeed(Named("east"), Version(0), 6); }),
            2);
  const auto last = [&](uint32_t offices) {
    return Read([&](Reader& reader) { return reader.LastInFeed(Named("east"), offices); }).value;
  };
  EXPECT_EQ(last(3), 2u);
  EXPECT_EQ(last(6), 3u);
  EXPECT_EQ(last(8), 0u);
}

TEST_P(StoreContract, ARowRemembersSinceWhenItsRecordHasLainThere) {
  const RecordKey key{kMeeting, Named("ann")};
  ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
              for (int i = 0; i < 3; ++i) {
                ASSIGN_OR_RETURN(Version version, writer.NextVersion(Ids({"east"}), Version()));
                RETURN_IF_ERROR(writer.PutRecord(key, Written(version, "x"), {},
                                                 Shown(Ids({"east"}), kAllOffices)));
              }
              return absl::OkStatus();
            }),
            absl::OkStatus());
  Reopen();
  std::vector<std::pair<Version, Version>> rows;
  EXPECT_EQ(store_->Read([&](Reader& reader) {
    return reader.ReadFeed(Named("east"), Version(0), kAllOffices, [&](const FeedRow& row) {
      rows.emplace_back(row.since, row.version);
      return true;
    });
  }),
            absl::OkStatus());
  EXPECT_THAT(rows, testing::ElementsAre(testing::Pair(Version(1), Version(3))));
}

// "3:6 since 1 left": the rows of a record in a scope, by offices.
inline absl::StatusOr<std::string> RowsOf(Reader& reader, absl::string_view scope) {
  std::map<uint32_t, std::string> rows;
  RETURN_IF_ERROR(reader.ReadFeed(Named(scope), Version(0), ~kLiesThere, [&](const FeedRow& row) {
    const uint32_t offices = row.offices & ~kLiesThere;
    rows[offices] = absl::StrCat(row.version.value, ":", offices, " since ", row.since.value,
                                 row.present ? "" : " left");
    return true;
  }));
  return absl::StrJoin(
      rows, ", ",
      absl::PairFormatter([](std::string*, uint32_t) {}, "",
                          [](std::string* out, const std::string& row) { *out += row; }));
}

TEST_P(StoreContract, EachOfficeHasARowOfItsOwnOnceItSeesOtherChanges) {
  const RecordKey key{kMeeting, Named("ann")};
  const auto put = [&](const Names& before, const std::vector<Showing>& after) {
    ASSERT_EQ(Write([&](Writer& writer) -> absl::Status {
                ASSIGN_OR_RETURN(Version version, writer.NextVersion(Ids({"east"}), Version()));
                return writer.PutRecord(key, Written(version, "x"), Ids(before), after);
              }),
              absl::OkStatus());
  };
  const auto rows = [&] { return Read([&](Reader& reader) { return RowsOf(reader, "east"); }); };
  const Id east = Named("east");
  put({}, {{east, 6}});
  EXPECT_EQ(rows(), "1:6 since 1");
  put({"east"}, {{east, 6}});
  EXPECT_EQ(rows(), "2:6 since 1") << "both have seen it change";
  put({"east"}, {{east, 6, 4}});
  EXPECT_EQ(rows(), "2:2 since 1, 3:4 since 1") << "one of them has";
  put({"east"}, {{east, 14, 0}});
  EXPECT_EQ(rows(), "2:2 since 1, 3:4 since 1, 4:8 since 4") << "to a third it is new";
  put({"east"}, {{east, 10, 0}});
  EXPECT_EQ(rows(), "2:2 since 1, 5:4 since 1 left, 4:8 since 4") << "the second no longer may";
  put({"east"}, {});
  EXPECT_EQ(rows(), "6:2 since 1 left, 5:4 since 1 left, 6:8 since 4 left");
  put({}, {{east, 6, 0}});
  EXPECT_EQ(rows(), "7:6 since 1, 6:8 since 4 left") << "what comes back is new to all";
  Reopen();
  EXPECT_EQ(rows(), "7:6 since 1, 6:8 since 4 left");
  const auto last_shown = [&](uint32_t offices) {
    return Read([&](Reader& reader) { return reader.LastShown(east, offices, key); }).value;
  };
  EXPECT_EQ(last_shown(6), 7u);
  EXPECT_EQ(last_shown(8), 0u) << "it has left";
  EXPECT_EQ(last_shown(16), 0u);
  EXPECT_EQ(List(kMeeting, "east"), "ann=x") << "in however many rows it stands";
}

TEST_P(StoreContract, WhoHasSeenWhatIsWorkedOutAgainAndNoRowMoves) {
  Put("ann", "1", {"east"});
  Put("bob", "1", {"east"});
  ASSERT_EQ(
      Write([&](Writer& writer) -> absl::Status {
        RETURN_IF_ERROR(writer.ForgetSeen());
        RETURN_IF_ERROR(writer.PutSeen({kMeeting, Named("bob")}, Shown(Ids({"east", "west"}), 2)));
        return writer.PutSeen({kMeeting, Named("bob")}, Shown(Ids({"east"}), 4));
      }),
      absl::OkStatus());
  EXPECT_EQ(Feed("east"), "2 31/bob=1");
  EXPECT_EQ(Feed("west"), "");
  EXPECT_EQ(Read([&](Reader& reader) { return FeedOf(reader, "east", 0, 2); }), "");
  EXPECT_EQ(VersionOf("east"), 2);
}

// ---- Sums ---------------------------------------------------------------------------

// "1/0 month 24314: 3 of 2", by organisation, those of the year and later, and of all times.
inline absl::StatusOr<std::string> SumsOf(Reader& reader, const std::vector<Id>& organisations,
                                          int from_year) {
  std::vector<std::string> rows;
  RETURN_IF_ERROR(reader.ReadSums(
      organisations, from_year, [&](const Id& organisation, const SumKey& key, const Sum& sum) {
        rows.push_back(absl::StrCat(NameOf(organisation), " ", key.figure, "/", key.by, " in ",
                                    key.month, " of ", key.bucket, ": ", sum.amount, "/",
                                    sum.records));
      }));
  std::sort(rows.begin(), rows.end());
  return absl::StrJoin(rows, ", ");
}

TEST_P(StoreContract, ASumIsWhatWasAddedToItAndOneThatComesToNothingIsGone) {
  constexpr int32_t kJanuary = 2026 * 12, kDecember = 2025 * 12 + 11;
  const auto add = [&](const char* organisation, const SumChanges& changes) {
    EXPECT_EQ(Write([&](Writer& writer) { return writer.AddToSums(Named(organisation), changes); }),
              absl::OkStatus());
  };
  const auto sums = [&](const Names& of, int from_year) {
    return Read([&](Reader& reader) { return SumsOf(reader, Ids(of), from_year); });
  };
  add("east", {{{1, 0, kJanuary, 0}, {5, 1}},
               {{1, 2, kJanuary, -2}, {5, 1}},
               {{1, 0, kDecember, 0}, {-7, 1}},
               {{3, 0, kAllTimes, 0}, {1, 1}}});
  add("east", {{{1, 0, kJanuary, 0}, {4, 1}}});
  add("west", {{{1, 0, kJanuary, 0}, {100, 1}}});
  EXPECT_EQ(sums({"east"}, 2026),
            "east 1/0 in 24312 of 0: 9/2, east 1/2 in 24312 of -2: 5/1, east 3/0 in 0 of 0: 1/1");
  EXPECT_EQ(sums({"east"}, 2025),
            "east 1/0 in 24311 of 0: -7/1, east 1/0 in 24312 of 0: 9/2, "
            "east 1/2 in 24312 of -2: 5/1, east 3/0 in 0 of 0: 1/1");
  EXPECT_EQ(sums({"west", "nobody"}, 0), "west 1/0 in 24312 of 0: 100/1");
  add("east", {{{1, 0, kJanuary, 0}, {-9, -2}},
               {{1, 2, kJanuary, -2}, {-5, -1}},
               {{3, 0, kAllTimes, 0}, {-1, -1}}});
  Reopen();
  EXPECT_EQ(sums({"east"}, 0), "east 1/0 in 24311 of 0: -7/1");
}

TEST_P(StoreContract, ASumOfATransactionThatIsUndoneWasNeverAdded) {
  const auto add = [](Writer& writer) {
    return writer.AddToSums(Named("east"), {{{1, 0, 24312, 0}, {5, 1}}});
  };
  EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(add(writer));
              EXPECT_FALSE(writer
                               .Attempt([&]() -> absl::Status {
                                 RETURN_IF_ERROR(add(writer));
                                 return absl::CancelledError();
                               })
                               .ok());
              return absl::OkStatus();
            }),
            absl::OkStatus());
  EXPECT_EQ(Read([&](Reader& reader) { return SumsOf(reader, Ids({"east"}), 0); }),
            "east 1/0 in 24312 of 0: 5/1");
}

TEST_P(StoreContract, ASumIsReadAsTheTransactionHasItUntilItsAttemptFails) {
  const SumKey january{1, 0, 24312, 0};
  const auto add = [&](Writer& writer, int64_t amount) {
    return writer.AddToSums(Named("east"), {{january, {amount, 1}}});
  };
  const auto sums = [](Reader& reader) { return SumsOf(reader, Ids({"east"}), 0).value(); };
  EXPECT_EQ(Write([&](Writer& writer) { return add(writer, 1); }), absl::OkStatus());
  EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(add(writer, 10));
              EXPECT_FALSE(writer
                               .Attempt([&]() -> absl::Status {
                                 RETURN_IF_ERROR(add(writer, 100));
                                 EXPECT_EQ(sums(writer), "east 1/0 in 24312 of 0: 111/3");
                                 RETURN_IF_ERROR(writer.DropSums(100).status());
                                 EXPECT_EQ(sums(writer), "");
                                 RETURN_IF_ERROR(add(writer, 7));
                                 return absl::CancelledError();
                               })
                               .ok());
              EXPECT_EQ(sums(writer), "east 1/0 in 24312 of 0: 11/2");
              return add(writer, 1000);
            }),
            absl::OkStatus());
  EXPECT_EQ(Read([&](Reader& reader) { return SumsOf(reader, Ids({"east"}), 0); }),
            "east 1/0 in 24312 of 0: 1011/3");
}

// A store that is far away fetches it, any other does nothing: what follows is the same.
TEST_P(StoreContract, WhatWasForeseenOfSumsIsWhatIsThere) {
  const RecordKey on{kMeeting, Named("meeting")}, bob{kMember, Named("bob")},
      cat{kMember, Named("cat")};
  const SumChanges in_all_years = {{{1, 0, kAllTimes, 0}, {1, 1}},
                                   {{1, 0, 2025 * 12, 0}, {5, 1}},
                                   {{1, 0, 2026 * 12, 0}, {7, 1}}};
  const auto add = [&](Writer& writer) -> absl::Status {
    for (const char* organisation : {"east", "west"}) {
      RETURN_IF_ERROR(writer.AddToSums(Named(organisation), in_all_years));
    }
    return writer.AddToSums(Named("west"), {{{1, 0, 2027 * 12, 0}, {9, 1}}});
  };
  EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
              RETURN_IF_ERROR(writer.PutHanging(on, bob));
              RETURN_IF_ERROR(writer.PutSetting("there", "x"));
              return writer.AddToSums(Named("east"), in_all_years);
            }),
            absl::OkStatus());
  EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
              Foreseen foreseen;
              foreseen.settings = {"there", "not there"};
              foreseen.sums = Ids({"east", "west"});
              foreseen.hanging = {on, bob};
              RETURN_IF_ERROR(writer.Fetch(foreseen));
              EXPECT_EQ(*writer.GetSetting("there"), "x");
              EXPECT_EQ(*writer.GetSetting("not there"), "");
              EXPECT_THAT(*writer.HangingOn(on, {}, 9), testing::ElementsAre(bob));
              EXPECT_THAT(*writer.HangingOn(bob, {}, 9), testing::IsEmpty());
              RETURN_IF_ERROR(writer.PutHanging(on, cat));
              RETURN_IF_ERROR(writer.DropHanging(on, bob));
              EXPECT_THAT(*writer.HangingOn(on, {}, 9), testing::ElementsAre(cat));
              EXPECT_FALSE(writer
                               .Attempt([&]() -> absl::Status {
                                 RETURN_IF_ERROR(add(writer));
                                 RETURN_IF_ERROR(writer.PutHanging(on, bob));
                                 return absl::CancelledError();
                               })
                               .ok());
              EXPECT_THAT(*writer.HangingOn(on, {}, 9), testing::ElementsAre(cat));
              return add(writer);
            }),
            absl::OkStatus());
  EXPECT_EQ(Read([&](Reader& reader) {
              return SumsOf(reader, Ids({"east", "west"}), 2026);
            }),
            "east 1/0 in 0 of 0: 2/2, east 1/0 in 24312 of 0: 14/2, west 1/0 in 0 of 0: 1/1, "
            "west 1/0 in 24312 of 0: 7/1, west 1/0 in 24324 of 0: 9/1");
}

TEST_P(StoreContract, WhatHangsOnARecordIsFoundByItAndDroppedLittleByLittle) {
  const RecordKey meeting{kMeeting, Named("meeting")};
  const auto hanging = [&] {
    return Read([&](Reader& reader) -> absl::StatusOr<std::string> {
      ASSIGN_OR_RETURN(const std::vector<RecordKey> keys, reader.HangingOn(meeting, {}, 200));
      Names names;
      for (const RecordKey& key : keys)
        names.push_back(absl::StrCat(key.type, "/", NameOf(key.id)));
      return absl::StrJoin(names, ", ");
    });
  };
  EXPECT_EQ(
      Write([&](Writer& writer) -> absl::Status {
        for (const char* name : {"bob", "ann", "bob"}) {
          RETURN_IF_ERROR(writer.PutHanging(meeting, {kMember, Named(name)}));
        }
        RETURN_IF_ERROR(writer.PutHanging({kMeeting, Named("other")}, {kMember, Named("bob")}));
        return writer.PutHanging(meeting, {kMember, Named("cat")});
      }),
      absl::OkStatus());
  EXPECT_EQ(hanging(), "20/ann, 20/bob, 20/cat");
  const RecordKey many{kMeeting, Named("many")};
  std::vector<Id> ids;
  for (int i = 0; i < 150; ++i) ids.push_back(Named(absl::StrCat("record ", i)));
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
              for (const Id& id : ids) RETURN_IF_ERROR(writer.PutHanging(many, {kMember, id}));
              return absl::OkStatus();
            }),
            absl::OkStatus());
  EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
              Foreseen foreseen;
              foreseen.hanging = {many};
              RETURN_IF_ERROR(writer.Fetch(foreseen));
              EXPECT_THAT(
                  *writer.HangingOn(many, {kMember, Id()}, 2),
                  testing::ElementsAre(RecordKey{kMember, ids[0]}, RecordKey{kMember, ids[1]}));
              EXPECT_THAT(
                  *writer.HangingOn(many, {kMember, ids[147]}, 9),
                  testing::ElementsAre(RecordKey{kMember, ids[148]}, RecordKey{kMember, ids[149]}));
              EXPECT_THAT(*writer.HangingOn(many, {kMember + 1, Id()}, 9), testing::IsEmpty());
              for (const Id& id : ids) RETURN_IF_ERROR(writer.DropHanging(many, {kMember, id}));
              EXPECT_THAT(*writer.HangingOn(many, {}, 9), testing::IsEmpty());
              return absl::OkStatus();
            }),
            absl::OkStatus());
  EXPECT_EQ(Write([&](Writer& writer) {
              return writer.DropHanging(meeting, {kMember, Named("bob")});
            }),
            absl::OkStatus());
  EXPECT_EQ(hanging(), "20/ann, 20/cat");
  int steps = 0;
  for (bool left = true; left && steps < 10; ++steps) {
    EXPECT_EQ(Write([&](Writer& writer) -> absl::Status {
                ASSIGN_OR_RETURN(left, writer.DropSums(1));
                return absl::OkStatus();
              }),
              absl::OkStatus());
  }
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(hanging(), "");
}

}  // namespace zhibu::server

#endif  // ZHIBU_TESTS_SERVER_STORE_CONTRACT_H_
