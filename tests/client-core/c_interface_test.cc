// The core as an app in any language has it: what is open, what is kept, what is refused.
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "client-core/c/call.h"
#include "sync/base/reason.h"
#include "tests/support/c_phone.h"
#include "tests/support/village.h"

namespace zhibu::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int32_t kInvalid = 3;
constexpr int32_t kFailedPrecondition = 9;

// Whatever a test has opened it has closed.
class CInterface : public ::testing::Test {
 protected:
  ~CInterface() override { EXPECT_EQ(zhibu_live(), before_); }

  static void Fill(Meeting& meeting) {
    meeting.set_branch_id(std::string(Id::kSize, 'b'));
    meeting.set_topic("七月党员大会");
    meeting.set_place("礼堂");
  }

 private:
  const uint64_t before_ = zhibu_live();

 protected:
  Directory directory;
};

// ---- Records -------------------------------------------------------------------

TEST_F(CInterface, WhatIsRecordedIsThereWhenTheAppIsStartedAgain) {
  std::string file;
  Id id;
  {
    CPhone phone(directory.NewFile());
    file = phone.file();
    id = phone.Record<Meeting>(Fill);
    EXPECT_EQ(phone.As<Meeting>(id).place(), "礼堂");
    EXPECT_TRUE(phone.Get("会议", id).marks().pending());
    EXPECT_EQ(phone.State().unsent(), 1u);
    EXPECT_FALSE(phone.State().synced());
  }
  api::v1::OpenOptions options;
  options.set_file(file);
  zhibu_handle again = 0;
  ASSERT_EQ(zhibu_open(In(Bytes(options)), In(kPhoneKey), &again, nullptr), 0);
  api::v1::RecordRef ref;
  ref.set_type("31");
  ref.set_id(id.str());
  const auto row = Got<api::v1::Row>(
      [&](auto* out, auto* error) { return zhibu_get(again, In(Bytes(ref)), out, error); });
  EXPECT_EQ(row.type(), "Meeting");
  EXPECT_EQ(zhibu_close(again, nullptr), 0);
}

TEST_F(CInterface, ACallUnderWhichItsStoreIsClosedIsToldThatAndNothingOfASleep) {
  const CPhone phone(directory.NewFile());
  zhibu_out error = {nullptr, 0};
  const auto closed_meanwhile = [&](client::Store& store) -> client::Answer {
    EXPECT_EQ(zhibu_close(phone.store(), nullptr), 0);
    return client::Done(store.State().status());
  };
  EXPECT_EQ(client::OnStore(phone.store(), nullptr, &error, closed_meanwhile), kInvalid);
  zhibu_free(&error);
}

TEST_F(CInterface, AnotherKeyOpensNothingAndChangesNothing) {
  const CPhone phone(directory.NewFile());
  api::v1::OpenOptions options;
  options.set_file(phone.file());
  zhibu_handle store = 7;
  const auto with = [&](const std::string& key) {
    return [&, key](auto*, auto* error) {
      return zhibu_open(In(Bytes(options)), In(key), &store, error);
    };
  };
  EXPECT_EQ(Refused(with(std::string(32, 'x'))).reason(), sync::v1::WRONG_KEY);
  EXPECT_EQ(store, 0u);
  EXPECT_EQ(Refused(with("short")).code(), kInvalid);
  EXPECT_EQ(Refused(with("")).code(), kInvalid);  // no app's file is plain
}

TEST_F(CInterface, WithAnotherKeyFromNowOnTheFormerOpensNothing) {
  const std::string key(32, 'n');
  api::v1::OpenOptions options;
  zhibu_handle store = 0;
  Id id;
  {
    CPhone phone(directory.NewFile());
    options.set_file(phone.file());
    id = phone.Record<Meeting>(Fill);
    EXPECT_EQ(zhibu_rekey(phone.store(), In("short"), nullptr), kInvalid);
    ASSERT_EQ(zhibu_rekey(phone.store(), In(key), nullptr), 0);
    ASSERT_EQ(zhibu_suspend(phone.store(), nullptr), 0);
    ASSERT_EQ(zhibu_resume(phone.store(), nullptr), 0) << "with the new one";
    EXPECT_EQ(phone.As<Meeting>(id).place(), "礼堂");
  }
  EXPECT_EQ(Refused([&](auto*, auto* error) {
              return zhibu_open(In(Bytes(options)), In(kPhoneKey), &store, error);
            }).reason(),
            sync::v1::WRONG_KEY);
  ASSERT_EQ(zhibu_open(In(Bytes(options)), In(key), &store, nullptr), 0);
  EXPECT_EQ(zhibu_close(store, nullptr), 0);
}

