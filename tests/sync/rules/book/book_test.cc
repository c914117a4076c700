// What a rule book may say, and what is told of one that is wrong.
#include "sync/rules/book/book.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/rules/book/same.h"
#include "sync/schema/schema.h"

namespace zhibu::rules {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

absl::StatusOr<std::unique_ptr<const Book>> Compiled(const std::string& text) {
  const std::vector<RuleText> files = {{"test.textproto", text}};
  return Book::Compile(files, *CatalogueSchema());
}

std::string WrongIn(const std::string& text) {
  const auto book = Compiled(text);
  EXPECT_FALSE(book.ok());
  return book.ok() ? "" : std::string(book.status().message());
}

absl::CivilDay Day(const char* text) { return *DayFrom(text); }

int64_t ValueOn(const Book& book, const char* day) {
  const rules::v1::Parameter* found = book.parameters().InForce("k", Day(day));
  return found == nullptr ? -1 : found->value();
}

TEST(RuleBook, WhatIsShippedCompilesAndThisBuildUnderstandsAllOfIt) {
  EXPECT_THAT(ShippedBook().unknown(), IsEmpty());
  EXPECT_FALSE(ShippedBook().obligations().empty());
}

TEST(RuleBook, EveryShippedRuleHasWordsInBothLanguagesASourceAndSomebodyWhoSeesToIt) {
  for (const Obligation& obligation : ShippedBook().obligations()) {
    const rules::v1::Obligation& text = obligation.text;
    EXPECT_FALSE(text.words().zh().empty() || text.words().en().empty()) << text.key();
    EXPECT_FALSE(text.next().zh().empty() || text.next().en().empty()) << text.key();
    EXPECT_FALSE(text.source().empty()) << text.key();
    EXPECT_FALSE(text.who().empty()) << text.key();
    EXPECT_NE(text.certainty(), rules::v1::CERTAINTY_UNSPECIFIED) << text.key();
  }
  for (const rules::v1::Parameter& parameter : ShippedBook().parameters().All()) {
    EXPECT_FALSE(parameter.source().empty() || parameter.unit().empty()) << parameter.key();
  }
}

TEST(RuleBook, OfTheRowsOfAParameterTheLatestThatHasBegunIsInForce) {
  const auto book = Compiled(R"t(
    parameter { key: "k" value: 5 from: "2014-05-28" source: "FZ14" }
    parameter { key: "k" value: 7 from: "2026-05-18" source: "FZ26" })t");
  ASSERT_TRUE(book.ok()) << book.status();
  EXPECT_EQ(ValueOn(**book, "2014-05-27"), -1);
  EXPECT_EQ(ValueOn(**book, "2014-05-28"), 5);
  EXPECT_EQ(ValueOn(**book, "2026-05-17"), 5);
  EXPECT_EQ(ValueOn(**book, "2026-05-18"), 7);
}

TEST(RuleBook, OfTwoSourcesThatDisagreeBothAreKeptAndOneIsInForce) {
  const auto book = Compiled(R"t(
    parameter { key: "k" value: 5 from: "2018-07-01" source: "RQ18" }
    parameter { key: "k" value: 3 from: "2018-07-01" source: "D" not_in_force: true })t");
  ASSERT_TRUE(book.ok()) << book.status();
  EXPECT_EQ(ValueOn(**book, "2020-01-01"), 5);
  EXPECT_EQ((*book)->parameters().All().size(), 2u);
}

TEST(RuleBook, TwoInForceFromOneDayAreRefused) {
  EXPECT_EQ(WrongIn(R"t(parameter { key: "k" value: 1 } parameter { key: "k" value: 2 })t"),
            "test.textproto: parameter k: two are in force from one day");
}

TEST(RuleBook, WhatIsNoTextFormIsToldWithLineAndColumn) {
  EXPECT_THAT(WrongIn("parameter {\n  key: \"k\"\n  colour: 1 }"),
              AllOf(HasSubstr("test.textproto:3:"), HasSubstr("colour")));
}

// What every rule says.
const std::string kSaid = R"t( source: "s" certainty: SURE who: SECRETARY
    words { zh: "甲" en: "a" } next { zh: "乙" en: "b" } )t";
const std::string kRule =
    R"t(obligation { key: "o" each: "Flow" counts_from: "this.left" )t" + kSaid;

TEST(RuleBook, AFieldThatTheTypeDoesNotHaveIsToldWithTheRuleAndThePlace) {
  EXPECT_THAT(
      WrongIn(kRule + R"t(where: "this.colour == 'red'" due_on: "this.left" })t"),
      AllOf(HasSubstr("test.textproto: o: where: line 1, column 6: "), HasSubstr("colour")));
}

TEST(RuleBook, AParameterThatThereIsNotIsToldWhenTheBookIsRead) {
  EXPECT_THAT(WrongIn(kRule + R"t(due_on: "from.addMonths(param('k'))" })t"),
              AllOf(HasSubstr("o: due_on: "), HasSubstr("there is no parameter k")));
}

TEST(RuleBook, WhatIsComparedIsOfOneType) {
  EXPECT_THAT(WrongIn(kRule + R"t(where: "this.left" due_on: "this.left" })t"),
              HasSubstr("o: where: "));
}

