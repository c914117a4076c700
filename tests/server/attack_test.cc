// What somebody tries whose rights are ordinary and whose software is not: to undo what is
// somebody else's, to learn of what they are not shown, to have others told what is not so, and to
// keep the server at work with one edit.
#include <gmock/gmock.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "sync/base/date.h"
#include "sync/merge/diff.h"
#include "sync/merge/merge.h"
#include "sync/rules/flow.h"
#include "sync/rules/supplements.h"
#include "sync/wire/canonical.h"
#include "sync/wire/record.h"
#include "tests/server/sums.h"
#include "tests/support/raw_edits.h"
#include "tests/support/specimen.h"

namespace zhibu::test {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::AccessLog;
using records::v1::DevelopmentCase;
using records::v1::DevelopmentStep;
using records::v1::Directive;
using records::v1::DuesReduction;
using records::v1::LedgerExport;
using records::v1::Notice;
using records::v1::RuleSupplement;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OrdinaryRights : public Sums, public EditMaker {
 protected:
  OrdinaryRights() : EditMaker(world) {}

  Id NewId() { return world.fate().environment().NewId(); }
  template <typename T>
  static uint32_t NumberOf() {
    return CatalogueSchema()->Find(T::descriptor())->number;
  }
  DuesPayment Payment(const Id& member, int64_t fen, const Id& reverses = Id()) {
    DuesPayment paid;
    paid.set_branch_id(branch.str());
    paid.set_member_id(member.str());
    paid.set_amount_fen(fen);
    paid.set_month("2026-03");
    if (!reverses.empty()) paid.set_reverses_id(reverses.str());
    return paid;
  }
  static std::string Said(const sync::v1::Answer& answer) {
    return absl::StrCat(VerdictOf(answer), " ", answer.detail());
  }
};

// ---- What is somebody else's ---------------------------------------------------------------

TEST_F(OrdinaryRights, NobodyTakesBackWhatSomebodyElseHasPaid) {
  const Id theirs = Pay(lis, li, 4800, "2026-03");
  const Id own = Pay(wangs, wang, 1200, "2026-03");
  world.SyncAll();
  ASSERT_EQ(Kept("dues.paid"), 6000);
  Raw raw(world, wang);
  const auto answer = [&](const Id& reverses) {
    return Said(raw.AnswerOf({raw.Create(Payment(wang, -1, reverses), NewId())}));
  };
  const std::string refused = answer(theirs);
  EXPECT_THAT(refused, ::testing::StartsWith("RETURNED BAD_VALUE"));
  EXPECT_EQ(answer(NewId()), refused) << "of what is not there they hear the same";
  EXPECT_EQ(Kept("dues.paid"), 6000);
  EXPECT_EQ(raw.Answer({raw.Create(Payment(wang, -1200, own), NewId())}), "MERGED");
  EXPECT_EQ(Kept("dues.paid"), 4800);
  EXPECT_THAT(Wrong(), IsEmpty());
}

// Whoever keeps them neither: over every type that takes back one of its own.
TEST_F(OrdinaryRights, WhatTakesAnotherBackIsOfTheSamePerson) {
  int types = 0;
  for (const RecordType& type : world.schema()->types()) {
    const auto& rules = type.fields.rules();
    const auto back = std::find_if(rules.begin(), rules.end(),
                                   [&](const FieldRule& rule) { return rule.kept_with == &type; });
    const bool of_persons = std::any_of(rules.begin(), rules.end(),
                                        [](const FieldRule& rule) { return rule.place == PERSON; });
    if (back == rules.end() || !of_persons) continue;
    ++types;
    Raw raw(world, zhang);
    const auto made = [&](const Id& person, const Id& takes_back) {
      auto one = Specimen(type, {person, branch, branch, branch}, world.fate().environment());
      for (const FieldRule& rule : rules) {
        const bool amount = rule.descriptor->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
        if (amount) one->GetReflection()->SetInt64(one.get(), rule.descriptor, 100);
        const bool points = rule.kept_with != nullptr || rule.refers_to != nullptr;
        if (points || rule.policy == SERVER) {
          one->GetReflection()->ClearField(one.get(), rule.descriptor);
        }
      }
      if (!takes_back.empty()) {
        one->GetReflection()->SetString(one.get(), back->descriptor, takes_back.str());
      }
      return one;
    };
    const Id first = NewId();
    ASSERT_EQ(Said(raw.AnswerOf({raw.Create(*made(li, Id()), first)})), "MERGED ") << type.name;
    EXPECT_EQ(raw.Answer({raw.Create(*made(wang, first), NewId())}), "RETURNED BAD_VALUE")
        << type.name;
    EXPECT_EQ(raw.Answer({raw.Create(*made(li, first), NewId())}), "MERGED") << type.name;
  }
  EXPECT_GE(types, 2);
}

TEST_F(OrdinaryRights, NobodyIsToldThatWhatSomebodyCouldNotReadWasWrittenOut) {
  const auto told_by = [&](const Id& author) {
    LedgerExport told;
    told.set_branch_id(branch.str());
    if (author == wang) told.set_member_id(wang.str());
    told.set_by_id(author.str());
    LedgerExport::Given& given = *told.add_given();
    given.set_record_type(NumberOf<PrivateDetail>());
    for (const FieldRule& rule : CatalogueSchema()->Find(given.record_type())->fields.rules()) {
      if (rule.sensitive) given.add_fields(rule.number);
    }
    given.add_member_ids(li.str());
    return told;
  };
  Raw member(world, wang);
  EXPECT_EQ(member.Answer({member.Create(told_by(wang), NewId())}), "MERGED");
  world.SyncAll();
  EXPECT_THAT(lis.All<AccessLog>(), IsEmpty());
  Raw secretary(world, zhang);
  EXPECT_EQ(secretary.Answer({secretary.Create(told_by(zhang), NewId())}), "MERGED");
  world.SyncAll();
  ASSERT_THAT(lis.All<AccessLog>(), SizeIs(1));
  EXPECT_EQ(lis.All<AccessLog>()[0].reader_name(), "张");
}

// ---- What a question tells --------------------------------------------------------------------

class Asking : public OrdinaryRights {
 protected:
  Asking() {
    world.Appoint(sun, committee, COMMITTEE);
    Hang(branch, committee);
    world.SyncAll();
  }
  void Hang(const Id& organisation, const Id& superior) {
    Organisation hung = world.Get<Organisation>(organisation);
    hung.set_parent_id(superior.str());
    world.Write(hung, organisation);
  }
  sync::v1::Page Ask(Phone& phone, const sync::v1::Ask& ask) {
    Stream stream(&world, &phone);
    stream.client().Ask(ask);
    stream.Run();
    return stream.client().TakePage().value_or(sync::v1::Page());
  }
  template <typename T>
  sync::v1::Ask About(const Id& organisation, uint32_t limit) {
    sync::v1::Ask ask;
    ask.set_type(NumberOf<T>());
    ask.set_organisation_id(organisation.str());
    ask.set_limit(limit);
    return ask;
  }

