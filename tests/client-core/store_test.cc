// What an app may rely on, with no server in sight: what the server says is told
// by hand.
#include "client-core/store/store.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "proto/policies.pb.h"
#include "sync/base/reason.h"
#include "sync/merge/diff.h"
#include "sync/wire/record.h"
#include "tests/support/world.h"
#include "zhibu/records/v1/catalogue.pb.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::test {
namespace {

using client::Changes;
using client::Draft;
using client::SetAside;
using client::Store;
using records::v1::CheckIn;
using records::v1::DuesPayment;
using records::v1::Meeting;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using zhibu::testing::Bicycle;
using zhibu::testing::Sampler;

// A disk of which the test says how much room it has left.
class SmallDisk {
 public:
  static constexpr char kName[] = "small-disk";

  static void Register() {
    static sqlite3_vfs vfs = [] {
      sqlite3_vfs copy = *sqlite3_vfs_find(nullptr);
      copy.zName = kName;
      copy.xOpen = &Open;
      copy.pNext = nullptr;
      return copy;
    }();
    sqlite3_vfs_register(&vfs, 0);
    room = std::numeric_limits<int64_t>::max();
  }

  static inline int64_t room = 0;

 private:
  static int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
    sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
    const int result = real->xOpen(real, name, file, flags, out);
    if (file->pMethods == nullptr) return result;
    Methods& methods = methods_[file->pMethods];
    methods.real = file->pMethods;
    methods.ours = *file->pMethods;
    methods.ours.xWrite = &Write;
    file->pMethods = &methods.ours;
    return result;
  }

  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    if (room < size) return SQLITE_FULL;
    room -= size;
    return reinterpret_cast<const Methods*>(file->pMethods)->real->xWrite(file, data, size, offset);
  }

  struct Methods {
    sqlite3_io_methods ours;  // first: a file points to it
    const sqlite3_io_methods* real;
  };
  static inline std::map<const sqlite3_io_methods*, Methods> methods_;
};

// Text and blobs in the rows that SQLite has given since this began, to connections that were
// opened while any of these lives.
class RowBytes {
 public:
  RowBytes() : before_(given_) { sqlite3_auto_extension(reinterpret_cast<void (*)()>(&Listen)); }
  ~RowBytes() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&Listen)); }
  RowBytes(const RowBytes&) = delete;
  RowBytes& operator=(const RowBytes&) = delete;
  int64_t bytes() const { return given_ - before_; }

 private:
  static int Listen(sqlite3* db, char**, const sqlite3_api_routines*) {
    return sqlite3_trace_v2(db, SQLITE_TRACE_ROW, &OnRow, nullptr);
  }
  static int OnRow(unsigned, void*, void* of, void*) {
    auto* row = static_cast<sqlite3_stmt*>(of);
    for (int i = 0; i < sqlite3_column_count(row); ++i) {
      const int type = sqlite3_column_type(row, i);
      if (type == SQLITE_TEXT || type == SQLITE_BLOB) given_ += sqlite3_column_bytes(row, i);
    }
    return 0;
  }

  static inline int64_t given_ = 0;
  const int64_t before_;
};

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() : store(MustOpen(file)) {}

  absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path,
                                              const std::string& vfs = "") {
    return Store::Open(
        {.file = path, .schema = WideSchema(), .environment = fate.environment(), .vfs = vfs});
  }
  std::unique_ptr<Store> MustOpen(const std::string& path, const std::string& vfs = "") {
    auto opened = Open(path, vfs);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }

  Draft MeetingIn(const Id& home, const std::string& topic = "") {
    Draft draft = store->New<Meeting>();
    draft.message<Meeting>().set_branch_id(home.str());
    draft.message<Meeting>().set_topic(topic);
    return draft;
  }
  Id MakeMeeting(const std::string& topic = "") {
    Draft draft = MeetingIn(branch, topic);
    EXPECT_TRUE(store->Commit({&draft}).ok());
    return draft.id();
  }
  Id MakeSampler(std::function<void(Sampler&)> fill = [](Sampler&) {}) {
    Draft draft = store->New<Sampler>();
    draft.message<Sampler>().set_branch_id(branch.str());
    fill(draft.message<Sampler>());
    EXPECT_TRUE(store->Commit({&draft}).ok());
    return draft.id();
  }
  template <typename T>
  absl::Status Change(const Id& id, std::function<void(T&)> change) {
    auto draft = store->Edit<T>(id);
    if (!draft.ok()) return draft.status();
    change(draft->template message<T>());
    return store->Commit({&*draft}).status();
  }
  template <typename T>
  T Get(const Id& id) {
    auto draft = store->Edit<T>(id);
    return draft.ok() ? draft->template message<T>() : T();
  }
  std::vector<std::string> Topics(const client::Query& query) {
    std::vector<std::string> topics;
    EXPECT_EQ(store->List(query,
                          [&](const Id&, const google::protobuf::Message& message) {
                            topics.push_back(static_cast<const Meeting&>(message).topic());
                            return true;
                          }),
              absl::OkStatus());
    return topics;
  }
  uint64_t Unsent() { return store->State()->unsent; }
  std::vector<sync::v1::NumberedEdit> Pending() {
    return store->Pending(EditNumber(0), std::numeric_limits<size_t>::max()).value();
  }
  static sync::v1::Edit EditIn(const sync::v1::NumberedEdit& numbered) {
    sync::v1::Edit edit;
    EXPECT_TRUE(edit.ParseFromString(numbered.edit()));
    return edit;
  }
  static sync::v1::Reason ReasonFor(const absl::Status& status) { return ReasonOf(status).reason; }

  // What the server might say.
  sync::v1::Update Said(const google::protobuf::Message& message, const Id& id, uint64_t version,
                        uint32_t writer = 77) {
    sync::v1::Update update;
    auto* group = update.add_groups();
    const RecordType& type = *WideSchema()->Find(message.GetDescriptor());
    group->set_type(type.number);
    group->set_version(version);
    group->set_writer(writer);
    group->set_stamp(StampAt(now_ms).value);
    group->set_ids(id.str());
    group->add_bodies(Canonical(type.fields, message.SerializeAsString()));
    return update;
  }
  sync::v1::Update Answered(uint64_t number, sync::v1::Verdict verdict = sync::v1::MERGED,
                            sync::v1::Reason reason = sync::v1::NO_REASON) {
    sync::v1::Update update;
    auto* answer = update.add_answers();
    answer->set_number(number);
    answer->set_verdict(verdict);
    answer->set_reason(reason);
    const auto pending = store->Pending(EditNumber(number - 1), 1).value();
    for (const auto& edit : pending) {
      if (edit.number() == number) answer->set_link(LinkTo(edit.edit()));
    }
    return update;
  }

  Directory directory;
  int64_t now_ms = 1'795'000'000'000;
  Fate fate{7, &now_ms};
  const Id branch = fate.environment().NewId();
  const std::string file = directory.NewFile();
  std::unique_ptr<Store> store;
};