TEST_F(CInterface, APatchChangesTheFieldsThatItNamesAndNoOther) {
  CPhone phone(directory.NewFile());
  const Id id = phone.Record<Meeting>(Fill);
  api::v1::EditRequest edit;
  auto& item = *edit.add_items();
  item.set_seen(phone.Get("Meeting", id).seen());
  item.set_json(R"({"place": "村委会", "topic": "不是这一项"})");
  item.add_fields("place");
  item.add_fields("kind");
  const auto done = Got<api::v1::Committed>([&](auto* out, auto* error) {
    return zhibu_commit(phone.store(), In(Bytes(edit)), out, error);
  });
  EXPECT_EQ(done.number(), 2u);
  EXPECT_THAT(done.ids(), ElementsAre(id.str()));
  EXPECT_EQ(phone.As<Meeting>(id).place(), "村委会");
  EXPECT_EQ(phone.As<Meeting>(id).topic(), "七月党员大会");

  item.add_fields("colour");
  const auto why = Refused([&](auto* out, auto* error) {
    return zhibu_commit(phone.store(), In(Bytes(edit)), out, error);
  });
  EXPECT_EQ(why.reason(), sync::v1::UNKNOWN_FIELD);
  EXPECT_EQ(why.detail(), "Meeting.colour");
}

TEST_F(CInterface, WhatANewerAppHasWrittenStaysWhereThisOneWritesJson) {
  CPhone phone(directory.NewFile());
  const auto unknown_in = [](const google::protobuf::Message& message) {
    return message.GetReflection()->GetUnknownFields(message).field_count();
  };
  const Id id = phone.Record<Meeting>([&](Meeting& meeting) {
    Fill(meeting);
    auto& item = *meeting.add_agenda();
    item.set_number(1);
    for (google::protobuf::Message* of : {static_cast<google::protobuf::Message*>(&meeting),
                                          static_cast<google::protobuf::Message*>(&item)}) {
      of->GetReflection()->MutableUnknownFields(of)->AddVarint(900, 7);
    }
  });
  for (const bool all : {true, false}) {
    api::v1::EditRequest edit;
    auto& item = *edit.add_items();
    item.set_seen(phone.Get("Meeting", id).seen());
    Meeting known = phone.As<Meeting>(id);
    known.DiscardUnknownFields();
    known.set_place(all ? "村委会" : "学校");
    known.mutable_agenda(0)->set_topic(all ? "甲" : "乙");
    item.set_json(Got([&](auto* out, auto* error) {
      return zhibu_to_json(In("Meeting"), In(Bytes(known)), out, error);
    }));
    if (!all) {
      item.add_fields("place");
      item.add_fields("agenda");
    }
    Got([&](auto* out, auto* error) {
      return zhibu_commit(phone.store(), In(Bytes(edit)), out, error);
    });
    const Meeting now = phone.As<Meeting>(id);
    EXPECT_EQ(now.place(), all ? "村委会" : "学校");
    EXPECT_EQ(now.agenda(0).topic(), all ? "甲" : "乙");
    EXPECT_EQ(unknown_in(now), 1);
    EXPECT_EQ(unknown_in(now.agenda(0)), 1);
  }
}