  const Id committee = world.Branch("云溪镇党委");
  const Id sun = world.Person("孙", committee);   // of the committee
  const Id zhao = world.Person("赵", committee);  // belongs there, and acts for nobody
  Phone& suns = world.Enrol(sun);
  Phone& zhaos = world.Enrol(zhao);
};

TEST_F(Asking, APageThatIsFullDoesNotTellWhetherSomethingIsThereThatIsNotShown) {
  Pay(wangs, wang, 1200, "2026-03");
  world.SyncAll();
  const sync::v1::Ask ask = About<DuesPayment>(branch, 1);
  ASSERT_EQ(Ask(wangs, ask).ids_size(), 1);
  EXPECT_EQ(Ask(wangs, ask).next(), "");
  world.Wait(1000);
  Pay(lis, li, 4800, "2026-03");
  world.SyncAll();
  EXPECT_EQ(Ask(wangs, ask).ids_size(), 1);
  EXPECT_EQ(Ask(wangs, ask).next(), "") << "somebody else has paid";
  EXPECT_NE(Ask(zhangs, ask).next(), "");
}

TEST_F(Asking, WhoOnlyBelongsToASuperiorAsksAboutItAlone) {
  MakeMeeting(zhangs);
  world.Write(
      [&] {
        Meeting meeting;
        meeting.set_branch_id(committee.str());
        return meeting;
      }(),
      NewId());
  world.SyncAll();
  EXPECT_EQ(Ask(suns, About<Meeting>(committee, 0)).ids_size(), 2);
  EXPECT_EQ(Ask(zhaos, About<Meeting>(committee, 0)).ids_size(), 1);
  EXPECT_EQ(Ask(zhaos, About<Meeting>(committee, 1)).next(), "");
}

// Over every type: whoever asks of a member hears the same whether there is one that they are
// not shown, kept by the member's branch or elsewhere, or none.
TEST_F(Asking, AQuestionOfAMemberDoesNotTellWhetherThereIsWhatIsNotShown) {
  const Id elsewhere = world.Branch("滨海市流动党员党支部");
  world.Appoint(zhao, branch, COMMITTEE);
  world.SyncAll();
  int hidden = 0;
  for (const RecordType& type : world.schema()->types()) {
    if (type.own_scope != NOWHERE) continue;
    const Id nobody = world.Person("无", branch);
    for (const Id& keeper : {branch, elsewhere}) {
      // Of what each has one they would lose what is shown.
      if (keeper == elsewhere && type.id_from.size() == 1) continue;
      const Id somebody = world.Person("某", branch);
      const auto one =
          Specimen(type, {somebody, keeper, keeper, keeper}, world.fate().environment());
      Plant(world, type, type.id_from.empty() ? NewId() : *DeriveId(type, one->SerializeAsString()),
            one->SerializeAsString(), /*deleted=*/false);
      for (Phone* phone : {&suns, &zhaos}) {
        sync::v1::Ask ask;
        ask.set_type(type.number);
        ask.set_member_id(somebody.str());
        const sync::v1::Page of_somebody = Ask(*phone, ask);
        if (of_somebody.ids_size() > 0) continue;
        ++hidden;
        ask.set_member_id(nobody.str());
        EXPECT_EQ(TextOf(of_somebody), TextOf(Ask(*phone, ask))) << type.name;
      }
    }
  }
  EXPECT_GT(hidden, 20);
}

// ---- What one edit costs ---------------------------------------------------------------------

using OneEdit = Asking;

TEST_F(OneEdit, WhatHasBeenTakenBackAThousandTimesIsNotReadAThousandTimes) {
  Raw raw(world, wang);
  const Id paid = NewId();
  ASSERT_EQ(raw.Answer({raw.Create(Payment(wang, 100), paid)}), "MERGED");
  const auto work = [&] {
    auto author = EditMaker::Author{world.Enrol(wang).number()};
    const auto results =
        world.Commit({Of(&author, {raw.Create(Payment(wang, -100, paid), NewId())})});
    EXPECT_EQ(results.at(0).answer.verdict(), sync::v1::MERGED);
    return results.at(0).work;
  };
  const uint64_t before = work();
  std::vector<sync::v1::Change> many;
  for (int i = 0; i < 1000; ++i) many.push_back(raw.Create(Payment(wang, -100, paid), NewId()));
  ASSERT_EQ(raw.Answer(many), "MERGED");
  EXPECT_LT(work(), before + 5000) << "their names are read, and not they";
  EXPECT_EQ(Kept("dues.paid"), 0);
  EXPECT_THAT(Wrong(), IsEmpty());
}

class OfALargeRecord : public OneEdit {
 protected:
  // Of the branch, each by a step of its own.
  std::vector<sync::v1::Change> Steps(const Id& of, const Id& member, int many) {
    std::vector<sync::v1::Change> steps;
    for (int i = 0; i < many; ++i) {
      DevelopmentStep step;
      step.set_case_id(of.str());
      step.set_attempt(static_cast<uint32_t>(i) + 1);
      step.set_step(DevelopmentStep::MENTORS_NAMED);
      step.set_member_id(member.str());
      step.set_branch_id(branch.str());
      step.set_done_on("2026-11-01");
      step.set_state(DevelopmentStep::RECORDED);
      step.set_irregular_because("补记");
      steps.push_back(Create(step));
    }
    return steps;
  }
  DevelopmentCase Case(const Id& member, int mentors) {
    DevelopmentCase one;
    one.set_member_id(member.str());
    one.set_lead_branch_id(branch.str());
    one.set_stage(DevelopmentCase::APPLIED);
    for (int i = 0; i < mentors; ++i) {
      one.add_mentors(NewId().str());
      one.add_sponsors(NewId().str());
    }
    return one;
  }
};

TEST_F(OfALargeRecord, AThousandStepsAreRefusedBeforeTheyHaveReadItAThousandTimes) {
  Raw raw(world, li);
  const auto large = raw.Create(Case(wang, 5000));
  ASSERT_EQ(raw.Answer({large}), "MERGED");
  const Id id = *Id::FromBytes(large.id());
  EXPECT_EQ(raw.Answer(Steps(id, wang, 1000)), "RETURNED TOO_LARGE");
  EXPECT_EQ(raw.Answer(Steps(id, wang, 20)), "MERGED");
  const auto small = raw.Create(Case(li, 2));
  ASSERT_EQ(raw.Answer({small}), "MERGED");
  EXPECT_EQ(raw.Answer(Steps(*Id::FromBytes(small.id()), li, 1000)), "MERGED");
}

TEST_F(OfALargeRecord, AThousandNoticesDoNotPutItIntoWordsAThousandTimes) {
  Raw raw(world, li);
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  for (int i = 0; i < 5000; ++i) {
    auto& photograph = *meeting.add_attachments();
    photograph.set_content_hash(absl::StrFormat("%032d", i));
    photograph.set_name(std::string(110, 'x'));
  }
  const Id large = NewId();
  ASSERT_EQ(raw.Answer({raw.Create(meeting, large)}), "MERGED");
  const auto notices = [&](int many) {
    std::vector<sync::v1::Change> made;
    for (int i = 0; i < many; ++i) {
      Notice notice;
      notice.set_branch_id(branch.str());
      notice.set_title("会议公示");
      notice.set_from("2026-11-01");
      notice.set_until("2026-11-30");
      notice.set_state(Notice::PROPOSED);
      notice.set_subject_type(NumberOf<Meeting>());
      notice.set_subject_id(large.str());
      made.push_back(raw.Create(notice, NewId()));
    }
    return made;
  };
  EXPECT_EQ(raw.Answer(notices(1000)), "RETURNED TOO_LARGE");
  EXPECT_EQ(raw.Answer(notices(1)), "MERGED");
}

class FromAbove : public OneEdit {
 protected:
  FromAbove() {
    world.Appoint(sun, committee, SECRETARY);
    for (int i = 0; i < 20; ++i) {
      below.push_back(world.Branch(absl::StrFormat("第%d党支部", i)));
      Hang(below.back(), committee);
    }
    world.SyncAll();
  }
  static Directive To(const Id& from, const std::vector<Id>& addressees) {
    Directive directive;
    directive.set_organisation_id(from.str());
    directive.set_title("通知");
    directive.set_state(Directive::ISSUED);
    for (const Id& one : addressees) directive.add_addressee_ids(one.str());
    return directive;
  }
  RuleSupplement Supplement() {
    RuleSupplement made;
    made.set_organisation_id(committee.str());
    made.set_title("补充规定");
    made.set_state(RuleSupplement::IN_FORCE);
    made.set_text(R"(check { key: "local.topic" words { zh: "须有主题" en: "a topic" } source: "x"
                             certainty: SURE of: "Meeting" holds: "this.topic != ''"
                             field: "topic" day: "this.starts_at" })");
    return made;
  }

