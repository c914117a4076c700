// Messages, enums, functions of the embedder, what a rule reads, budgets.
#include "sync/rules/cel/environment.h"

#include <gmock/gmock.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>

#include <thread>

#include "proto/policies.pb.h"
#include "tests/sync/rules/cel/said.h"
#include "zhibu/records/v1/meeting.pb.h"

namespace zhibu::cel {
namespace {

using records::v1::Attendance;
using records::v1::Meeting;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using zhibu::testing::Sampler;

Meeting Held() {
  Meeting meeting;
  meeting.set_state(Meeting::HELD);
  meeting.set_kind(Meeting::LECTURE);
  meeting.set_topic("党课");
  meeting.mutable_starts_at()->set_seconds(1'795'000'000);
  meeting.add_present("a");
  meeting.add_present("b");
  auto* resolution = meeting.add_resolutions();
  resolution->set_number(1);
  resolution->mutable_vote()->set_entitled(9);
  resolution->mutable_vote()->set_in_favour(5);
  meeting.add_resolutions()->set_number(2);
  return meeting;
}

class RuleTest : public ::testing::Test {
 protected:
  RuleTest() { activation_.Set(this_, Value::OfMessage(&meeting_)); }

  std::string Say(absl::string_view source, Budget budget = {}) {
    return Said(source, environment_, activation_, budget);
  }

  Meeting meeting_ = Held();
  Environment environment_;
  Activation activation_;
  const Variable this_ = environment_.AddVariable("this", Type::Message(*Meeting::descriptor()));
};

TEST_F(RuleTest, FieldsOfAMessageAreReadByTheirNames) {
  EXPECT_EQ(Say("this.topic + this.place"), "'党课'");
  EXPECT_EQ(Say("this.starts_at"), "timestamp('2026-11-18T11:06:40Z')");
  EXPECT_EQ(Say("this.present.size() == 2 && b'b' in this.present"), "true");
  EXPECT_EQ(Say("this.resolutions.map(r, r.vote.in_favour)"), "[5u, 0u]");
  EXPECT_EQ(Say("this.resolutions[0].vote.in_favour * 2 > this.resolutions[0].vote.entitled"),
            "true");
}

TEST_F(RuleTest, AWrongFieldIsRefusedByName) {
  EXPECT_EQ(Say("this.topik == ''"),
            "refused: line 1, column 6: zhibu.records.v1.Meeting has no field 'topik'");
  EXPECT_EQ(Say("this.resolutions.all(r,\n r.vote.yes > 0)"),
            "refused: line 2, column 9: zhibu.records.v1.Meeting.Vote has no field 'yes'");
  EXPECT_EQ(Say("this.topic.size"), "refused: line 1, column 12: string has no field 'size'");
  EXPECT_EQ(Say("this.topic > 5"),
            "refused: line 1, column 12: '>' cannot stand with string and int");
}

TEST_F(RuleTest, HasTellsWhatIsSet) {
  EXPECT_EQ(
      Say("[has(this.topic), has(this.place), has(this.present), has(this.agenda), "
          "has(this.starts_at), has(this.resolutions[0].vote), has(this.resolutions[1].vote)]"),
      "[true, false, true, false, true, true, false]");
  EXPECT_EQ(Say("has(this.topik)"),
            "refused: line 1, column 10: zhibu.records.v1.Meeting has no field 'topik'");
}

TEST_F(RuleTest, ValuesOfAnEnumAreNamedWhereTheFieldSaysWhichEnumItIs) {
  EXPECT_EQ(Say("this.state == HELD && CLOSED != this.state"), "true");
  EXPECT_EQ(Say("this.state in [HELD, CLOSED] && !(this.kind in [MEMBERS, GROUP])"), "true");
  EXPECT_EQ(Say("this.state >= PLANNED && this.state == (this.topic == '' ? PLANNED : HELD)"),
            "true");
  EXPECT_EQ(Say("this.state + 0"), "2");
  EXPECT_EQ(
      Say("this.state == LECTURE"),
      "refused: line 1, column 15: no value 'LECTURE' in zhibu.records.v1.Meeting.State, which "
      "has: STATE_UNSPECIFIED, PLANNED, HELD, CLOSED, CANCELLED");
  EXPECT_EQ(Say("this.state == this.kind"),
            "refused: line 1, column 12: '==' cannot stand with zhibu.records.v1.Meeting.State and "
            "zhibu.records.v1.Meeting.Kind");
  EXPECT_EQ(Say("HELD == 2"), "refused: line 1, column 1: nothing is called 'HELD'");
}

TEST_F(RuleTest, ValuesOfADeclaredEnumAreNamedAnywhere) {
  environment_.AddEnum("Attendance", *Attendance::State_descriptor());
  EXPECT_EQ(Say("[Attendance.PRESENT, Attendance.ABSENT]"), "[1, 3]");
  EXPECT_THAT(Say("this.state == Attendance.PRESENT"), HasSubstr("cannot stand with"));
}

TEST_F(RuleTest, EveryKindOfFieldIsRead) {
  Sampler sampler;
  sampler.set_zigzag_sum(-4);
  sampler.mutable_max()->set_seconds(7);
  (*sampler.mutable_map())["a"] = 1;
  (*sampler.mutable_map())["b"] = 2;
  sampler.set_number(3);
  sampler.mutable_pair()->set_left("l");
  sampler.add_numbers(9);
  sampler.add_by_key()->add_tags("t");
  Environment environment;
  Activation activation;
  activation.Set(environment.AddVariable("s", Type::Message(*Sampler::descriptor())),
                 Value::OfMessage(&sampler));
  EXPECT_EQ(Said("s.zigzag_sum + s.map['b'] + s.number + s.numbers[0]", environment, activation),
            "10");
  EXPECT_EQ(Said("[has(s.word), has(s.number), s.map.a == 1, 'c' in s.map, s.map.size() == 2]",
                 environment, activation),
            "[false, true, true, false, true]");
  EXPECT_EQ(Said("s.by_key[0].tags[0] + s.pair.left", environment, activation), "'tl'");
  EXPECT_EQ(
      Said("s.pair == s.pair && s.by_key[0] != s.by_key[0].parts[0]", environment, activation),
      "error: line 1, column 53: no element 0 in a list of 0");
  EXPECT_EQ(Said("type(s.pair) == type(s)", environment, activation), "false");
}

// A type that no program was compiled with, one field and one list of every kind.
const google::protobuf::Descriptor& EveryKind(google::protobuf::DescriptorPool* pool) {
  google::protobuf::FileDescriptorProto file;
  google::protobuf::Duration::descriptor()->file()->CopyTo(&file);
  pool->BuildFile(file);
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(name: "every.proto"
           syntax: "proto3"
           dependency: "google/protobuf/duration.proto"
           message_type { name: "Every" })pb",
      &file));
  auto* every = file.mutable_message_type(0);
  int number = 0;
  const auto add = [&](int type, const char* prefix, bool repeated) {
    auto* field = every->add_field();
    field->set_number(++number);
    field->set_type(static_cast<google::protobuf::FieldDescriptorProto::Type>(type));
    field->set_name(
        absl::StrCat(prefix, google::protobuf::FieldDescriptor::TypeName(
                                 static_cast<google::protobuf::FieldDescriptor::Type>(type))));
    field->set_label(repeated ? google::protobuf::FieldDescriptorProto::LABEL_REPEATED
                              : google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    if (type == 11) field->set_type_name(".google.protobuf.Duration");
  };
  for (int type = 1; type <= 18; ++type) {
    if (type == 10 || type == 14) continue;  // groups are no more, enums have tests of their own
    add(type, "a_", false);
    add(type, "s_", true);
  }
  return *pool->BuildFile(file)->message_type(0);
}

TEST(Fields, EveryKindOfFieldIsReadByItselfAndInLists) {
  google::protobuf::DescriptorPool pool;
  const auto& descriptor = EveryKind(&pool);
  google::protobuf::DynamicMessageFactory factory;
  const std::unique_ptr<google::protobuf::Message> every(factory.GetPrototype(&descriptor)->New());
  Environment environment;
  Activation activation;
  activation.Set(environment.AddVariable("this", Type::Message(descriptor)),
                 Value::OfMessage(every.get()));
  const auto say = [&](absl::string_view source) { return Said(source, environment, activation); };
  EXPECT_EQ(say("[this.a_bool, has(this.a_double), has(this.a_message), has(this.s_int32)]"),
            "[false, false, false, false]");
  EXPECT_EQ(say("this.a_message"), "duration('0s')");

  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"pb(a_bool: true
           a_double: 1.5
           a_float: 2.5
           a_string: "s"
           a_bytes: "b"
           a_int32: -1
           a_int64: -2
           a_sint32: -3
           a_sint64: -4
           a_sfixed32: -5
           a_sfixed64: -6
           a_uint32: 1
           a_uint64: 2
           a_fixed32: 3
           a_fixed64: 4
           a_message { seconds: -1 nanos: -5 }
           s_bool: true
           s_double: 1.5
           s_float: 2.5
           s_string: "s"
           s_bytes: "b"
           s_int32: -1
           s_int64: -2
           s_sint32: -3
           s_sint64: -4
           s_sfixed32: -5
           s_sfixed64: -6
           s_uint32: 1
           s_uint64: 2
           s_fixed32: 3
           s_fixed64: 4
           s_message { seconds: 7 })pb",
      every.get()));
  EXPECT_EQ(say("this.a_bool ? this.a_string + string(this.a_bytes) : ''"), "'sb'");
  EXPECT_EQ(say("this.a_double + this.a_float"), "4.0");
  EXPECT_EQ(say("this.a_int32 + this.a_int64 + this.a_sint32 + this.a_sint64 + this.a_sfixed32 + "
                "this.a_sfixed64"),
            "-21");
  EXPECT_EQ(say("this.a_uint32 + this.a_uint64 + this.a_fixed32 + this.a_fixed64"), "10u");
  EXPECT_EQ(say("this.a_message"), "duration('-1.000000005s')");
  EXPECT_EQ(say("[this.s_bool, this.s_double, this.s_float, this.s_string, this.s_bytes]"),
            "[[true], [1.5], [2.5], ['s'], [b'b']]");
  EXPECT_EQ(say("[this.s_int32, this.s_int64, this.s_sint32, this.s_sint64, this.s_sfixed32, "
                "this.s_sfixed64]"),
            "[[-1], [-2], [-3], [-4], [-5], [-6]]");
  EXPECT_EQ(say("[this.s_uint32, this.s_uint64, this.s_fixed32, this.s_fixed64]"),
            "[[1u], [2u], [3u], [4u]]");
  EXPECT_EQ(say("this.s_message[0] > this.a_message && this == this"), "true");
}