TEST_F(CInterface, AFieldThatIsNamedTwiceIsMeantOnce) {
  CPhone phone(directory.NewFile());
  const Id id = phone.Record<Meeting>(Fill);
  api::v1::EditRequest edit;
  auto& item = *edit.add_items();
  item.set_seen(phone.Get("Meeting", id).seen());
  item.set_json(R"({"place": "村委会"})");
  for (int twice = 0; twice < 2; ++twice) item.add_fields("place");
  Got([&](auto* out, auto* error) {
    return zhibu_commit(phone.store(), In(Bytes(edit)), out, error);
  });
  EXPECT_EQ(phone.As<Meeting>(id).place(), "村委会");
  EXPECT_EQ(phone.As<Meeting>(id).topic(), "七月党员大会");
}

TEST_F(CInterface, ADeletedRecordIsNotHereAndSaysSoInBothLanguages) {
  CPhone phone(directory.NewFile());
  const Id id = phone.Record<Meeting>(Fill);
  api::v1::EditRequest edit;
  edit.add_items()->set_seen(phone.Get("Meeting", id).seen());
  edit.mutable_items(0)->set_deleted(true);
  Got([&](auto* out, auto* error) {
    return zhibu_commit(phone.store(), In(Bytes(edit)), out, error);
  });
  api::v1::RecordRef ref;
  ref.set_type("Meeting");
  ref.set_id(id.str());
  const auto why = Refused(
      [&](auto* out, auto* error) { return zhibu_get(phone.store(), In(Bytes(ref)), out, error); });
  EXPECT_EQ(why.reason(), sync::v1::NOT_HERE);
  EXPECT_THAT(why.words_zh(), HasSubstr("会议"));
  EXPECT_THAT(why.words_en(), HasSubstr("Meeting"));
}

TEST_F(CInterface, ALongListComesPageByPage) {
  CPhone phone(directory.NewFile());
  std::set<std::string> made;
  for (int i = 0; i < 5; ++i) made.insert(phone.Record<Meeting>(Fill).str());
  api::v1::Query query;
  query.set_type("Meeting");
  query.set_limit(2);
  query.set_json(true);
  auto& where = *query.add_where();
  where.set_field("place");
  where.set_equals("礼堂");
  std::set<std::string> listed;
  int pages = 0;
  do {
    const auto rows = Got<api::v1::Rows>([&](auto* out, auto* error) {
      return zhibu_list(phone.store(), In(Bytes(query)), out, error);
    });
    for (const auto& row : rows.rows()) {
      listed.insert(row.id());
      EXPECT_THAT(row.json(), HasSubstr("七月党员大会"));
    }
    query.set_after(rows.next());
    ++pages;
  } while (!query.after().empty());
  EXPECT_EQ(listed, made);
  EXPECT_EQ(pages, 3);
}

TEST_F(CInterface, AWatchedListTellsWhatIsOtherwiseAndNothingWhereNothingIs) {
  CPhone phone(directory.NewFile());
  phone.Record<Meeting>(Fill);
  api::v1::Query query;
  query.set_type("Meeting");
  query.add_order()->set_field("topic");
  query.mutable_order(0)->set_descending(true);
  query.set_json(true);
  zhibu_handle watch = 0;
  ASSERT_EQ(zhibu_watch_open(phone.store(), In(Bytes(query)), &watch, nullptr), 0);
  const auto next = [&] {
    return Got<api::v1::Difference>(
        [&](auto* out, auto* error) { return zhibu_watch_next(watch, out, error); });
  };
  EXPECT_THAT(next().inserted(), SizeIs(1));
  EXPECT_EQ(next().ByteSizeLong(), 0u);
  const Id id = phone.Record<Meeting>([](Meeting& meeting) {
    Fill(meeting);
    meeting.set_topic("八月党员大会");
  });
  const auto then = next();
  ASSERT_THAT(then.inserted(), SizeIs(1));
  EXPECT_EQ(then.inserted(0).at(), 0u);
  EXPECT_EQ(then.inserted(0).row().id(), id.str());
  EXPECT_THAT(then.inserted(0).row().json(), HasSubstr("八月"));
  EXPECT_EQ(then.selected(), 2u);
  EXPECT_EQ(then.known(), api::v1::Difference::NOT_YET);
  EXPECT_EQ(zhibu_watch_close(watch, nullptr), 0);
}