  std::vector<Id> below;
};

TEST_F(FromAbove, OneEditSendsNoMoreThanOneRecordCould) {
  Raw raw(world, sun);
  const auto directives = [&](int many) {
    std::vector<sync::v1::Change> made;
    for (int i = 0; i < many; ++i) made.push_back(raw.Create(To(committee, below), NewId()));
    return made;
  };
  EXPECT_EQ(raw.Answer(directives(101)), "RETURNED TOO_LARGE") << "2,020 in all";
  const std::vector<sync::v1::Change> most = directives(100);
  EXPECT_EQ(raw.Answer(most), "MERGED");
  // And to change what many hold is as much.
  std::vector<sync::v1::Change> changed;
  Directive title;
  title.set_title("更正");
  for (const auto& one : most) changed.push_back(raw.Update(title, *Id::FromBytes(one.id())));
  EXPECT_EQ(raw.Answer(changed), "MERGED");
  changed.push_back(raw.Create(To(committee, below), NewId()));
  EXPECT_EQ(raw.Answer(changed), "RETURNED TOO_LARGE");
}

TEST_F(FromAbove, NoMoreSupplementsBeginInOneEditThanMayBeInForce) {
  Raw raw(world, sun);
  std::vector<sync::v1::Change> made;
  for (size_t i = 0; i < kSupplementsMax; ++i) made.push_back(raw.Create(Supplement(), NewId()));
  made.push_back(raw.Create(Supplement(), NewId()));
  EXPECT_EQ(raw.Answer(made), "RETURNED TOO_LARGE");
  made.pop_back();
  EXPECT_EQ(raw.Answer(made), "MERGED");
  EXPECT_EQ(raw.Answer({raw.Create(Supplement(), NewId())}), "RETURNED TOO_LARGE");
}

