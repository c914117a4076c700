// In whose name: a word that is somebody's own (said_by), who did it (names_author) and what
// they did (word_of) is said by nobody else, but by those who keep the record of others.
#include <gmock/gmock.h>
#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <set>

#include "absl/strings/match.h"
#include "server/authority/authority.h"
#include "sync/base/reason.h"
#include "sync/wire/record.h"
#include "tests/support/migration.h"
#include "tests/support/raw_edits.h"

namespace zhibu::test {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::HeldEdit;
using sync::v1::Change;
using ::testing::SizeIs;

constexpr char kNot[] = "RETURNED OTHERS_TO_SAY";

class ClaimsTest : public Migration {
 protected:
  Id NewId() { return world.fate().environment().NewId(); }
  // Empty: it follows from the fields.
  Id IdOf(const RecordType& type) { return type.id_from.empty() ? NewId() : Id(); }

  CheckIn CheckInOf(const Id& activity, const Id& member, std::vector<CheckIn::How> ways) {
    CheckIn check_in;
    check_in.set_activity_id(activity.str());
    check_in.set_member_id(member.str());
    check_in.set_branch_id(branch.str());
    for (const CheckIn::How how : ways) check_in.add_ways()->set_how(how);
    return check_in;
  }
  CheckIn Ways(std::vector<CheckIn::How> ways) {
    CheckIn set;
    for (const CheckIn::How how : ways) set.add_ways()->set_how(how);
    return set;
  }
  Contact ContactBy(const Id& by, const Id& member) {
    Contact contact;
    contact.set_member_id(member.str());
    contact.set_branch_id(branch.str());
    contact.set_said("一切都好");
    if (!by.empty()) contact.set_by_id(by.str());
    return contact;
  }

  // One that the server has heard of.
  Id NewMeeting() {
    const Id meeting = MakeMeeting(zhangs);
    EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
    return meeting;
  }
  // Of the type, about wang, kept by wang's branch, with all that it needs to stand.
  std::unique_ptr<Message> RecordOf(const RecordType& type) {
    std::unique_ptr<Message> record(google::protobuf::MessageFactory::generated_factory()
                                        ->GetPrototype(type.descriptor)
                                        ->New());
    const auto& reflection = *record->GetReflection();
    for (const FieldRule& rule : type.fields.rules()) {
      if (rule.policy == SERVER || rule.descriptor->is_repeated()) continue;
      const auto set = [&](const std::string& value) {
        reflection.SetString(record.get(), rule.descriptor, value);
      };
      if (rule.place != NOWHERE) {
        set((rule.place == PERSON ? wang : rule.place == OWNER ? branch : host).str());
      } else if (rule.kept_with != nullptr) {
        set(NewMeeting().str());
      } else if (rule.identity) {
        set(NewId().str());
      } else if (rule.required && rule.descriptor->type() == FieldDescriptor::TYPE_STRING) {
        set("某");
      }
    }
    return record;
  }

  Raw secretary{world, zhang};
  Raw member{world, wang};
};

// ---- Over every type and field -------------------------------------------------------

// A word at the record itself, or in the first element of a list; none of others.
using Say = std::function<void(const RecordType&, const std::string& where,
                               const std::function<void(Message*)>& say, uint32_t said_by)>;

void ForEachWord(const RecordType& type, const Say& visit) {
  const auto look = [&](const Fields& fields, const FieldRule* list) {
    for (const FieldRule& rule : fields.rules()) {
      for (const auto& said : rule.said_by) {
        const FieldDescriptor* field = rule.descriptor;
        const int value = said.first;
        const auto say = [&](Message* record) {
          Message* in = list == nullptr
                            ? record
                            : record->GetReflection()->AddMessage(record, list->descriptor);
          in->GetReflection()->SetEnumValue(in, field, value);
        };
        visit(type,
              absl::StrCat(std::string(field->full_name()), " ",
                           std::string(field->enum_type()->FindValueByNumber(value)->name())),
              say, said.second);
      }
    }
  };
  look(type.fields, nullptr);
  for (const FieldRule& rule : type.fields.rules()) {
    if (rule.element != nullptr) look(*rule.element, &rule);
  }
}

TEST_F(ClaimsTest, EveryWordIsForThoseWhoseItIs) {
  int asked = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    ForEachWord(
        type, [&](const RecordType&, const std::string& where, const auto& say, uint32_t said_by) {
          ++asked;
          for (Raw* raw : {&secretary, &member}) {
            const std::unique_ptr<Message> record = RecordOf(type);
            say(record.get());
            const bool theirs = (said_by & BitOf(raw == &secretary ? OWNER : PERSON)) != 0;
            EXPECT_EQ(raw->Answer({raw->Create(*record, IdOf(type))}), theirs ? "MERGED" : kNot)
                << where;
            // Added to what is there already.
            const std::unique_ptr<Message> there = RecordOf(type);
            const Change made = raw->Create(*there, IdOf(type));
            ASSERT_EQ(raw->Answer({made}), "MERGED") << where;
            const std::unique_ptr<Message> set(there->New());
            say(set.get());
            EXPECT_EQ(raw->Answer({raw->Update(*set, *Id::FromBytes(made.id()))}),
                      theirs ? "MERGED" : kNot)
                << where;
          }
        });
  }
  EXPECT_GE(asked, 3);
}