// ---- Handles --------------------------------------------------------------------

TEST_F(CInterface, AClosedHandleIsAnErrorEverywhereThoughItsPlaceIsUsedAgain) {
  zhibu_handle stale = 0;
  zhibu_handle session = 0;
  {
    const CPhone phone(directory.NewFile());
    stale = phone.store();
    ASSERT_EQ(zhibu_session_open(stale, In(""), &session, nullptr), 0);
  }
  const CPhone other(directory.NewFile());  // in its place
  const auto refused = [](auto call) { EXPECT_EQ(Refused(call).code(), kInvalid); };
  for (const zhibu_handle handle : {stale, session, zhibu_handle{0}, ~zhibu_handle{0}}) {
    refused([&](auto* out, auto* error) { return zhibu_state(handle, out, error); });
    refused([&](auto*, auto* error) { return zhibu_suspend(handle, error); });
    refused([&](auto* out, auto* error) { return zhibu_session_advice(handle, out, error); });
    refused([&](auto* out, auto* error) { return zhibu_events_next(handle, out, error); });
    refused([&](auto* out, auto* error) { return zhibu_watch_next(handle, out, error); });
    refused([&](auto*, auto* error) { return zhibu_close(handle, error); });
    refused([&](auto*, auto* error) { return zhibu_session_close(handle, error); });
  }
  refused([&](auto* out, auto* error) { return zhibu_session_advice(other.store(), out, error); });
  refused([&](auto*, auto* error) { return zhibu_events_close(other.store(), error); });
  EXPECT_EQ(other.State().unsent(), 0u);
}

// ---- Events ----------------------------------------------------------------------

struct Told {
  std::atomic<int> notified = 0;
  std::atomic<int> freed = 0;
  absl::Notification first;
  zhibu_handle events = 0;
};

zhibu_handle Listen(zhibu_handle store, Told* told) {
  EXPECT_EQ(
      zhibu_events_open(
          store,
          [](void* user) {
            auto& told = *static_cast<Told*>(user);
            if (told.notified++ == 0) told.first.Notify();
          },
          told, [](void* user) { ++static_cast<Told*>(user)->freed; }, &told->events, nullptr),
      0);
  return told->events;
}

TEST_F(CInterface, ACommitIsToldWithoutSayingWhatAndTheAppAsks) {
  CPhone phone(directory.NewFile());
  Told told;
  const zhibu_handle events = Listen(phone.store(), &told);
  const Id id = phone.Record<Meeting>(Fill);
  told.first.WaitForNotification();
  const auto next = [&] {
    return Got<api::v1::Events>(
        [&](auto* out, auto* error) { return zhibu_events_next(events, out, error); });
  };
  const auto happened = next();
  ASSERT_THAT(happened.changed(), SizeIs(1));
  EXPECT_EQ(happened.changed(0).type(), "Meeting");
  EXPECT_EQ(happened.changed(0).id(), id.str());
  EXPECT_TRUE(happened.state());
  EXPECT_EQ(next().ByteSizeLong(), 0u);
  EXPECT_EQ(zhibu_events_close(events, nullptr), 0);
  EXPECT_EQ(told.freed, 1);
}

TEST_F(CInterface, NoneIsNotifiedOnceEventsAreClosedAndWhatTheyWereGivenIsFreedOnce) {
  CPhone phone(directory.NewFile());
  std::atomic<bool> over = false;
  std::thread works([&] {
    while (!over) phone.Record<Meeting>(Fill);
  });
  for (int i = 0; i < 50; ++i) {
    Told told;
    const zhibu_handle events = Listen(phone.store(), &told);
    if (i % 2 == 0) told.first.WaitForNotification();
    EXPECT_EQ(zhibu_events_close(events, nullptr), 0);
    const int notified = told.notified;
    EXPECT_EQ(told.freed, 1);
    std::this_thread::yield();
    EXPECT_EQ(told.notified, notified);
  }
  over = true;
  works.join();
}