TEST_F(FromAbove, SupplementsThatAreRepealedAndKeptHaveAnEnd) {
  Raw raw(world, sun);
  Id last;
  RuleSupplement repealed;
  repealed.set_state(RuleSupplement::REPEALED);
  for (size_t i = 0; i < kSupplementsKeptMax; ++i) {
    last = NewId();
    ASSERT_EQ(raw.Answer({raw.Create(Supplement(), last)}), "MERGED") << i;
    ASSERT_EQ(raw.Answer({raw.Update(repealed, last)}), "MERGED") << i;
  }
  EXPECT_EQ(raw.Answer({raw.Create(Supplement(), NewId())}), "RETURNED TOO_LARGE");
  ASSERT_EQ(raw.Answer({raw.Deletion(NumberOf<RuleSupplement>(), last)}), "MERGED");
  EXPECT_EQ(raw.Answer({raw.Create(Supplement(), NewId())}), "MERGED");
}

// Each is read whenever anything about the member is written, by whomever.
TEST_F(OneEdit, TheStaysOfAMemberHaveAnEnd) {
  const Id host = world.Branch("驻滨海市流动党支部");
  Raw raw(world, wang);
  Flow flow;
  flow.set_member_id(wang.str());
  flow.set_home_branch_id(branch.str());
  flow.set_host_branch_id(host.str());
  flow.set_left("2026-11-20");
  flow.set_state(Flow::REPORTED);
  Flow ended;
  ended.set_state(Flow::ENDED);
  for (int i = 0; i < kStaysMax; ++i) {
    const Id id = NewId();
    ASSERT_EQ(raw.Answer({raw.Create(flow, id)}), "MERGED") << i;
    ASSERT_EQ(raw.Answer({raw.Update(ended, id)}), "MERGED") << i;
  }
  EXPECT_EQ(raw.Answer({raw.Create(flow, NewId())}), "RETURNED TOO_LARGE");
}