TEST_F(RuleTest, AnEnumInAListIsNamedToo) {
  meeting_.set_kind(Meeting::GROUP);
  records::v1::CheckIn check_in;
  check_in.add_marks(records::v1::CheckIn::CLOCK_OFF);
  activation_.Set(environment_.AddVariable("check_in", Type::Message(*check_in.descriptor())),
                  Value::OfMessage(&check_in));
  EXPECT_EQ(Say("CLOCK_OFF in check_in.marks && !(LATE_CODE in check_in.marks)"), "true");
  EXPECT_EQ(Say("check_in.marks.exists(m, m == CLOCK_OFF)"), "true");
  EXPECT_EQ(Say("check_in.marks == [CLOCK_OFF]"), "true");
}

TEST_F(RuleTest, ADamagedTimeIsAnErrorAtItsField) {
  meeting_.mutable_starts_at()->set_nanos(-1);
  EXPECT_EQ(Say("this.starts_at"), "error: line 1, column 6: a damaged time");
  meeting_.mutable_starts_at()->set_nanos(0);
  meeting_.mutable_starts_at()->set_seconds(int64_t{1} << 60);
  EXPECT_THAT(Say("this.starts_at"), HasSubstr("outside the years"));
}

// As a server reads a type that it was not compiled with.
TEST_F(RuleTest, ADynamicMessageReadsLikeAGeneratedOne) {
  google::protobuf::DescriptorPool pool(google::protobuf::DescriptorPool::generated_pool());
  google::protobuf::DynamicMessageFactory factory(&pool);
  factory.SetDelegateToGeneratedFactory(false);
  const std::unique_ptr<google::protobuf::Message> dynamic(
      factory.GetPrototype(Meeting::descriptor())->New());
  ASSERT_TRUE(dynamic->ParseFromString(meeting_.SerializeAsString()));
  activation_.Set(this_, Value::OfMessage(dynamic.get()));
  EXPECT_EQ(Say("this.state == HELD && this.topic == '党课' && has(this.starts_at) && "
                "this.starts_at > timestamp(0) && this.resolutions[0].vote.in_favour == 5"),
            "true");
}