// ---- Records ---------------------------------------------------------------------

TEST_F(StoreTest, ARecordIsMadeChangedAndDeletedOffline) {
  const Id id = MakeMeeting("学习");
  EXPECT_EQ(Change<Meeting>(id, [](Meeting& m) { m.set_place("礼堂"); }), absl::OkStatus());
  EXPECT_EQ(Get<Meeting>(id).place(), "礼堂");
  EXPECT_EQ(Get<Meeting>(id).topic(), "学习");
  auto draft = store->Edit<Meeting>(id);
  draft->Delete();
  EXPECT_TRUE(store->Commit({&*draft}).ok());
  EXPECT_EQ(store->Edit<Meeting>(id).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Topics({.type = 31}), IsEmpty());
  EXPECT_EQ(Unsent(), 3u);
}

TEST_F(StoreTest, TwoEntriesOfAListWithOneKeyAreRefusedAndNeitherIsLostInSilence) {
  Draft draft = MeetingIn(branch);
  auto& meeting = draft.message<Meeting>();
  meeting.add_agenda()->set_topic("一");
  meeting.add_agenda()->set_topic("二");
  const absl::Status refused = store->Commit({&draft}).status();
  EXPECT_EQ(ReasonOf(refused).reason, sync::v1::BAD_VALUE);
  EXPECT_EQ(ReasonOf(refused).detail, "agenda[1].number ×2");
  meeting.mutable_agenda(0)->set_number(1);
  EXPECT_TRUE(store->Commit({&draft}).ok());
}

TEST_F(StoreTest, BlanksAreNoTopicNameOrReason) {
  for (const char* blank : {" ", "　", "\t \n", "\u00a0"}) {
    Draft draft = MeetingIn(branch, blank);
    EXPECT_EQ(ReasonOf(store->Commit({&draft}).status()).reason, sync::v1::BAD_VALUE);
  }
}

TEST_F(StoreTest, SeveralWhoOpenANewFileAtOnceAllHaveIt) {
  for (int round = 0; round < 40; ++round) {
    const std::string made = directory.NewFile();
    std::vector<absl::Status> opened(4);
    std::vector<std::thread> all;
    for (absl::Status& status : opened) {
      all.emplace_back([&] { status = Store::Open({.file = made}).status(); });
    }
    for (std::thread& one : all) one.join();
    EXPECT_THAT(opened, Each(absl::OkStatus())) << "round " << round;
  }
}

TEST_F(StoreTest, ADraftThatChangesNothingMakesNoEdit) {
  const Id id = MakeMeeting();
  auto draft = store->Edit<Meeting>(id);
  const auto number = store->Commit({&*draft});
  ASSERT_TRUE(number.ok());
  EXPECT_EQ(number->value, 0u);
  EXPECT_EQ(Unsent(), 1u);
}

TEST_F(StoreTest, RecordsAreListedByScopeAndByField) {
  const Id other = fate.environment().NewId();
  MakeMeeting("甲");
  MakeMeeting("乙");
  Draft elsewhere = MeetingIn(other, "丙");
  elsewhere.message<Meeting>().set_kind(Meeting::LECTURE);
  elsewhere.message<Meeting>().add_present(branch.str());
  EXPECT_TRUE(store->Commit({&elsewhere}).ok());
  EXPECT_THAT(Topics({.type = 31}), SizeIs(3));
  EXPECT_THAT(Topics({.type = 31, .scope = branch}), ::testing::UnorderedElementsAre("甲", "乙"));
  EXPECT_THAT(Topics({.type = 31, .where = {{"topic", "乙"}}}), ElementsAre("乙"));
  EXPECT_THAT(Topics({.type = 31, .where = {{"kind", "LECTURE"}}}), ElementsAre("丙"));
  EXPECT_THAT(Topics({.type = 31, .where = {{"kind", "党课"}}}), ElementsAre("丙"));
  EXPECT_THAT(Topics({.type = 31, .scope = branch, .where = {{"kind", "LECTURE"}}}), IsEmpty());
  const auto none = [](const Id&, const google::protobuf::Message&) { return true; };
  EXPECT_TRUE(absl::IsInvalidArgument(store->List({.type = 31, .where = {{"nought", "1"}}}, none)));
  EXPECT_TRUE(absl::IsInvalidArgument(store->List({.type = 4711}, none)));
}

TEST_F(StoreTest, AVisitorMayCallTheStoreAndStopTheList) {
  MakeMeeting("甲");
  MakeMeeting("乙");
  int seen = 0;
  EXPECT_EQ(store->List({.type = 31},
                        [&](const Id& id, const google::protobuf::Message&) {
                          ++seen;
                          EXPECT_TRUE(store->Edit<Meeting>(id).ok());
                          return false;
                        }),
            absl::OkStatus());
  EXPECT_EQ(seen, 1);
}

TEST_F(StoreTest, WhatOthersChangedBetweenEditAndCommitIsNotUndone) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  const Id id = fate.environment().NewId();
  ASSERT_EQ(store->ApplyUpdate(Said(meeting, id, 1)), absl::OkStatus());
  auto draft = store->Edit<Meeting>(id);
  meeting.set_place("礼堂");
  meeting.add_present("甲");
  ASSERT_EQ(store->ApplyUpdate(Said(meeting, id, 2)), absl::OkStatus());
  draft->message<Meeting>().set_topic("学习");
  ASSERT_TRUE(store->Commit({&*draft}).ok());
  EXPECT_EQ(Get<Meeting>(id).place(), "礼堂");
  EXPECT_EQ(Get<Meeting>(id).topic(), "学习");
  EXPECT_THAT(Get<Meeting>(id).present(), SizeIs(1));
  const sync::v1::Edit edit = EditIn(Pending().at(0));
  EXPECT_EQ(edit.changes(0).base(), 1u);  // so that the server knows what was not seen
}

TEST_F(StoreTest, SeveralRecordsInOneEditAreTakenAllOrNone) {
  Draft good = MeetingIn(branch, "好");
  Draft bad = store->New<Meeting>();  // no branch
  bad.message<Meeting>().set_topic("坏");
  EXPECT_EQ(ReasonFor(store->Commit({&good, &bad}).status()), sync::v1::MISSING_FIELD);
  EXPECT_THAT(Topics({.type = 31}), IsEmpty());
  EXPECT_EQ(Unsent(), 0u);
  bad.message<Meeting>().set_branch_id(branch.str());
  const auto number = store->Commit({&good, &bad});
  ASSERT_TRUE(number.ok()) << number.status();
  EXPECT_EQ(number->value, 1u);
  EXPECT_EQ(EditIn(Pending().at(0)).changes_size(), 2);
}