// ---- What one record holds -------------------------------------------------------------------

// Another element of a repeated field, in its own spelling; false where there are not as many.
bool AddElement(const FieldRule& rule, int n, Message* record) {
  const auto& reflection = *record->GetReflection();
  const FieldDescriptor& field = *rule.descriptor;
  const std::string text = absl::StrFormat("%016d", n);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    reflection.AddString(record, &field, text);
    return true;
  }
  if (rule.element == nullptr || rule.key_number == 0) return false;
  Message& element = *reflection.AddMessage(record, &field);
  const FieldDescriptor& key =
      *field.message_type()->FindFieldByNumber(static_cast<int>(rule.key_number));
  switch (key.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      element.GetReflection()->SetString(&element, &key, text);
      return true;
    case FieldDescriptor::CPPTYPE_UINT32:
      element.GetReflection()->SetUInt32(&element, &key, static_cast<uint32_t>(n) + 1);
      return true;
    default:
      return false;
  }
}

TEST(OneRecord, EachOfItsListsHasAnEnd) {
  int lists = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    for (const FieldRule& rule : type.fields.rules()) {
      if (!rule.descriptor->is_repeated() || rule.policy == SERVER) continue;
      std::unique_ptr<Message> record(google::protobuf::MessageFactory::generated_factory()
                                          ->GetPrototype(type.descriptor)
                                          ->New());
      bool many = true;
      for (size_t n = 0; many && n < kElementsMax; ++n) {
        many = AddElement(rule, static_cast<int>(n), record.get());
      }
      if (!many) continue;
      ++lists;
      const std::string most = Canonical(type.fields, record->SerializeAsString());
      EXPECT_EQ(CheckElements(type, "", most), absl::OkStatus()) << rule.descriptor->full_name();
      AddElement(rule, kElementsMax, record.get());
      const std::string more = Canonical(type.fields, record->SerializeAsString());
      EXPECT_EQ(ReasonOf(CheckElements(type, most, more)).reason, sync::v1::TOO_LARGE)
          << rule.descriptor->full_name();
      EXPECT_EQ(CheckElements(type, more, more), absl::OkStatus()) << "as it was stored";
    }
  }
  EXPECT_GT(lists, 30);
}