TEST_F(ClaimsTest, EveryFieldThatSaysWhoDidItNamesItsAuthor) {
  int asked = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    for (const FieldRule& rule : type.fields.rules()) {
      const std::string name(rule.descriptor->name());
      const bool by = name == "by_id" || absl::EndsWith(name, "_by_id");
      EXPECT_TRUE(!by || rule.policy == SERVER || rule.names_author) << type.name << "." << name;
      // What comes with a step is asked below.
      if (!rule.names_author || !rule.written_with.empty()) continue;
      for (const Id& named : {wang, zhang, chen, NewId()}) {
        const std::unique_ptr<Message> record = RecordOf(type);
        record->GetReflection()->SetString(record.get(), rule.descriptor, named.str());
        EXPECT_EQ(secretary.Answer({secretary.Create(*record, NewId())}), "MERGED") << name;
        EXPECT_EQ(member.Answer({member.Create(*record, NewId())}), named == wang ? "MERGED" : kNot)
            << name;
        ++asked;
      }
    }
  }
  EXPECT_GT(asked, 0);
}

// ---- As it happened --------------------------------------------------------------------

TEST_F(ClaimsTest, NobodyCallsTheRollForThemselves) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  const Change made = member.Create(CheckInOf(meeting, wang, {CheckIn::ROLL_CALL}));
  EXPECT_EQ(member.Answer({made}), kNot);
  EXPECT_FALSE(world.StateOf({made.type(), *Id::FromBytes(made.id())}).exists);
  EXPECT_EQ(member.Answer({member.Create(CheckInOf(meeting, wang, {CheckIn::BY_SELF}))}), "MERGED");
  const Id id = *Id::FromBytes(made.id());
  EXPECT_EQ(member.Answer({member.Update(Ways({CheckIn::ROLL_CALL}), id)}), kNot);
  EXPECT_EQ(secretary.Answer({secretary.Update(Ways({CheckIn::ROLL_CALL}), id)}), "MERGED");
  EXPECT_EQ(member.Answer({member.Update(Ways({CheckIn::ROLL_CALL}), id)}), "MERGED")
      << "it is there already, and says nothing new";
  EXPECT_EQ(world.Get<CheckIn>(id).ways_size(), 2);
}

TEST_F(ClaimsTest, WhoCallsTheRollDoesNotSayThatTheMemberCameForward) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  EXPECT_EQ(secretary.Answer({secretary.Create(CheckInOf(meeting, wang, {CheckIn::BY_SELF}))}),
            kNot);
  EXPECT_EQ(secretary.Answer({secretary.Create(CheckInOf(meeting, wang, {CheckIn::QR}))}), kNot);
  EXPECT_EQ(secretary.Answer({secretary.Create(
                CheckInOf(meeting, zhang, {CheckIn::BY_SELF, CheckIn::ROLL_CALL}))}),
            "MERGED")
      << "of themselves both";
}