TEST_F(StoreTest, OneEditMayChangeARecordOnlyOnce) {
  const Id id = MakeMeeting();
  auto first = store->Edit<Meeting>(id);
  auto second = store->Edit<Meeting>(id);
  first->message<Meeting>().set_place("一");
  second->message<Meeting>().set_place("二");
  EXPECT_TRUE(absl::IsInvalidArgument(store->Commit({&*first, &*second}).status()));
  EXPECT_EQ(Get<Meeting>(id).place(), "");
}

TEST_F(StoreTest, ANewRecordWhoseFieldsMakeTheIdOfOneThatIsHereIsRefused) {
  const auto check_in = [&] {
    Draft draft = store->New<CheckIn>();
    draft.message<CheckIn>().set_activity_id(branch.str());
    draft.message<CheckIn>().set_member_id(branch.str());
    draft.message<CheckIn>().set_branch_id(branch.str());
    return draft;
  };
  Draft first = check_in();
  ASSERT_TRUE(store->Commit({&first}).ok());
  Draft second = check_in();
  EXPECT_TRUE(absl::IsAlreadyExists(store->Commit({&second}).status()));
  EXPECT_TRUE(store->Edit<CheckIn>(first.id()).ok());
}

// ---- What is refused at the device ------------------------------------------------

TEST_F(StoreTest, ARequiredFieldIsEmptyTheEditIsRefused) {
  Draft draft = store->New<Meeting>();
  const absl::Status status = store->Commit({&draft}).status();
  EXPECT_EQ(ReasonFor(status), sync::v1::MISSING_FIELD);
  EXPECT_THAT(std::string(status.message()), HasSubstr("branch_id"));
}

TEST_F(StoreTest, AFormatIsNotKeptTheEditIsRefused) {
  const auto payment = [&](const std::string& month) {
    Draft draft = store->New<DuesPayment>();
    draft.message<DuesPayment>().set_member_id(branch.str());
    draft.message<DuesPayment>().set_branch_id(branch.str());
    draft.message<DuesPayment>().set_amount_fen(100);
    draft.message<DuesPayment>().set_month(month);
    return store->Commit({&draft}).status();
  };
  EXPECT_EQ(ReasonFor(payment("2026年11月")), sync::v1::BAD_VALUE);
  EXPECT_EQ(ReasonFor(payment("2026-13")), sync::v1::BAD_VALUE);
  EXPECT_EQ(payment("2026-11"), absl::OkStatus());
}

TEST_F(StoreTest, AFieldIsWrittenASecondTimeTheEditIsRefused) {
  const Id id = MakeSampler([](Sampler& s) { s.set_first("甲"); });
  EXPECT_EQ(ReasonFor(Change<Sampler>(id, [](Sampler& s) { s.set_first("乙"); })),
            sync::v1::ALREADY_WRITTEN);
  EXPECT_EQ(Get<Sampler>(id).first(), "甲");
}

TEST_F(StoreTest, AStepIsNotDeclaredTheEditIsRefused) {
  const Id id = MakeSampler();
  EXPECT_EQ(ReasonFor(Change<Sampler>(id, [](Sampler& s) { s.set_forward(Sampler::DONE); })),
            sync::v1::STEP_NOT_ALLOWED);
  EXPECT_EQ(Change<Sampler>(id, [](Sampler& s) { s.set_forward(Sampler::OPENED); }),
            absl::OkStatus());
}

TEST_F(StoreTest, AFieldIsTheServersTheEditIsRefused) {
  const Id id = MakeSampler();
  EXPECT_EQ(ReasonFor(Change<Sampler>(id, [](Sampler& s) { s.set_server("我"); })),
            sync::v1::SERVER_ONLY);
}

TEST_F(StoreTest, ATextIsNotUtf8TheEditIsRefused) {
  Draft draft = MeetingIn(branch, "\xff\xfe");
  EXPECT_EQ(ReasonFor(store->Commit({&draft}).status()), sync::v1::INVALID_TEXT);
}

TEST_F(StoreTest, AnEditIsTooLargeItIsRefused) {
  Draft draft = MeetingIn(branch, std::string(2 << 20, 'x'));
  EXPECT_EQ(ReasonFor(store->Commit({&draft}).status()), sync::v1::TOO_LARGE);
  EXPECT_THAT(Topics({.type = 31}), IsEmpty());
}