TEST(OneRecord, WhatMeetsInAnyListIsToldOfInText) {
  int lists = 0;
  for (const RecordType& type : CatalogueSchema()->types()) {
    for (const FieldRule& rule : type.fields.rules()) {
      if (rule.element == nullptr || rule.policy != BY_KEY) continue;
      const FieldDescriptor* said = nullptr;
      for (const FieldRule& inner : rule.element->rules()) {
        const bool text = inner.descriptor->type() == FieldDescriptor::TYPE_STRING &&
                          !inner.descriptor->is_repeated() && inner.policy == LATEST;
        if (text && inner.number != rule.key_number) said = inner.descriptor;
      }
      if (said == nullptr) continue;
      const auto change_of = [&](const std::string& words) {
        std::unique_ptr<Message> record(google::protobuf::MessageFactory::generated_factory()
                                            ->GetPrototype(type.descriptor)
                                            ->New());
        Message& element = *record->GetReflection()->AddMessage(record.get(), rule.descriptor);
        const FieldDescriptor& key =
            *rule.descriptor->message_type()->FindFieldByNumber(static_cast<int>(rule.key_number));
        if (key.type() == FieldDescriptor::TYPE_BYTES) {
          element.GetReflection()->SetString(&element, &key, std::string(32, '\xfe'));
        } else if (key.type() == FieldDescriptor::TYPE_STRING) {
          element.GetReflection()->SetString(&element, &key, "钥匙");
        }
        element.GetReflection()->SetString(&element, said, words);
        sync::v1::Change change;
        change.set_type(type.number);
        change.set_kind(sync::v1::Change::CREATE);
        Diff(type, "", Canonical(type.fields, record->SerializePartialAsString()), &change);
        return change;
      };
      RecordState state;
      Outcome outcome;
      uint64_t at = 1'795'000'000'000;
      for (const char* words : {"甲", "乙"}) {
        ++at;
        const Origin origin{.device = DeviceNumber(at),
                            .version = Version(at),
                            .stamp = StampAt(static_cast<int64_t>(at))};
        ASSERT_EQ(Apply(&type, change_of(words), origin, &state, &outcome), absl::OkStatus());
      }
      if (outcome.conflicts.empty()) continue;
      ++lists;
      records::v1::ConflictNote note;
      for (const Conflict& conflict : outcome.conflicts) {
        note.set_field(conflict.path);
        EXPECT_TRUE(note.ParseFromString(note.SerializeAsString()))
            << rule.descriptor->full_name() << ": " << absl::CHexEscape(conflict.path);
      }
    }
  }
  EXPECT_GT(lists, 15);
}