TEST_F(CInterface, AStoreThatIsClosedEndsItsEventsAndSessions) {
  Told told;
  zhibu_handle session = 0;
  {
    CPhone phone(directory.NewFile());
    Listen(phone.store(), &told);
    ASSERT_EQ(zhibu_session_open(phone.store(), In(""), &session, nullptr), 0);
    phone.Record<Meeting>(Fill);
  }
  EXPECT_EQ(told.freed, 1);
  EXPECT_EQ(zhibu_events_close(told.events, nullptr), kInvalid);
  EXPECT_EQ(zhibu_session_close(session, nullptr), kInvalid);
}

TEST_F(CInterface, EventsMayBeClosedFromWithinThem) {
  struct Closes {
    zhibu_handle events = 0;
    absl::Notification freed;
    int notified = 0;
  } closes;
  CPhone phone(directory.NewFile());
  ASSERT_EQ(zhibu_events_open(
                phone.store(),
                [](void* user) {
                  auto& self = *static_cast<Closes*>(user);
                  ++self.notified;
                  EXPECT_EQ(zhibu_events_close(self.events, nullptr), 0);
                },
                &closes, [](void* user) { static_cast<Closes*>(user)->freed.Notify(); },
                &closes.events, nullptr),
            0);
  phone.Record<Meeting>(Fill);
  phone.Record<Meeting>(Fill);
  closes.freed.WaitForNotification();
  EXPECT_EQ(closes.notified, 1);
}

// ---- Sleep ------------------------------------------------------------------------

// How many locks this process has on files of that name and its companions.
int LocksOn(const std::string& file) {
  std::set<std::string> inodes;
  for (const char* companion : {"", "-wal", "-shm"}) {
    struct stat found {};
    if (stat((file + companion).c_str(), &found) == 0) {
      inodes.insert(":" + std::to_string(found.st_ino) + " ");
    }
  }
  std::ifstream locks("/proc/locks");
  int count = 0;
  for (std::string line; std::getline(locks, line);) {
    for (const std::string& inode : inodes) count += absl::StrContains(line, inode) ? 1 : 0;
  }
  return count;
}

TEST_F(CInterface, ASuspendedStoreHoldsNoLockAndGoesOnWhereItWas) {
  CPhone phone(directory.NewFile());
  const Id id = phone.Record<Meeting>(Fill);
  EXPECT_GT(LocksOn(phone.file()), 0) << "an idle store has read locks";
  for (int twice = 0; twice < 2; ++twice) EXPECT_EQ(zhibu_suspend(phone.store(), nullptr), 0);
  EXPECT_EQ(LocksOn(phone.file()), 0);
  EXPECT_EQ(Refused([&](auto* out, auto* error) {
              return zhibu_state(phone.store(), out, error);
            }).code(),
            kFailedPrecondition);
  EXPECT_EQ(Refused([&](auto* out, auto* error) {
              return zhibu_new(phone.store(), In("Nothing"), out, error);
            }).code(),
            kInvalid);
  for (int twice = 0; twice < 2; ++twice) EXPECT_EQ(zhibu_resume(phone.store(), nullptr), 0);
  EXPECT_EQ(phone.As<Meeting>(id).place(), "礼堂");
}

// ---- Bytes of nobody knows whom ------------------------------------------------------