TEST_F(ClaimsTest, NobodyWritesDownWhatTheSecretaryIsToHaveSaid) {
  const Id id = NewId();
  EXPECT_EQ(member.Answer({member.Create(ContactBy(zhang, wang), NewId())}), kNot);
  EXPECT_EQ(secretary.Answer({secretary.Create(ContactBy(zhang, wang), id)}), "MERGED");
  Contact set;
  set.set_said("书记同意了");
  EXPECT_EQ(member.Answer({member.Update(set, id)}), kNot);
  set.Clear();
  set.mutable_at()->set_seconds(1'700'000'000);
  EXPECT_EQ(member.Answer({member.Update(set, id)}), kNot);
  set.Clear();
  set.set_by_id(wang.str());
  set.set_said("书记同意了");
  EXPECT_EQ(member.Answer({member.Update(set, id)}), kNot) << "it was the secretary's word";
  EXPECT_EQ(world.Get<Contact>(id).said(), "一切都好");
  // One's own, or one that nobody stands for.
  for (const Id& by : {wang, Id()}) {
    const Id own = NewId();
    EXPECT_EQ(member.Answer({member.Create(ContactBy(by, wang), own)}), "MERGED");
    set.Clear();
    set.set_said("收到");
    EXPECT_EQ(member.Answer({member.Update(set, own)}), "MERGED");
    set.set_by_id(zhang.str());
    EXPECT_EQ(member.Answer({member.Update(set, own)}), kNot);
  }
  // Who keeps it notes what a colleague has done.
  EXPECT_EQ(secretary.Answer({secretary.Create(ContactBy(li, wang), NewId())}), "MERGED");
}

TEST_F(ClaimsTest, WhoAcceptsAStayOrALetterPutsTheirOwnNameToIt) {
  const Id deputy = world.Person("孙", host);
  world.Appoint(deputy, host, DEPUTY);
  const Id stay = Report(wangs);
  const Id letter = Issue(zhangs, host);
  world.SyncAll();
  Raw hosts(world, deputy);
  Raw secretarys(world, chen);
  Flow accepted;
  accepted.set_state(Flow::ACCEPTED);
  Transfer received;
  received.set_state(Transfer::RECEIVED);
  received.set_received("2026-11-19");
  for (const Id& named : {chen, zhang, wang}) {
    accepted.set_accepted_by_id(named.str());
    EXPECT_EQ(hosts.Answer({hosts.Update(accepted, stay)}), kNot);
  }
  accepted.set_accepted_by_id(deputy.str());
  EXPECT_EQ(hosts.Answer({hosts.Update(accepted, stay)}), "MERGED");
  received.set_received_by_id(zhang.str());
  EXPECT_EQ(secretarys.Answer({secretarys.Update(received, letter)}), kNot);
  received.set_received_by_id(chen.str());
  EXPECT_EQ(secretarys.Answer({secretarys.Update(received, letter)}), "MERGED");
}

// ---- Held, and whoever they are as well ---------------------------------------------------

TEST_F(ClaimsTest, WhatIsHeldKeepsItsAuthorsWordWhoeverTakesIt) {
  Phone& lost = world.Enrol(wang);
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  lost.Make<CheckIn>([&](CheckIn& c) { c = CheckInOf(meeting, wang, {CheckIn::BY_SELF}); });
  const Id said = lost.Make<Contact>([&](Contact& c) { c = ContactBy(wang, wang); });
  world.Revoke(lost.number());
  EXPECT_EQ(ReasonOf(world.Sync(lost)).reason, sync::v1::DEVICE_REVOKED);
  EXPECT_THAT(lost.SetAside(), ::testing::Each(::testing::HasSubstr("HELD OF_REVOKED_DEVICE")));
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  std::vector<Id> waiting;
  EXPECT_EQ(zhangs.store().List({.type = 92},
                                [&](const Id& id, const Message&) {
                                  waiting.push_back(id);
                                  return true;
                                }),
            absl::OkStatus());
  ASSERT_THAT(waiting, SizeIs(2));
  for (const Id& id : waiting) {
    zhangs.Change<HeldEdit>(id, [](HeldEdit& held) { held.set_state(HeldEdit::TAKEN); });
  }
  EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
  EXPECT_EQ(zhangs.SetAside(), std::vector<std::string>());
  EXPECT_EQ(world.Get<Contact>(said).by_id(), wang.str());
}

TEST_F(ClaimsTest, ARollCallBySomebodyWhoseOfficeHasEndedWaits) {
  const Id meeting = MakeMeeting(zhangs);
  world.SyncAll();
  world.Dismiss(zhang, branch, SECRETARY);
  world.Wait(1000);
  EXPECT_EQ(secretary.Answer({secretary.Create(CheckInOf(meeting, zhang, {CheckIn::ROLL_CALL}))}),
            "HELD GRANT_ENDED");
}

}  // namespace
}  // namespace zhibu::test