TEST_F(RuleTest, AMessageOfAnotherTypeThanDeclaredIsAnErrorAndNotRead) {
  const Attendance other;
  activation_.Set(this_, Value::OfMessage(&other));
  EXPECT_EQ(
      Say("this.topic"),
      "error: line 1, column 1: 'this' is declared as zhibu.records.v1.Meeting, and was given "
      "zhibu.records.v1.Attendance");
  activation_.Set(this_, Value::Null());
  EXPECT_THAT(Say("this.topic"), StartsWith("error: line 1, column 6: null_type has no field"));
  EXPECT_EQ(Said("this.topic", environment_), "error: line 1, column 1: 'this' was given no value");
}

TEST_F(RuleTest, ThroughDynFieldsAreFoundWhenItIsEvaluated) {
  EXPECT_EQ(Say("dyn(this).topic"), "'党课'");
  EXPECT_EQ(Say("has(dyn(this).place)"), "false");
  EXPECT_EQ(Say("dyn(this).topik"),
            "error: line 1, column 11: zhibu.records.v1.Meeting has no field 'topik'");
  EXPECT_EQ(Say("dyn(1).topic"), "error: line 1, column 8: int has no field 'topic'");
}

class Reader : public Host {
 public:
  bool Hides(const google::protobuf::Message&,
             const google::protobuf::FieldDescriptor& field) const override {
    return field.name() == "minutes";
  }
};