TEST_F(CInterface, GarbageIsRefusedByEveryFunctionAndHarmsNothing) {
  CPhone phone(directory.NewFile());
  const Id id = phone.Record<Meeting>(Fill);
  zhibu_handle none = 0;
  using OnStore = int32_t (*)(zhibu_handle, zhibu_in, zhibu_out*, zhibu_out*);
  const OnStore functions[] = {
      zhibu_get,           zhibu_new,           zhibu_list,          zhibu_commit,
      zhibu_amend,         zhibu_held_take,     zhibu_held_return,   zhibu_conflict_settle,
      zhibu_check_in_show, zhibu_check_in_scan, zhibu_pass_issue,    zhibu_pass_revoke,
      zhibu_pass_show,     zhibu_pass_verify,   zhibu_parcel_receive};
  const zhibu_in nowhere = {nullptr, 12};
  for (const std::string& garbage : {std::string("\xff\xfe\x00\x01", 4), std::string(20, '\n'),
                                     std::string(1 << 20, 'z'), std::string("\x0a\x03\xe4\xb8")}) {
    for (const OnStore function : functions) {
      Refused(
          [&](auto* out, auto* error) { return function(phone.store(), In(garbage), out, error); });
      Refused([&](auto* out, auto* error) { return function(phone.store(), nowhere, out, error); });
    }
    Refused([&](auto* out, auto* error) {
      return zhibu_save(phone.store(), In(phone.Get("Meeting", id).seen()), In(garbage), out,
                        error);
    });
    Refused(
        [&](auto*, auto* error) { return zhibu_open(In(garbage), In(kPhoneKey), &none, error); });
    Refused([&](auto*, auto* error) {
      return zhibu_watch_open(phone.store(), In(garbage), &none, error);
    });
    Refused([&](auto* out, auto* error) {
      return zhibu_enrol_open(phone.store(), In(garbage), &none, out, error);
    });
    Refused([&](auto* out, auto* error) {
      return zhibu_from_json(In("Meeting"), In(garbage), out, error);
    });
    Refused([&](auto* out, auto* error) { return zhibu_to_json(In(garbage), In(""), out, error); });
    Refused(
        [&](auto*, auto* error) { return zhibu_certificate_is(In(garbage), In(garbage), error); });
  }
  EXPECT_EQ(zhibu_get(phone.store(), nowhere, nullptr, nullptr),
            kInvalid);  // without an error, too
  EXPECT_EQ(zhibu_open(In(""), In(kPhoneKey), nullptr, nullptr), kInvalid);
  EXPECT_EQ(phone.State().unsent(), 1u);
  EXPECT_EQ(phone.As<Meeting>(id).place(), "礼堂");
}

// ---- The library ---------------------------------------------------------------------

TEST_F(CInterface, OnlyTheCertificateThatWasToldIsTheServers) {
  const auto is = [](absl::string_view certificate) {
    return zhibu_certificate_is(In(certificate), In(kServerFingerprint), nullptr);
  };
  EXPECT_EQ(is(kServerCertificateDer), 0);
  EXPECT_EQ(is("-----BEGIN CERTIFICATE-----\nemhpYnU=\n-----END CERTIFICATE-----\n"), 0);
  EXPECT_EQ(is("zhibv"), kFailedPrecondition);
  EXPECT_EQ(is(""), kFailedPrecondition);
}

TEST_F(CInterface, TheProgramsOfThePageAreThoseThatAreCompiled) {
  const auto text = [](const std::string& file) {
    std::stringstream read;
    read << std::ifstream(ZHIBU_SOURCE + file).rdbuf();
    return read.str();
  };
  const std::string page = text("/docs/embedding.md");
  const std::string follow = text("/tests/client-core/c_follow.c");
  EXPECT_THAT(page, HasSubstr("```c\n" + text("/tests/client-core/c_sample.c") + "```\n"));
  EXPECT_THAT(page, HasSubstr("```c\n" + follow.substr(follow.find("static ")) + "```\n"));
}

TEST_F(CInterface, TheSchemaHasEveryRecordTypeAndMessage) {
  google::protobuf::DescriptorPool pool;
  const auto files = Got<google::protobuf::FileDescriptorSet>(
      [](auto* out, auto* error) { return zhibu_schema(out, error); });
  for (const auto& file : files.file()) {
    ASSERT_NE(pool.BuildFile(file), nullptr) << file.name();
    for (const auto& message : file.message_type()) {
      for (const auto& field : message.field()) EXPECT_NE(field.json_name(), "") << field.name();
    }
  }
  EXPECT_NE(pool.FindMessageTypeByName("zhibu.records.v1.Meeting"), nullptr);
  EXPECT_NE(pool.FindMessageTypeByName("zhibu.api.v1.Advice"), nullptr);
  EXPECT_NE(pool.FindMessageTypeByName("zhibu.sync.v1.Ask"), nullptr);
}

}  // namespace
}  // namespace zhibu::test