TEST_F(OneEdit, TwoWhoHaveChangedOneAttachmentAreBothTakenAndTold) {
  Raw zhangs_raw(world, zhang);
  Raw lis_raw(world, li);
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  meeting.set_topic("大会");
  const Id id = NewId();
  ASSERT_EQ(zhangs_raw.Answer({zhangs_raw.Create(meeting, id)}), "MERGED");
  const auto attached = [&](const std::string& name) {
    Meeting attaching;
    auto* attachment = attaching.add_attachments();
    attachment->set_content_hash(std::string(32, '\xfe'));
    attachment->set_name(name);
    return attaching;
  };
  ASSERT_EQ(zhangs_raw.Answer({zhangs_raw.Update(attached("签到表"), id, 1)}), "MERGED");
  EXPECT_EQ(lis_raw.Answer({lis_raw.Update(attached("会议记录"), id, 1)}), "MERGED");
  world.SyncAll();
  EXPECT_THAT(zhangs.All<ConflictNote>(), SizeIs(1));
}

TEST_F(OneEdit, MoreIsNotTakenThanSomebodyCanBeToldWasOverwritten) {
  Raw zhangs_raw(world, zhang);
  Raw lis_raw(world, li);
  const auto of = [&](int many, const std::string& text) {
    Meeting meeting;
    for (int i = 0; i < many; ++i) {
      auto* resolution = meeting.add_resolutions();
      resolution->set_number(static_cast<uint32_t>(i) + 1);
      resolution->set_text(text);
    }
    return meeting;
  };
  Meeting meeting = of(300, "原文");
  meeting.set_branch_id(branch.str());
  meeting.set_topic("大会");
  const Id id = NewId();
  ASSERT_EQ(zhangs_raw.Answer({zhangs_raw.Create(meeting, id)}), "MERGED");
  EXPECT_EQ(lis_raw.Answer({lis_raw.Update(of(300, "改了"), id, 1)}), "RETURNED TOO_LARGE");
  EXPECT_EQ(lis_raw.Answer({lis_raw.Update(of(200, "改了"), id, 1)}), "MERGED");
  EXPECT_EQ(lis_raw.Answer({lis_raw.Update(of(300, "看过再改"), id)}), "MERGED");
}

TEST_F(OneEdit, WhatIsMadeAnewAgainAndAgainHasAnEnd) {
  Raw raw(world, zhang);
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  meeting.set_topic("大会");
  const Id id = NewId();
  std::string answer;
  int made = 0;
  for (; made < 100; ++made) {
    answer = raw.Answer({raw.Create(meeting, id)});
    if (answer != "MERGED") break;
    ASSERT_EQ(raw.Answer({raw.Deletion(NumberOf<Meeting>(), id)}), "MERGED");
  }
  EXPECT_EQ(answer, "RETURNED TOO_LARGE");
  EXPECT_EQ(made, 65) << "and its first life";
}

TEST_F(OneEdit, AVoidActIsNotTakenBesideAThousandEmptyLines) {
  Raw raw(world, zhang);
  records::v1::Election election;
  election.set_branch_id(branch.str());
  election.set_state(records::v1::Election::HELD);
  election.set_held_on(DateAt(world.now_ms()));
  election.set_entitled(30);
  election.set_present(28);
  election.set_seats(3);
  election.mutable_ballots()->set_issued(28);
  election.mutable_ballots()->set_returned(28);
  election.mutable_ballots()->set_valid(28);
  auto* candidate = election.add_candidates();
  candidate->set_member_id(li.str());
  candidate->mutable_count()->set_in_favour(500);
  candidate->set_elected(true);
  ASSERT_EQ(raw.Answer({raw.Create(election, NewId())}), "RETURNED AGAINST_A_RULE");
  for (int i = 0; i < 2000; ++i) {
    election.add_candidates()->set_member_id(std::string(12, '\0') + absl::StrFormat("%04d", i));
  }
  EXPECT_EQ(raw.Answer({raw.Create(election, NewId())}), "RETURNED TOO_LARGE");
}

}  // namespace
}  // namespace zhibu::test