TEST_F(RuleTest, AFieldThatMayNotBeReadIsUnknownWhateverTheMessageHolds) {
  const Reader reader;
  activation_.set_host(&reader);
  const std::string unknown = "unknown: zhibu.records.v1.Meeting.minutes";
  EXPECT_EQ(Say("this.minutes == ''"), unknown);
  EXPECT_EQ(Say("has(this.minutes)"), unknown);
  EXPECT_EQ(Say("dyn(this).minutes == ''"), unknown);
  EXPECT_EQ(Say("this.state == HELD || this.minutes == ''"), "true");
}

TEST_F(RuleTest, NoMessageIsMade) {
  EXPECT_EQ(Say("zhibu.records.v1.Meeting{topic: 'a'}"),
            "refused: line 1, column 18: messages are read here, not made: "
            "zhibu.records.v1.Meeting{…}");
}

// A book of parameters, as the rules of an organisation have one.
class Book : public Host {
 public:
  Value Find(absl::string_view key) const {
    if (key == "months") return Value::Int(12);
    return key == "later" ? Value::Unknown("param(later)") : Value::Error("no such parameter");
  }
};

void AddBook(Environment* environment) {
  environment->AddFunction({"param", Style::kGlobal, {Type::String()}, Type::Int(), [](Call& call) {
                              return static_cast<const Book&>(*call.host()).Find(call[0].text());
                            }});
  environment->AddFunction({"plusDays",
                            Style::kReceiver,
                            {Type::Timestamp(), Type::Int()},
                            Type::Timestamp(),
                            [](Call& call) {
                              return Value::Timestamp(call[0].time() +
                                                      absl::Hours(24 * call[1].int_value()));
                            }});
}

TEST_F(RuleTest, FunctionsOfTheEmbedderFindTheirHostAgain) {
  AddBook(&environment_);
  const Book book;
  activation_.set_host(&book);
  EXPECT_EQ(Say("param('mon' + 'ths') * 2"), "24");
  EXPECT_EQ(Say("timestamp(0).plusDays(param('months'))"), "timestamp('1970-01-13T00:00:00Z')");
  EXPECT_EQ(Say("param('none') > 0"), "error: line 1, column 1: no such parameter");
  EXPECT_EQ(Say("param('later') > 0 && this.state == PLANNED"), "false");
  EXPECT_EQ(Say("param('later') > 0 && this.state == HELD"), "unknown: param(later)");
  EXPECT_EQ(Say("timestamp(0).plusDays(param('later')) == this.starts_at"),
            "unknown: param(later)");
}