TEST_F(StoreTest, MoreThanANewerAppAddsIsInUnknownFieldsTheEditIsRefused) {
  Draft draft = MeetingIn(branch, "大会");
  auto& meeting = draft.message<Meeting>();
  auto* unknown = meeting.GetReflection()->MutableUnknownFields(&meeting);
  unknown->AddLengthDelimited(99, std::string(900'000, 'z'));
  EXPECT_EQ(ReasonFor(store->Commit({&draft}).status()), sync::v1::TOO_LARGE);
  unknown->Clear();
  unknown->AddLengthDelimited(99, std::string(16'000, 'z'));
  EXPECT_TRUE(store->Commit({&draft}).ok());
  EXPECT_EQ(
      ReasonFor(Change<Meeting>(draft.id(),
                                [](Meeting& m) {
                                  m.GetReflection()->MutableUnknownFields(&m)->AddVarint(100, 1);
                                  m.GetReflection()->MutableUnknownFields(&m)->AddLengthDelimited(
                                      101, std::string(1'000, 'z'));
                                })),
      sync::v1::TOO_LARGE);
  EXPECT_EQ(Change<Meeting>(draft.id(), [](Meeting& m) { m.set_place("礼堂"); }), absl::OkStatus());
}

TEST_F(StoreTest, AnAmountIsNobodysTheEditIsRefused) {
  Draft draft = store->New<DuesPayment>();
  draft.message<DuesPayment>().set_member_id(branch.str());
  draft.message<DuesPayment>().set_branch_id(branch.str());
  draft.message<DuesPayment>().set_month("2026-11");
  for (const int64_t fen : {int64_t{1'000'000'001}, int64_t{-1'000'000'000'000'000}}) {
    draft.message<DuesPayment>().set_amount_fen(fen);
    EXPECT_EQ(ReasonFor(store->Commit({&draft}).status()), sync::v1::BAD_VALUE);
  }
  draft.message<DuesPayment>().set_amount_fen(-1'000'000'000);
  EXPECT_TRUE(store->Commit({&draft}).ok());
}

TEST_F(StoreTest, ARecordIsPermanentItsDeletionIsRefused) {
  Draft draft = store->New<DuesPayment>();
  draft.message<DuesPayment>().set_member_id(branch.str());
  draft.message<DuesPayment>().set_branch_id(branch.str());
  draft.message<DuesPayment>().set_amount_fen(100);
  draft.message<DuesPayment>().set_month("2026-11");
  ASSERT_TRUE(store->Commit({&draft}).ok());
  auto again = store->Edit<DuesPayment>(draft.id());
  again->Delete();
  EXPECT_EQ(ReasonFor(store->Commit({&*again}).status()), sync::v1::PERMANENT);
}

TEST_F(StoreTest, AFieldThatMakesTheIdIsChangedTheEditIsRefused) {
  Draft draft = store->New<CheckIn>();
  draft.message<CheckIn>().set_activity_id(branch.str());
  draft.message<CheckIn>().set_member_id(branch.str());
  draft.message<CheckIn>().set_branch_id(branch.str());
  ASSERT_TRUE(store->Commit({&draft}).ok());
  const Id other = fate.environment().NewId();
  EXPECT_EQ(
      ReasonFor(Change<CheckIn>(draft.id(), [&](CheckIn& c) { c.set_member_id(other.str()); })),
      sync::v1::IDENTITY_FIXED);
}

// ---- Answers ----------------------------------------------------------------------------

TEST_F(StoreTest, ACountedEditIsAnsweredItsEffectIsNotCountedTwice) {
  const Id id = MakeSampler([](Sampler& s) { s.set_sum(5); });
  sync::v1::Update update = Said(Get<Sampler>(id), id, 1);
  update.MergeFrom(Answered(1));
  ASSERT_EQ(store->ApplyUpdate(update), absl::OkStatus());
  EXPECT_EQ(Get<Sampler>(id).sum(), 5);
  EXPECT_EQ(Unsent(), 0u);
}

TEST_F(StoreTest, AnAnswerThatWasGivenBeforeChangesNothing) {
  const Id id = MakeSampler([](Sampler& s) { s.set_sum(5); });
  sync::v1::Update update = Said(Get<Sampler>(id), id, 1);
  update.MergeFrom(Answered(1));
  ASSERT_EQ(store->ApplyUpdate(update), absl::OkStatus());
  ASSERT_EQ(store->ApplyUpdate(Answered(1, sync::v1::RETURNED)), absl::OkStatus());
  EXPECT_EQ(store->State()->set_aside, 0u);
  EXPECT_EQ(Get<Sampler>(id).sum(), 5);
}

TEST_F(StoreTest, AnEditComesBackItsEffectIsGoneAndItIsSetAside) {
  const Id id = MakeMeeting("学习");
  now_ms += 1000;
  sync::v1::Update update = Answered(1, sync::v1::RETURNED, sync::v1::NOT_ENTITLED);
  update.mutable_answers(0)->set_detail("会议");
  ASSERT_EQ(store->ApplyUpdate(update), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(store->Edit<Meeting>(id).status()));
  store = nullptr;
  store = MustOpen(file);
  EXPECT_EQ(store->State()->set_aside, 1u);
  std::vector<client::SetAside> items;
  ASSERT_EQ(store->ListSetAside([&](const client::SetAside& item) { items.push_back(item); }),
            absl::OkStatus());
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].answer.reason(), sync::v1::NOT_ENTITLED);
  EXPECT_EQ(items[0].answer.detail(), "会议");
  EXPECT_EQ(items[0].at_ms, now_ms);
  Meeting kept;
  EXPECT_TRUE(kept.ParseFromString(items[0].edit.changes(0).set()));
  EXPECT_EQ(kept.topic(), "学习");
}

TEST_F(StoreTest, AnswersComeInAnyOrderNumbersGoOn) {
  MakeMeeting("一");
  MakeMeeting("二");
  MakeMeeting("三");
  ASSERT_EQ(store->ApplyUpdate(Answered(3)), absl::OkStatus());
  Draft fourth = MeetingIn(branch, "四");
  EXPECT_EQ(store->Commit({&fourth})->value, 4u);
  for (const uint64_t number : {4, 1, 2}) {
    ASSERT_EQ(store->ApplyUpdate(Answered(number)), absl::OkStatus());
  }
  Draft fifth = MeetingIn(branch, "五");
  EXPECT_EQ(store->Commit({&fifth})->value, 5u);
}

TEST_F(StoreTest, EachEditSaysWhichOneCameBefore) {
  MakeMeeting("一");
  MakeMeeting("二");
  const auto pending = Pending();
  EXPECT_EQ(pending[0].previous(), 0u);
  EXPECT_EQ(pending[1].previous(), LinkTo(pending[0].edit()));
  sync::v1::Update both = Answered(1);
  both.MergeFrom(Answered(2));
  ASSERT_EQ(store->ApplyUpdate(both), absl::OkStatus());
  MakeMeeting("三");
  EXPECT_EQ(Pending().at(0).previous(), LinkTo(pending[1].edit()));
}

TEST_F(StoreTest, AnUpdateThatIsWrongInItsMiddleChangesNothing) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  const Id id = fate.environment().NewId();
  sync::v1::Update update = Said(meeting, id, 1);
  update.MergeFrom(Said(meeting, fate.environment().NewId(), 2));
  update.mutable_groups(1)->mutable_ids()->pop_back();
  EXPECT_EQ(ReasonFor(store->ApplyUpdate(update)), sync::v1::PROTOCOL_ERROR);
  EXPECT_TRUE(absl::IsNotFound(store->Edit<Meeting>(id).status()));
}

TEST_F(StoreTest, ARecordThatLeavesTakesItsRowAndPendingEditsWait) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  const Id id = fate.environment().NewId();
  ASSERT_EQ(store->ApplyUpdate(Said(meeting, id, 1)), absl::OkStatus());
  ASSERT_EQ(Change<Meeting>(id, [](Meeting& m) { m.set_place("礼堂"); }), absl::OkStatus());
  sync::v1::Update removal;
  removal.add_removals()->set_type(31);
  removal.mutable_removals(0)->set_ids(id.str());
  ASSERT_EQ(store->ApplyUpdate(removal), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(store->Edit<Meeting>(id).status()));
  EXPECT_EQ(Unsent(), 1u);
  ASSERT_EQ(store->ApplyUpdate(Said(meeting, id, 2)), absl::OkStatus());  // it comes again
  EXPECT_EQ(Get<Meeting>(id).place(), "礼堂");
}

TEST_F(StoreTest, ADroppedScopeTakesWhatLiesThereAndPendingEditsWait) {
  const Id other = fate.environment().NewId();
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  const Id here = fate.environment().NewId();
  const Id changed = fate.environment().NewId();
  ASSERT_EQ(store->ApplyUpdate(Said(meeting, here, 1)), absl::OkStatus());
  ASSERT_EQ(store->ApplyUpdate(Said(meeting, changed, 1)), absl::OkStatus());
  meeting.set_branch_id(other.str());
  const Id elsewhere = fate.environment().NewId();
  ASSERT_EQ(store->ApplyUpdate(Said(meeting, elsewhere, 1)), absl::OkStatus());
  ASSERT_EQ(Change<Meeting>(changed, [](Meeting& m) { m.set_place("礼堂"); }), absl::OkStatus());
  sync::v1::Update update;
  update.add_dropped(branch.str());
  update.add_cursors()->set_scope(branch.str());
  ASSERT_EQ(store->ApplyUpdate(update), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(store->Edit<Meeting>(here).status()));
  EXPECT_TRUE(absl::IsNotFound(store->Edit<Meeting>(changed).status()));
  EXPECT_TRUE(store->Edit<Meeting>(elsewhere).ok());
  EXPECT_EQ(Unsent(), 1u);
}

// What of them is still to be here nobody can tell but the server.
TEST_F(StoreTest, ADroppedScopeTakesRecordsOfUnknownTypesAndEverythingIsReadAnew) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  sync::v1::Update update = Said(meeting, fate.environment().NewId(), 1);
  update.mutable_groups(0)->set_type(4000);
  auto& cursor = *update.add_cursors();
  cursor.set_scope(fate.environment().NewId().str());
  cursor.set_audience(2);
  cursor.set_seal("sealed");
  ASSERT_EQ(store->ApplyUpdate(update), absl::OkStatus());
  ASSERT_EQ(store->ReadAnewWhatIsUnknown(), absl::OkStatus());
  ASSERT_THAT(store->Cursors().value(), SizeIs(1)) << "nothing is due";
  EXPECT_EQ(store->Cursors().value()[0].SerializeAsString(), cursor.SerializeAsString());
  sync::v1::Update drop;
  drop.add_dropped(branch.str());
  ASSERT_EQ(store->ApplyUpdate(drop), absl::OkStatus());
  ASSERT_EQ(store->ReadAnewWhatIsUnknown(), absl::OkStatus());
  EXPECT_THAT(store->Cursors().value(), IsEmpty());
}

// ---- What a person is told ---------------------------------------------------------------

TEST_F(StoreTest, CountsProgressAndTheLastSuccessSurviveARestart) {
  MakeMeeting();
  MakeMeeting();
  sync::v1::Welcome welcome;
  welcome.set_to_pass(10);
  ASSERT_EQ(store->BeginDownload(welcome), absl::OkStatus());
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  sync::v1::Update update = Said(meeting, fate.environment().NewId(), 1);
  update.set_catching_up(true);
  update.set_passed(4);  // three that the device may not read
  ASSERT_EQ(store->ApplyUpdate(update), absl::OkStatus());
  ASSERT_EQ(store->EndAttempt(absl::OkStatus()), absl::OkStatus());
  const int64_t success = now_ms;
  now_ms += 5000;
  ASSERT_EQ(store->EndAttempt(Refuse(sync::v1::DEVICE_REVOKED, "手机")), absl::OkStatus());
  store = nullptr;
  store = MustOpen(file);
  const client::SyncState state = *store->State();
  EXPECT_EQ(state.unsent, 2u);
  EXPECT_EQ(state.last_success_ms, success);
  EXPECT_EQ(state.records_received, 1u);
  EXPECT_EQ(state.progress_done, 4u);
  EXPECT_EQ(state.progress_total, 10u);
  EXPECT_EQ(state.bytes_received, update.ByteSizeLong());
  EXPECT_EQ(state.problem, sync::v1::DEVICE_REVOKED);
  EXPECT_EQ(state.problem_detail, "手机");
  ASSERT_EQ(store->EndAttempt(absl::OkStatus()), absl::OkStatus());
  EXPECT_EQ(store->State()->problem, sync::v1::NO_REASON);
  EXPECT_EQ(store->State()->problem_detail, "");
}

TEST_F(StoreTest, ASubscriberIsToldAfterACommitAndNotOfAFailure) {
  std::vector<Id> told;
  const auto subscription = store->Subscribe([&](const Changes& changes) {
    for (const RecordKey& key : changes.keys) {
      told.push_back(key.id);
      EXPECT_TRUE(store->Edit<Meeting>(key.id).ok());  // it may call the store
    }
    if (told.size() == 1) MakeMeeting("由订阅者");
  });
  const Id id = MakeMeeting();
  EXPECT_THAT(told, SizeIs(2));
  EXPECT_EQ(told[0], id);
  Draft bad = store->New<Meeting>();
  EXPECT_FALSE(store->Commit({&bad}).ok());
  EXPECT_THAT(told, SizeIs(2));
}

TEST_F(StoreTest, ASubscriptionThatEndedIsToldNothing) {
  int told = 0;
  auto subscription = store->Subscribe([&](const Changes&) { ++told; });
  MakeMeeting();
  subscription = nullptr;
  MakeMeeting();
  EXPECT_EQ(told, 1);
}

TEST_F(StoreTest, MoreChangesThanAreListedSayThatAnythingMayHaveChanged) {
  sync::v1::Update update;
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  for (size_t i = 0; i <= Changes::kKeysMax; ++i) {
    update.MergeFrom(Said(meeting, fate.environment().NewId(), 1));
  }
  Changes told;
  const auto subscription = store->Subscribe([&](const Changes& changes) { told = changes; });
  ASSERT_EQ(store->ApplyUpdate(update), absl::OkStatus());
  EXPECT_TRUE(told.all);
  EXPECT_THAT(told.keys, SizeIs(Changes::kKeysMax));
}

// ---- Threads and processes ------------------------------------------------------------------

TEST_F(StoreTest, ManyThreadsAndTwoProcessesUseOneFile) {
  const Id sampler = MakeSampler();
  const auto second = MustOpen(file);
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Store& mine = t % 2 == 0 ? *store : *second;
      for (int i = 0; i < kEach; ++i) {
        auto draft = mine.Edit<Sampler>(sampler);
        ASSERT_TRUE(draft.ok()) << draft.status();
        auto& message = draft->message<Sampler>();
        message.set_sum(message.sum() + 1);
        const auto number = mine.Commit({&*draft});
        ASSERT_TRUE(number.ok()) << number.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Get<Sampler>(sampler).sum(), 4 * kEach);
  EXPECT_EQ(Unsent(), 4u * kEach + 1);
  const auto pending = Pending();
  for (size_t i = 1; i < pending.size(); ++i) {
    EXPECT_EQ(pending[i].number(), i + 1);
    EXPECT_EQ(pending[i].previous(), LinkTo(pending[i - 1].edit()));
    EXPECT_GT(pending[i].stamp(), pending[i - 1].stamp());
  }
}

// ---- Files that fail ----------------------------------------------------------------------

TEST_F(StoreTest, TheProcessIsKilledAfterACommitNothingOfItIsLost) {
  const Id id = MakeMeeting("学习");
  const std::string copy = directory.NewFile();
  CopyDatabase(file, copy);  // as the disk has it now, with the file still open
  store = MustOpen(copy);
  EXPECT_EQ(Get<Meeting>(id).topic(), "学习");
  EXPECT_EQ(Unsent(), 1u);
}

TEST_F(StoreTest, TheDiskIsFullWhatWasThereStaysAndItWorksAgainWhenThereIsRoom) {
  SmallDisk::Register();
  store = MustOpen(directory.NewFile(), SmallDisk::kName);
  const Id id = MakeMeeting("学习");
  int told = 0;
  const auto subscription = store->Subscribe([&](const Changes&) { ++told; });
  // However far the write gets.
  for (int64_t room = 0; room < 40'000; room += 700) {
    SmallDisk::room = room;
    Draft draft = MeetingIn(branch);
    draft.message<Meeting>().set_minutes(std::string(50'000, 'x'));
    EXPECT_TRUE(absl::IsResourceExhausted(store->Commit({&draft}).status())) << room;
    EXPECT_EQ(Get<Meeting>(id).topic(), "学习");
    EXPECT_THAT(Topics({.type = 31}), SizeIs(1));
    EXPECT_EQ(Unsent(), 1u);
  }
  EXPECT_EQ(told, 0);
  SmallDisk::room = std::numeric_limits<int64_t>::max();
  Draft draft = MeetingIn(branch);
  draft.message<Meeting>().set_minutes(std::string(50'000, 'x'));
  const auto number = store->Commit({&draft});
  ASSERT_TRUE(number.ok()) << number.status();
  EXPECT_EQ(number->value, 2u);
  EXPECT_EQ(Unsent(), 2u);
}

TEST_F(StoreTest, AFileThatIsNoDatabaseIsCalledDamaged) {
  const std::string path = directory.NewFile();
  std::ofstream(path) << std::string(8192, 'x');
  EXPECT_EQ(Open(path).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(std::filesystem::file_size(path), 8192u);
}

TEST_F(StoreTest, AFileOfANewerVersionIsNotTouched) {
  MakeMeeting();
  store = nullptr;
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "PRAGMA user_version=1000", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(database);
  EXPECT_EQ(Open(file).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StoreTest, AFileThatCannotBeOpenedIsUnavailable) {
  EXPECT_EQ(Open("/nowhere/at/all.db").status().code(), absl::StatusCode::kUnavailable);
}

// ---- Identity, clocks, numbers ------------------------------------------------------------

TEST_F(StoreTest, ADeviceIsEnrolledOnce) {
  EXPECT_TRUE(absl::IsNotFound(store->GetIdentity().status()));
  const client::Identity identity{.device = DeviceNumber(5), .person = branch, .server_id = "s"};
  EXPECT_EQ(store->SetIdentity(identity), absl::OkStatus());
  EXPECT_TRUE(absl::IsAlreadyExists(store->SetIdentity(identity)));
  EXPECT_EQ(store->GetIdentity()->device, DeviceNumber(5));
  EXPECT_EQ(store->GetIdentity()->person, branch);
}

TEST_F(StoreTest, StampsRiseWhateverTheClockDoes) {
  MakeMeeting();
  now_ms -= 86'400'000;
  MakeMeeting();
  now_ms += 2 * 86'400'000;
  MakeMeeting();
  const auto pending = Pending();
  EXPECT_LT(pending[0].stamp(), pending[1].stamp());
  EXPECT_LT(pending[1].stamp(), pending[2].stamp());
}

TEST_F(StoreTest, UnansweredEditsAreStampedAnewByTheServersClock) {
  constexpr int64_t kYearMs = int64_t{365} * 86'400'000;
  for (const int64_t error : {10 * kYearMs, -20 * kYearMs}) {
    store = MustOpen(directory.NewFile());
    const int64_t right = now_ms;
    now_ms = right + error;
    const Id id = MakeMeeting("一");
    now_ms += 1000;
    ASSERT_EQ(Change<Meeting>(id, [](Meeting& m) { m.set_topic("二"); }), absl::OkStatus());
    ASSERT_EQ(store->Restamp(-error), absl::OkStatus());
    const auto pending = Pending();
    EXPECT_EQ(pending[0].stamp(), StampAt(right).value);
    EXPECT_EQ(pending[1].stamp(), StampAt(right + 1000).value);
    EXPECT_EQ(EditIn(pending[0]).device_time_ms(), right + error);
    EXPECT_EQ(Get<Meeting>(id).topic(), "二");
    // And those made from now on.
    MakeMeeting();
    EXPECT_EQ(MillisOf(Stamp(Pending().at(2).stamp())), right + 1000);
    now_ms = right;
  }
}

TEST_F(StoreTest, AnEditIsStampedLaterThanAllThatItsAuthorHadSeen) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  sync::v1::Update update = Said(meeting, fate.environment().NewId(), 1);
  const uint64_t later = StampAt(now_ms + 50'000).value;
  const uint64_t latest = StampAt(now_ms + 55'000).value;
  update.mutable_groups(0)->set_stamp(later);
  ASSERT_EQ(store->ApplyUpdate(update), absl::OkStatus());
  MakeMeeting();
  EXPECT_GT(Pending().at(0).stamp(), later);
  // A field may have been changed later than the record was last changed.
  sync::v1::Trace trace;
  trace.add_fields()->set_field(4);
  trace.mutable_fields(0)->mutable_touch()->set_stamp(latest);
  update.mutable_groups(0)->add_traces(trace.SerializeAsString());
  ASSERT_EQ(store->ApplyUpdate(update), absl::OkStatus());
  MakeMeeting();
  EXPECT_GT(Pending().at(1).stamp(), latest);
}

// Ten times the records are some ten times the reading, and not a hundred.
TEST_F(StoreTest, AnEditOfManyRecordsIsReadOnceWhenTheyAreAllWorkedOutAgain) {
  const RowBytes listen;  // to the connections that are opened from here on
  const auto restamped = [&](int records) {
    store = MustOpen(directory.NewFile());
    std::vector<Draft> drafts;
    std::vector<Draft*> pointers;
    for (int i = 0; i < records; ++i) drafts.push_back(MeetingIn(branch, std::string(500, 'x')));
    for (Draft& draft : drafts) pointers.push_back(&draft);
    EXPECT_TRUE(store->Commit(pointers).ok());
    const RowBytes read;
    EXPECT_EQ(store->Restamp(-86'400'000), absl::OkStatus());
    return read.bytes();
  };
  const int64_t few = restamped(100);
  EXPECT_GT(few, 50'000);
  EXPECT_LT(restamped(1000), 30 * few);
}

TEST_F(StoreTest, WhatTheServerShowsFromAfterItsOwnTimeIsNotTakenForSeen) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  sync::v1::Update update = Said(meeting, fate.environment().NewId(), 1);
  update.mutable_groups(0)->set_stamp(StampAt(now_ms + 100 * int64_t{86'400'000}).value);
  ASSERT_EQ(store->ApplyUpdate(update), absl::OkStatus());
  MakeMeeting();
  EXPECT_EQ(MillisOf(Stamp(Pending().at(0).stamp())), now_ms);
}

TEST_F(StoreTest, ACommitByAnotherProcessIsNoticedWhenItIsLookedFor) {
  const int64_t before = store->CommitsOfOthers().value();
  MakeMeeting("自己");
  EXPECT_EQ(store->CommitsOfOthers().value(), before);
  auto other = MustOpen(file);
  const int64_t open = store->CommitsOfOthers().value();
  std::swap(store, other);
  MakeMeeting("别的进程");
  std::swap(store, other);
  EXPECT_NE(store->CommitsOfOthers().value(), open);
}

TEST_F(StoreTest, TheStateTellsApartWhatWaitsWhatIsInAndWhatCameBack) {
  MakeMeeting("在");
  MakeMeeting("退");
  MakeMeeting("等");
  const Id unsent = MakeMeeting("未发");
  ASSERT_EQ(store->EndAttempt(absl::OkStatus()), absl::OkStatus());
  ASSERT_EQ(store->ApplyUpdate(Answered(1)), absl::OkStatus());
  ASSERT_EQ(store->ApplyUpdate(Answered(2, sync::v1::RETURNED, sync::v1::NOT_ENTITLED)),
            absl::OkStatus());
  ASSERT_EQ(store->ApplyUpdate(Answered(3, sync::v1::HELD, sync::v1::GRANT_ENDED)),
            absl::OkStatus());
  client::SyncState state = store->State().value();
  EXPECT_EQ(state.merged, 1u);
  EXPECT_EQ(state.returned, 1u);
  EXPECT_EQ(state.held, 1u);
  EXPECT_EQ(state.set_aside, 2u);
  EXPECT_EQ(state.unsent, 1u);
  EXPECT_FALSE(state.synced());

  std::vector<client::UnsentEdit> waiting;
  ASSERT_EQ(store->ListUnsent([&](const client::UnsentEdit& edit) { waiting.push_back(edit); }),
            absl::OkStatus());
  ASSERT_THAT(waiting, SizeIs(1));
  EXPECT_EQ(waiting[0].number, EditNumber(4));
  EXPECT_EQ(waiting[0].edit.changes(0).id(), unsent.str());
  const RecordType& type = *store->schema().Find(Meeting::descriptor());
  EXPECT_THAT(store->UnsentRecords(type).value(), ElementsAre(unsent));

  // All is sent, and something has come back: that is not what was meant to be there.
  ASSERT_EQ(store->ApplyUpdate(Answered(4)), absl::OkStatus());
  EXPECT_EQ(store->State()->unsent, 0u);
  EXPECT_FALSE(store->State()->synced());
  std::vector<int64_t> places;
  ASSERT_EQ(store->ListSetAside([&](const SetAside& item) { places.push_back(item.place); }),
            absl::OkStatus());
  for (const int64_t place : places) ASSERT_EQ(store->Discard(place), absl::OkStatus());
  EXPECT_TRUE(store->State()->synced());
  EXPECT_EQ(store->State()->merged, 2u);
}

TEST_F(StoreTest, EditsAreRenumberedWithWhatTheyBuildOnAndNothingElseChanges) {
  MakeMeeting("答过");
  const Id id = MakeMeeting("学习");
  ASSERT_EQ(Change<Meeting>(id, [](Meeting& m) { m.set_place("礼堂"); }), absl::OkStatus());
  const Id sampler = MakeSampler([](Sampler& s) { s.set_sum(5); });
  ASSERT_EQ(Change<Sampler>(sampler, [](Sampler& s) { s.set_sum(8); }), absl::OkStatus());
  ASSERT_EQ(store->ApplyUpdate(Answered(1)), absl::OkStatus());
  const auto before = Pending();
  ASSERT_THAT(before.at(1).builds_on(), ElementsAre(2));

  ASSERT_EQ(store->Renumber(DeviceNumber(9)), absl::OkStatus());
  const auto after = Pending();
  ASSERT_EQ(after.size(), before.size());
  uint64_t link = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].number(), i + 1);
    EXPECT_EQ(after[i].previous(), link);
    EXPECT_EQ(after[i].stamp(), before[i].stamp());
    EXPECT_EQ(after[i].edit(), before[i].edit());
    link = LinkTo(after[i].edit());
  }
  EXPECT_THAT(after[1].builds_on(), ElementsAre(1));
  EXPECT_THAT(after[3].builds_on(), ElementsAre(3));
  EXPECT_EQ(Get<Meeting>(id).place(), "礼堂");
  EXPECT_EQ(Get<Sampler>(sampler).sum(), 8);
  // Answers by the new numbers find what they touched.
  ASSERT_EQ(store->ApplyUpdate(Answered(4, sync::v1::RETURNED)), absl::OkStatus());
  EXPECT_EQ(Get<Sampler>(sampler).sum(), 5);
  Draft next = MeetingIn(branch, "新");
  EXPECT_EQ(store->Commit({&next})->value, 5u);
}

// An edit was answered before the one that it builds on; both are offered again.
TEST_F(StoreTest, GoingBackToAFormerNumberKeepsTheOrderInWhichEditsWereMade) {
  ASSERT_EQ(store->Renumber(DeviceNumber(9)), absl::OkStatus());
  const Id id = MakeMeeting("学习");
  ASSERT_EQ(Change<Meeting>(id, [](Meeting& m) { m.set_place("礼堂"); }), absl::OkStatus());
  const auto before = Pending();
  ASSERT_EQ(store->ApplyUpdate(Answered(2, sync::v1::RETURNED)), absl::OkStatus());
  ASSERT_EQ(Pending().size(), 1u);

  const auto went_back = store->GoBack();
  ASSERT_TRUE(went_back.ok() && *went_back);
  const auto after = Pending();
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[0].edit(), before[0].edit());
  EXPECT_EQ(after[1].edit(), before[1].edit());
  EXPECT_THAT(after[1].builds_on(), ElementsAre(after[0].number()));
}

// The server's backup has the first, so that the device need not keep it.
TEST_F(StoreTest, AnEditBuildsOnOneThatWasReturnedThoughThatIsKeptNoLonger) {
  const Id id = MakeMeeting("学习");
  ASSERT_EQ(Change<Meeting>(id, [](Meeting& m) { m.set_place("礼堂"); }), absl::OkStatus());
  ASSERT_EQ(store->ApplyUpdate(Answered(1, sync::v1::RETURNED)), absl::OkStatus());
  sync::v1::Welcome welcome;
  welcome.set_safe(1);
  ASSERT_EQ(store->BeginDownload(welcome), absl::OkStatus());
  EXPECT_THAT(Pending().at(0).builds_on(), ElementsAre(1));
}

// ---- What was set aside ---------------------------------------------------------------

TEST_F(StoreTest, WhatWasReturnedIsAmendedOnWhatIsShownNowAndLeavesTheListWithTheCommit) {
  const Id id = MakeMeeting("学习");
  sync::v1::Update merged = Said(Get<Meeting>(id), id, 5);
  *merged.mutable_answers() = Answered(1).answers();
  ASSERT_EQ(store->ApplyUpdate(merged), absl::OkStatus());
  Meeting others;
  others.set_branch_id(branch.str());
  others.set_topic("别人改的题目");
  ASSERT_EQ(Change<Meeting>(id, [](Meeting& m) { m.set_place("礼堂"); }), absl::OkStatus());
  ASSERT_EQ(store->ApplyUpdate(Answered(2, sync::v1::RETURNED)), absl::OkStatus());
  ASSERT_EQ(store->ApplyUpdate(Said(others, id, 9)), absl::OkStatus());

  auto drafts = store->Amend(1);
  ASSERT_TRUE(drafts.ok()) << drafts.status();
  ASSERT_EQ(drafts->size(), 1u);
  EXPECT_EQ((*drafts)[0].message<Meeting>().topic(), "别人改的题目");
  EXPECT_EQ((*drafts)[0].message<Meeting>().place(), "礼堂");
  EXPECT_EQ(store->State()->set_aside, 1u);
  (*drafts)[0].message<Meeting>().set_place("大礼堂");
  ASSERT_TRUE(store->Commit({&(*drafts)[0]}).ok());
  EXPECT_EQ(store->State()->set_aside, 0u);
  Meeting sent;
  sent.ParseFromString(EditIn(Pending().at(0)).changes(0).set());
  EXPECT_EQ(sent.place(), "大礼堂");
  EXPECT_EQ(sent.topic(), "");
}

TEST_F(StoreTest, ARecordWhoseMakingWasReturnedIsMadeAgainUnderItsId) {
  const Id id = MakeMeeting("学习");
  ASSERT_EQ(store->ApplyUpdate(Answered(1, sync::v1::RETURNED)), absl::OkStatus());
  ASSERT_TRUE(absl::IsNotFound(store->Edit<Meeting>(id).status()));
  auto drafts = store->Amend(1);
  ASSERT_TRUE(drafts.ok()) << drafts.status();
  ASSERT_TRUE(store->Commit({&(*drafts)[0]}).ok());
  EXPECT_EQ(Get<Meeting>(id).topic(), "学习");
}

TEST_F(StoreTest, ASumThatWasReturnedIsAddedOnceMoreToWhatIsThere) {
  const Id id = MakeSampler([](Sampler& s) { s.set_sum(5); });
  ASSERT_EQ(Change<Sampler>(id, [](Sampler& s) { s.set_sum(8); }), absl::OkStatus());
  ASSERT_EQ(store->ApplyUpdate(Answered(2, sync::v1::RETURNED)), absl::OkStatus());
  EXPECT_EQ(Get<Sampler>(id).sum(), 5);
  auto drafts = store->Amend(1);
  ASSERT_TRUE(drafts.ok()) << drafts.status();
  ASSERT_TRUE(store->Commit({&(*drafts)[0]}).ok());
  EXPECT_EQ(Get<Sampler>(id).sum(), 8);
}

TEST_F(StoreTest, WhatWasSetAsideIsMadeAgainWholeOrNotAtAllAndOnlyOnce) {
  Draft first = MeetingIn(branch, "一");
  Draft second = MeetingIn(branch, "二");
  ASSERT_TRUE(store->Commit({&first, &second}).ok());
  ASSERT_EQ(store->ApplyUpdate(Answered(1, sync::v1::RETURNED)), absl::OkStatus());
  auto drafts = store->Amend(1);
  ASSERT_TRUE(drafts.ok()) << drafts.status();
  ASSERT_EQ(drafts->size(), 2u);
  EXPECT_TRUE(absl::IsInvalidArgument(store->Commit({&(*drafts)[0]}).status()));
  EXPECT_EQ(store->State()->set_aside, 1u);
  auto again = store->Amend(1);
  ASSERT_TRUE(store->Commit({&(*drafts)[0], &(*drafts)[1]}).ok());
  EXPECT_FALSE(store->Commit({&(*again)[0], &(*again)[1]}).ok());
  EXPECT_EQ(Unsent(), 1u);
}

TEST_F(StoreTest, WhatIsHeldIsMadeAgainOnlyOnceItHasBeenReturnedOrItWouldCountTwice) {
  const Id id = MakeSampler([](Sampler& s) { s.set_sum(5); });
  ASSERT_EQ(store->ApplyUpdate(Answered(1, sync::v1::HELD)), absl::OkStatus());
  EXPECT_EQ(ReasonFor(store->Amend(1).status()), sync::v1::NOT_DECIDED);
  SetAside item;
  const auto look = [&] {
    ASSERT_EQ(store->ListSetAside([&](const SetAside& one) { item = one; }), absl::OkStatus());
  };
  look();
  EXPECT_EQ(item.standing, SetAside::Standing::kWaiting);
  const Id record = HeldId(item.edit.SerializeAsString());
  records::v1::HeldEdit held;
  held.set_state(records::v1::HeldEdit::TAKEN);
  ASSERT_EQ(store->ApplyUpdate(Said(held, record, 5)), absl::OkStatus());
  EXPECT_EQ(ReasonFor(store->Amend(1).status()), sync::v1::NOT_DECIDED);
  EXPECT_EQ(store->State()->set_aside, 0u);
  held.set_state(records::v1::HeldEdit::RETURNED);
  held.set_reply("请重新填写");
  ASSERT_EQ(store->ApplyUpdate(Said(held, record, 6)), absl::OkStatus());
  look();
  EXPECT_EQ(item.reply, "请重新填写");
  auto drafts = store->Amend(1);
  ASSERT_TRUE(drafts.ok()) << drafts.status();
  ASSERT_TRUE(store->Commit({&(*drafts)[0]}).ok());
  EXPECT_EQ(Get<Sampler>(id).sum(), 5);
}

TEST_F(StoreTest, WhatIsDiscardedIsGoneAndNothingElse) {
  MakeMeeting("一");
  MakeMeeting("二");
  ASSERT_EQ(store->ApplyUpdate(Answered(1, sync::v1::RETURNED)), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(store->Discard(7)));
  EXPECT_EQ(store->Discard(1), absl::OkStatus());
  EXPECT_EQ(store->State()->set_aside, 0u);
  EXPECT_TRUE(absl::IsNotFound(store->Discard(1)));
  EXPECT_TRUE(absl::IsNotFound(store->Amend(1).status()));
  EXPECT_EQ(Unsent(), 1u);
}

TEST_F(StoreTest, ATypeThatOnlyATestDeclaresIsStoredLikeAnyOther) {
  Draft draft = store->New<Bicycle>();
  draft.message<Bicycle>().set_branch_id(branch.str());
  draft.message<Bicycle>().add_riders("张");
  ASSERT_TRUE(store->Commit({&draft}).ok());
  EXPECT_THAT(Get<Bicycle>(draft.id()).riders(), ElementsAre("张"));
}

}  // namespace
}  // namespace zhibu::test