TEST(RuleBook, AnObligationSaysInOneWayWhenItIsDue) {
  EXPECT_THAT(WrongIn(kRule + "}"), HasSubstr("one of every, due_on, every_months"));
  EXPECT_THAT(WrongIn(kRule + R"t(due_on: "this.left" every: MONTH })t"),
              HasSubstr("one of every, due_on, every_months"));
}

TEST(RuleBook, WhatIsTheSameIsToldByFieldsThatAreThereAndHoldOneValue) {
  const std::string met = R"t(met_by { type: "DistinctFact" via: "stay_id" on: "from" } )t";
  const std::string due = kRule + met + R"t(due_on: "this.left" )t";
  EXPECT_TRUE(Compiled(due + R"t(same: "left" })t").ok());
  EXPECT_THAT(WrongIn(due + R"t(same: "colour" })t"), HasSubstr("no field \"colour\""));
  EXPECT_THAT(WrongIn(due + R"t(undone_by: "left" })t"), HasSubstr("undone_by"));
  EXPECT_THAT(WrongIn(kRule + met + R"t(every: MONTH same: "left" })t"), HasSubstr("due_on"));
}

TEST(RuleBook, WhatNobodyCouldAnswerIsNotAsked) {
  EXPECT_THAT(WrongIn(kRule + R"t(due_on: "this.left" same: "left" })t"),
              HasSubstr("nothing that meets it is kept with Flow"));
  EXPECT_THAT(WrongIn(kRule + R"t(due_on: "this.left" same: "left"
                                  met_by { type: "Contact" via: "member_id" on: "from" } })t"),
              HasSubstr("nothing that meets it is kept with Flow"));
}

TEST(RuleBook, OfEachFieldThatMayBeTheSameItIsSaidWhetherItHoldsOneValue) {
  const RecordType& fact = *CatalogueSchema()->FindByName("DistinctFact");
  for (const FieldRule& names : fact.fields.rules()) {
    if (names.kept_with == nullptr) continue;
    const RecordType& type = *names.kept_with;
    for (const FieldRule& field : type.fields.rules()) {
      const std::string text = absl::StrCat(
          R"t(obligation { key: "o" each: ")t", type.name,
          R"t(" counts_from: "registered" due_on: "from" )t", kSaid,
          R"t( met_by { type: "DistinctFact" on: "from" via: ")t", names.descriptor->name(),
          R"t(" } same: ")t", field.descriptor->name(), R"t(" })t");
      const bool one_value = !field.descriptor->is_repeated() &&
                             (field.descriptor->message_type() == nullptr ||
                              field.descriptor->message_type()->name() == "Timestamp");
      const auto book = Compiled(text);
      EXPECT_EQ(book.ok(), one_value) << field.descriptor->full_name() << ": " << book.status();
      if (!book.ok()) continue;
      const auto* empty =
          google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor);
      SaidIn(*field.descriptor, *empty);  // and the program goes on
    }
  }
}

TEST(RuleBook, ARuleOfATypeThatThisBuildDoesNotKnowIsKeptAndSaidToBeUnknown) {
  const auto book = Compiled(R"t(
    obligation { key: "new" each: "Pilgrimage" counts_from: "this.on" due_on: "this.on" })t");
  ASSERT_TRUE(book.ok()) << book.status();
  EXPECT_THAT((*book)->unknown(), ElementsAre("new: no record type Pilgrimage"));
  EXPECT_THAT((*book)->obligations(), IsEmpty());
}

TEST(RuleBook, WhatSaysNoSourceNoWordsAndNobodyIsNoRule) {
  const std::string bare = R"t(obligation { key: "o" each: "Flow" counts_from: "this.left" )t"
                           R"t(due_on: "this.left" )t";
  EXPECT_THAT(WrongIn(bare + "}"), HasSubstr("o: words: "));
  for (const char* left_out : {"source: \"s\"", "certainty: SURE", "who: SECRETARY"}) {
    std::string said = kSaid;
    said.erase(said.find(left_out), std::string(left_out).size());
    EXPECT_THAT(WrongIn(bare + said + "}"), HasSubstr("is to")) << left_out;
  }
  EXPECT_THAT(WrongIn(bare + kSaid + R"t(from: "2026-13-45" })t"), HasSubstr("o: from: "));
}

TEST(RuleBook, AKeyNamesOneRule) {
  const std::string rule = kRule + R"t(due_on: "this.left" })t";
  EXPECT_THAT(WrongIn(rule + rule), HasSubstr("o: there is another with this key"));
}

TEST(Days, MonthsRunToTheSameDayOrTheLast) {
  EXPECT_EQ(AddMonths(Day("2026-01-31"), 1), Day("2026-02-28"));
  EXPECT_EQ(AddMonths(Day("2024-01-31"), 1), Day("2024-02-29"));
  EXPECT_EQ(AddMonths(Day("2026-03-31"), -1), Day("2026-02-28"));
  EXPECT_EQ(AddMonths(Day("2026-07-28"), 6), Day("2027-01-28"));
}

}  // namespace
}  // namespace zhibu::rules