TEST_F(RuleTest, AWrongCallIsRefusedWithWhatThereIs) {
  AddBook(&environment_);
  EXPECT_EQ(Say("1 + param(5)"),
            "refused: line 1, column 5: param() cannot take int; there is param(string)");
  EXPECT_EQ(Say("this.starts_at.plusDays('a')"),
            "refused: line 1, column 16: plusDays() cannot take timestamp, string; there is "
            "timestamp.plusDays(int)");
  EXPECT_EQ(Say("parm('a')"), "refused: line 1, column 1: there is no parm() of so many arguments");
  EXPECT_EQ(Say("'a'.param()"),
            "refused: line 1, column 5: there is no x.param() of so many arguments");
}

TEST_F(RuleTest, AFunctionThatTakesAnEnumSaysWhichOneItsArgumentNames) {
  environment_.AddFunction({"was",
                            Style::kGlobal,
                            {Type::Enum(*Meeting::State_descriptor())},
                            Type::Bool(),
                            [](Call& call) { return Value::Bool(call[0].int_value() == 2); }});
  EXPECT_EQ(Say("was(HELD) && !was(PLANNED)"), "true");
  EXPECT_THAT(Say("was(HOLD)"), StartsWith("refused: line 1, column 5: no value 'HOLD' in"));
}

TEST_F(RuleTest, AFunctionThatDoesNotGiveWhatItDeclaredIsAnError) {
  environment_.AddFunction(
      {"f", Style::kGlobal, {}, Type::Int(), [](Call&) { return Value::String("a"); }});
  EXPECT_EQ(Say("f() + 1"),
            "error: line 1, column 1: f() is declared to give int, and gave string");
}

TEST_F(RuleTest, ALazyVariableIsComputedOnceAndOnlyIfItIsAsked) {
  int computed = 0;
  const Variable lazy = environment_.AddVariable("lazy", Type::Int());
  activation_.SetLazy(lazy, [&] { return Value::Int(++computed); });
  EXPECT_EQ(Say("this.state == HELD || lazy == 5"), "true");
  EXPECT_EQ(computed, 0);
  EXPECT_EQ(Say("lazy + lazy"), "2");
  EXPECT_EQ(Say("lazy"), "1");
  EXPECT_EQ(computed, 1);
}

TEST_F(RuleTest, AnOwnerKeepsAMessageAliveAsLongAsWhatWasReadFromIt) {
  auto owned = std::make_shared<const Meeting>(meeting_);
  activation_.Set(this_, Value::OfMessage(owned.get(), owned));
  const auto program = environment_.Compile("[this.topic, string(this.present[1])]");
  ASSERT_TRUE(program.ok()) << program.status();
  const Value value = program->Evaluate(activation_, Budget{});
  activation_.Set(this_, Value::Null());
  const std::weak_ptr<const Meeting> watched = owned;
  owned.reset();
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(value.ToText(), "['党课', 'b']");
}

TEST_F(RuleTest, AProgramSaysWhatItReadsAndCalls) {
  AddBook(&environment_);
  environment_.AddFunction(
      {"ref", Style::kGlobal, {Type::Bytes()}, Type::Message(*Attendance::descriptor()), [](Call&) {
         return Value::Null();
       }});
  const auto program = environment_.Compile(
      "this.resolutions.all(r, r.vote.in_favour > 0 || has(r.text)) && param('months') > 0 && "
      "ref(this.chair_id).state == PRESENT && param(this.topic) > 0 && this.kind == GROUP");
  ASSERT_TRUE(program.ok()) << program.status();
  std::vector<std::string> fields;
  for (const FieldUse& use : program->fields()) fields.push_back(use.ToText());
  EXPECT_THAT(fields, ElementsAre("this.resolutions", "this.resolutions.vote.in_favour",
                                  "this.resolutions.text", "this.chair_id", "ref().state",
                                  "this.topic", "this.kind"));
  std::vector<std::string> calls;
  for (const FunctionUse& use : program->functions()) {
    calls.push_back(absl::StrCat(use.name, " ",
                                 use.arguments[0].has_value() ? use.arguments[0]->ToText() : "?"));
  }
  EXPECT_THAT(calls, ElementsAre("param 'months'", "ref ?", "param ?"));
  EXPECT_EQ(program->type().ToText(), "bool");
}

TEST_F(RuleTest, ARuleIsOfTheTypeThatItsPlaceAsksFor) {
  EXPECT_TRUE(environment_.Compile("this.state == HELD", Type::Bool()).ok());
  EXPECT_TRUE(environment_.Compile("this.state", Type::Int()).ok());
  EXPECT_EQ(environment_.Compile("this.topic", Type::Bool()).status().message(),
            "line 1, column 6: the whole is string, and should be bool");
}

TEST_F(RuleTest, NamesWithDotsGoBeforeFields) {
  environment_.AddConstant("this.topic", Value::Int(7), Type::Int());
  EXPECT_EQ(Say("this.topic"), "7");
  EXPECT_EQ(Say("[this].map(this, this.topic)"), "['党课']");
}

TEST_F(RuleTest, BeyondItsBudgetNothingHoldsWhateverTheLogic) {
  const std::string beyond = "error: more than the budget of 50 steps";
  EXPECT_EQ(Say("this.state == HELD", Budget{50}), "true");
  const std::string many = "[1,2,3,4,5,6,7,8].all(a, [1,2,3,4,5,6,7,8].all(b, a + b > 0))";
  EXPECT_EQ(Say(many, Budget{50}), beyond);
  EXPECT_EQ(Say(many + " || true", Budget{50}), beyond);
  EXPECT_EQ(Say("true ? true : " + many, Budget{50}), "true");
  EXPECT_EQ(Say(many), "true");
}

TEST_F(RuleTest, WhatGrowsIsChargedBySize) {
  // Doubled thirty times: thousands of millions of characters, if it could be.
  std::string doubled = "this.topic";
  for (int i = 0; i < 30; ++i) doubled = absl::StrCat("[", doubled, "].map(x, x + x)[0]");
  EXPECT_EQ(Say(doubled), "error: more than the budget of 10000 steps");
  std::string lists = "this.present";
  for (int i = 0; i < 30; ++i) lists = absl::StrCat("[", lists, "].map(x, x + x)[0]");
  EXPECT_EQ(Say(lists), "error: more than the budget of 10000 steps");
  meeting_.set_minutes(std::string(1 << 20, 'x'));
  EXPECT_THAT(Say("this.minutes.matches('(x+x+)+y')"), HasSubstr("budget"));
  EXPECT_THAT(Say("this.minutes.contains(this.topic)"), HasSubstr("budget"));
  EXPECT_EQ(Say("this.minutes.contains('x')", Budget{100'000}), "true");
  EXPECT_THAT(Say("this == this"), HasSubstr("budget"));
}

TEST_F(RuleTest, AnyNumberOfThreadsEvaluateOneProgram) {
  const auto program = environment_.Compile("this.resolutions.exists(r, r.vote.in_favour > 4)");
  ASSERT_TRUE(program.ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, shared = *program] {
      Activation activation;
      activation.Set(this_, Value::OfMessage(&meeting_));
      for (int n = 0; n < 200; ++n)
        EXPECT_TRUE(shared.Evaluate(activation, Budget{}).is_bool(true));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Unchecked, WhatIsNotKnownIsAnErrorWhenItIsEvaluated) {
  const Environment environment;
  const auto said = [&](absl::string_view source) {
    return environment.CompileUnchecked(source)->Evaluate(Activation(), Budget{}).ToText();
  };
  EXPECT_EQ(said("nobody"), "error: line 1, column 1: nothing is called 'nobody'");
  EXPECT_EQ(said("nothing(1) || true"), "true");
  EXPECT_EQ(said("1 + ''"), "error: line 1, column 3: '+' is not declared for int, string");
  EXPECT_EQ(said("1 == 1.0"), "true");
  EXPECT_EQ(said("'a'.matches('(')").substr(0, 35), "error: line 1, column 5: not a regu");
}

}  // namespace
}  // namespace zhibu::cel
