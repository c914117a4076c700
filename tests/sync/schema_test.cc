// Wrong declarations are refused by name; those of the catalogue are right.
#include "sync/schema/schema.h"

#include <gmock/gmock.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <deque>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "proto/policies.pb.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kHead[] = R"(
  syntax = "proto3";
  package t;
  import "google/protobuf/timestamp.proto";
  import "zhibu/schema/v1/options.proto";
)";
constexpr char kRecord[] = "option (zhibu.record) = { type: 7 own_scope: OWNER };";

// Compiles the text of a proto file, as protoc would.
MATCHER_P(Says, what, "") { return absl::StrContains(arg.message(), what); }

class SchemaTest : public ::testing::Test {
 protected:
  SchemaTest() {
    testing::Sampler::descriptor();  // and its imports, into the generated pool
  }

  absl::StatusOr<std::shared_ptr<const Schema>> Compile(absl::string_view text) {
    const std::string whole = absl::StrCat(kHead, text);
    google::protobuf::io::ArrayInputStream stream(whole.data(), static_cast<int>(whole.size()));
    google::protobuf::io::Tokenizer tokenizer(&stream, nullptr);
    FileDescriptorProto proto;
    google::protobuf::compiler::Parser parser;
    EXPECT_TRUE(parser.Parse(&tokenizer, &proto)) << text;
    proto.set_name("t.proto");
    const FileDescriptor* file =
        pools_.emplace_back(DescriptorPool::generated_pool()).BuildFile(proto);
    EXPECT_NE(file, nullptr) << text;
    if (file == nullptr) return absl::InternalError("not proto");
    return Schema::Compile({file});
  }
  // In a record named R.
  std::string Wrong(absl::string_view body) { return WrongFile(InRecord(body)); }
  std::string WrongFile(absl::string_view text) {
    const auto schema = Compile(text);
    EXPECT_EQ(schema.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(schema.status().message());
  }
  static std::string InRecord(absl::string_view body) {
    return absl::StrCat("message R {", kRecord, body, "}");
  }

  std::deque<DescriptorPool> pools_;  // one for each text
};

TEST_F(SchemaTest, TakesADeclarationFromText) {
  const auto schema = Compile(R"(
    message Item { uint32 number = 1; }
    enum State { NONE = 0 [(zhibu.next) = "OPEN"]; OPEN = 1; }
    message R {
      option (zhibu.record) = {
        type: 7 label: "记录" readers: [SECRETARY, MEMBER] writers: [DEPUTY] id_from: ["b"]
      };
      bytes a = 1 [(zhibu.place) = OWNER, (zhibu.required) = true];
      string b = 2 [(zhibu.format) = DATE];
      repeated Item items = 3 [(zhibu.merge) = BY_KEY, (zhibu.key) = "number"];
      State state = 4 [(zhibu.merge) = FORWARD];
      string far = 536870911 [(zhibu.merge) = ASK];
      oneof o { string y = 9; string x = 6; }
      optional int32 most = 10 [(zhibu.merge) = MAX];
    })");
  ASSERT_TRUE(schema.ok()) << schema.status();
  const RecordType* type = (*schema)->Find(7);
  ASSERT_NE(type, nullptr);
  EXPECT_EQ(type->name, "R");
  EXPECT_EQ(type->label, "记录");
  const uint32_t readers = AudienceOf(SECRETARY) | AudienceOf(MEMBER);
  EXPECT_EQ(type->readers, (Eyes{readers, readers}));
  EXPECT_EQ(type->writers, (Eyes{AudienceOf(DEPUTY), AudienceOf(DEPUTY)}));
  EXPECT_EQ(type->id_from, std::vector<uint32_t>{2});
  EXPECT_TRUE(type->fields.Find(2)->identity);
  EXPECT_TRUE(type->fields.Find(1)->required);
  EXPECT_EQ(type->fields.Find(1)->place, OWNER);
  EXPECT_EQ(type->fields.Find(3)->key_number, 1u);
  EXPECT_EQ(type->fields.Find(3)->element->Find(1)->policy, LATEST);
  EXPECT_TRUE(type->fields.Find(4)->steps.contains({0, 1}));
  EXPECT_EQ(type->fields.Find(536870911)->policy, ASK);
  EXPECT_EQ(type->fields.Find(100000), nullptr);
  EXPECT_EQ(type->fields.Find(4000000000u), nullptr);
  EXPECT_EQ(type->fields.SlotOf(9), 6u);
  EXPECT_EQ(type->fields.SlotOf(4000), 4000u);
  EXPECT_EQ((*schema)->Find(8), nullptr);
  EXPECT_EQ((*schema)->FindByName("Q"), nullptr);
  EXPECT_EQ((*schema)->Find(type->descriptor), type);
  EXPECT_EQ((*schema)->Find(testing::Bicycle::descriptor()), nullptr);
}

TEST_F(SchemaTest, ARecordWithoutALabelIsCalledByItsName) {
  const auto schema = Compile(InRecord(""));
  ASSERT_TRUE(schema.ok()) << schema.status();
  EXPECT_EQ((*schema)->FindByName("R")->label, "R");
}

TEST_F(SchemaTest, SumIsForWholeNumbersOf64Bits) {
  EXPECT_THAT(Wrong("string s = 1 [(zhibu.merge) = SUM];"), HasSubstr("t.R.s: SUM is for"));
}
TEST_F(SchemaTest, SumIsNotForSmallNumbers) {
  EXPECT_THAT(Wrong("int32 s = 1 [(zhibu.merge) = SUM];"), HasSubstr("t.R.s: SUM is for"));
}
TEST_F(SchemaTest, SumIsNotForOptionalOnes) {
  EXPECT_THAT(Wrong("optional int64 s = 1 [(zhibu.merge) = SUM];"), HasSubstr("t.R.s: SUM"));
}
TEST_F(SchemaTest, MaxIsNotForTruth) {
  EXPECT_THAT(Wrong("bool m = 1 [(zhibu.merge) = MAX];"), HasSubstr("t.R.m: MAX and MIN"));
}
TEST_F(SchemaTest, MinIsNotForMany) {
  EXPECT_THAT(Wrong("repeated int32 m = 1 [(zhibu.merge) = MIN];"), HasSubstr("t.R.m: MAX"));
}
TEST_F(SchemaTest, MaxIsForAllThatHasAnOrder) {
  EXPECT_TRUE(Compile(InRecord(R"(
    uint32 a = 1 [(zhibu.merge) = MAX];
    uint64 b = 2 [(zhibu.merge) = MIN];
    string c = 3 [(zhibu.merge) = MAX];
    google.protobuf.Timestamp d = 4 [(zhibu.merge) = MIN];)"))
                  .ok());
}
TEST_F(SchemaTest, AddWinsIsForSets) {
  EXPECT_THAT(Wrong("string a = 1 [(zhibu.merge) = ADD_WINS];"), HasSubstr("t.R.a: ADD_WINS"));
}
TEST_F(SchemaTest, AddWinsIsNotForNumbers) {
  EXPECT_THAT(Wrong("repeated int32 a = 1 [(zhibu.merge) = ADD_WINS];"),
              HasSubstr("t.R.a: ADD_WINS"));
}
TEST_F(SchemaTest, ByKeyNeedsAKey) {
  EXPECT_THAT(Wrong("message I { int32 n = 1; } repeated I i = 1 [(zhibu.merge) = BY_KEY];"),
              HasSubstr("t.R.i: BY_KEY needs (zhibu.key)"));
}
TEST_F(SchemaTest, ByKeyNeedsAKeyThatExists) {
  EXPECT_THAT(Wrong("message I { int32 n = 1; }"
                    "repeated I i = 1 [(zhibu.merge) = BY_KEY, (zhibu.key) = \"m\"];"),
              AllOf(HasSubstr("t.R.i: the key m"), HasSubstr("t.R.I")));
}
TEST_F(SchemaTest, ByKeyNeedsAKeyOfOneWord) {
  EXPECT_THAT(Wrong("message I { double n = 1; }"
                    "repeated I i = 1 [(zhibu.merge) = BY_KEY, (zhibu.key) = \"n\"];"),
              HasSubstr("t.R.i: the key n"));
}
TEST_F(SchemaTest, AKeyHasNoPolicy) {
  EXPECT_THAT(Wrong("message I { int64 n = 1 [(zhibu.merge) = SUM]; }"
                    "repeated I i = 1 [(zhibu.merge) = BY_KEY, (zhibu.key) = \"n\"];"),
              HasSubstr("t.R.I.n: a key cannot change"));
}
TEST_F(SchemaTest, AKeyIsForByKey) {
  EXPECT_THAT(Wrong("message I { int64 n = 1; } repeated I i = 1 [(zhibu.key) = \"n\"];"),
              HasSubstr("t.R.i: a key is for BY_KEY"));
}
TEST_F(SchemaTest, ByKeyIsForManyMessages) {
  EXPECT_THAT(Wrong("repeated string i = 1 [(zhibu.merge) = BY_KEY, (zhibu.key) = \"n\"];"),
              HasSubstr("t.R.i: BY_KEY is for"));
}
TEST_F(SchemaTest, WrongFieldsOfAnElementAreFound) {
  EXPECT_THAT(Wrong("message I { int32 n = 1; string s = 2 [(zhibu.merge) = SUM]; }"
                    "repeated I i = 1 [(zhibu.merge) = BY_KEY, (zhibu.key) = \"n\"];"),
              HasSubstr("t.R.I.s: SUM"));
}
TEST_F(SchemaTest, ForwardNeedsSteps) {
  EXPECT_THAT(Wrong("enum S { A = 0; B = 1; } S s = 1 [(zhibu.merge) = FORWARD];"),
              HasSubstr("t.R.S: FORWARD needs"));
}
TEST_F(SchemaTest, ForwardIsForAnEnum) {
  EXPECT_THAT(Wrong("int32 s = 1 [(zhibu.merge) = FORWARD];"), HasSubstr("t.R.s: FORWARD"));
}
TEST_F(SchemaTest, NextNamesAValue) {
  EXPECT_THAT(Wrong("enum S { A = 0 [(zhibu.next) = \"C\"]; B = 1; }"
                    "S s = 1 [(zhibu.merge) = FORWARD];"),
              AllOf(HasSubstr("next names C"), HasSubstr("t.R.S")));
}
TEST_F(SchemaTest, APlaceIsAnId) {
  EXPECT_THAT(Wrong("string p = 1 [(zhibu.place) = OWNER];"), HasSubstr("t.R.p: a place"));
}
TEST_F(SchemaTest, AOneofHasNoPolicy) {
  EXPECT_THAT(Wrong("oneof o { string a = 1 [(zhibu.merge) = ASK]; string b = 2; }"),
              HasSubstr("t.R.a: members of a oneof"));
}
TEST_F(SchemaTest, AFormatIsForText) {
  EXPECT_THAT(Wrong("int32 f = 1 [(zhibu.format) = DATE];"), HasSubstr("t.R.f: a format"));
}
TEST_F(SchemaTest, ReadsAsIsTheNumberOfAType) {
  EXPECT_THAT(Wrong("string f = 1 [(zhibu.reads_as) = true];"), HasSubstr("t.R.f: reads_as"));
}
TEST_F(SchemaTest, IdFromNamesAField) {
  EXPECT_THAT(WrongFile("message R { option (zhibu.record) = "
                        "{ type: 7 own_scope: OWNER id_from: [\"x\"] }; }"),
              HasSubstr("t.R: id_from names x"));
}
TEST_F(SchemaTest, WhatMakesTheIdHasNoPolicy) {
  EXPECT_THAT(WrongFile("message R { option (zhibu.record) = "
                        "{ type: 7 own_scope: OWNER id_from: [\"x\"] };"
                        "string x = 1 [(zhibu.merge) = ASK]; }"),
              HasSubstr("t.R.x: a field that makes the id"));
}
TEST_F(SchemaTest, ARecordLiesSomewhere) {
  EXPECT_THAT(WrongFile("message R { option (zhibu.record) = { type: 7 }; string s = 1; }"),
              HasSubstr("t.R: no field places the record"));
}
TEST_F(SchemaTest, ARecordHasANumber) {
  EXPECT_THAT(WrongFile("message R { option (zhibu.record) = { own_scope: OWNER }; }"),
              HasSubstr("t.R: a record needs a type number"));
}
TEST_F(SchemaTest, TwoTypesHaveTwoNumbers) {
  EXPECT_THAT(WrongFile(absl::StrCat("message R {", kRecord, "} message Q {", kRecord, "}")),
              AllOf(HasSubstr("t.Q: type 7 is already"), HasSubstr("t.R")));
}
TEST_F(SchemaTest, TwoTypesHaveTwoNames) {
  EXPECT_THAT(
      WrongFile(R"(import "proto/policies.proto"; message Bicycle {)" + std::string(kRecord) + "}"),
      AllOf(HasSubstr("t.Bicycle: the name is already taken by"),
            HasSubstr("zhibu.testing.Bicycle")));
}

// --- Readers of single fields ---

TEST_F(SchemaTest, AFieldHasTheReadersOfItsRecordOrItsOwn) {
  const auto schema = Compile(R"(message R {
    option (zhibu.record) = {
      type: 7 own_scope: OWNER readers: [SECRETARY, MEMBER] writers: [SECRETARY, DEPUTY]
    };
    string open = 1;
    string home = 2 [(zhibu.home_only) = true];
    string secret = 3 [(zhibu.sensitive) = true, (zhibu.seen_by) = SECRETARY];
    string signed = 4 [(zhibu.written_by) = SECRETARY];
  })");
  ASSERT_TRUE(schema.ok()) << schema.status();
  const RecordType& type = *(*schema)->FindByName("R");
  const uint32_t secretary = AudienceOf(SECRETARY);
  const uint32_t all = secretary | AudienceOf(MEMBER);
  EXPECT_EQ(type.fields.Find(1)->readers, (Eyes{all, all}));
  EXPECT_EQ(type.fields.Find(1)->writers, type.writers);
  EXPECT_EQ(type.fields.Find(2)->readers, (Eyes{all, 0}));
  EXPECT_EQ(type.fields.Find(2)->writers, (Eyes{secretary, 0})) << "a deputy does not read it";
  EXPECT_EQ(type.fields.Find(3)->readers, (Eyes{secretary, 0}));
  EXPECT_EQ(type.fields.Find(4)->readers, (Eyes{all, all}));
  EXPECT_EQ(type.fields.Find(4)->writers, (Eyes{secretary, secretary}));
  EXPECT_EQ(type.restricted.size(), 3u);
  EXPECT_FALSE(type.fields.Find(1)->special);
  EXPECT_TRUE(type.fields.Find(2)->special) << "who does not know it must not show it";
}
// In a record that a secretary reads.
std::string Readable(const std::string& fields) {
  return absl::StrCat("message R { option (zhibu.record) = ",
                      "{ type: 7 own_scope: OWNER readers: SECRETARY };", fields, "}");
}
TEST_F(SchemaTest, APlaceCannotBeHidden) {
  EXPECT_THAT(
      Compile(Readable("bytes p = 1 [(zhibu.place) = GUEST, (zhibu.home_only) = true];")).status(),
      Says("t.R.p: a place"));
}
TEST_F(SchemaTest, APlaceThatOnlyTheServerWritesMayBeHidden) {
  const auto schema = Compile(Readable(
      "bytes p = 1 [(zhibu.place) = GUEST, (zhibu.merge) = SERVER, (zhibu.home_only) = true];"));
  ASSERT_TRUE(schema.ok()) << schema.status();
  EXPECT_EQ((*schema)->FindByName("R")->fields.Find(1)->readers.as_host, 0u);
}
TEST_F(SchemaTest, WhatIsRequiredCannotBeHidden) {
  EXPECT_THAT(Compile(Readable("string p = 1 [(zhibu.required) = true, (zhibu.sensitive) = true];"))
                  .status(),
              Says("t.R.p: a place"));
}
TEST_F(SchemaTest, AMemberOfAOneofIsNotHidden) {
  EXPECT_THAT(
      Compile(Readable("oneof o { string a = 1 [(zhibu.home_only) = true]; string b = 2; }"))
          .status(),
      Says("t.R.a: a member of a oneof"));
}
TEST_F(SchemaTest, ReadsFieldIsForAPath) {
  EXPECT_THAT(Wrong("uint32 f = 1 [(zhibu.reads_field) = true];"), HasSubstr("t.R.f: reads_field"));
}

TEST_F(SchemaTest, WhoMayTakeAStepAndWhereARecordIsWrittenAreDeclared) {
  const auto schema = Compile(R"(
    enum State {
      NONE = 0 [(zhibu.next) = "ASKED"];
      ASKED = 1 [(zhibu.taken_by) = OWNER, (zhibu.taken_by) = PERSON];
      OVER = 2;
    }
    message R {
      option (zhibu.record) = {
        type: 7 own_scope: OWNER writers: SECRETARY written_at_home: true
      };
      State state = 4 [(zhibu.merge) = FORWARD];
    }
    message Q { option (zhibu.record) = { type: 8 own_scope: OWNER writers: SECRETARY }; })");
  ASSERT_TRUE(schema.ok()) << schema.status();
  const auto& taken_by = (*schema)->Find(7)->fields.Find(4)->taken_by;
  EXPECT_EQ(taken_by.size(), 1u);
  EXPECT_EQ(taken_by.at(1), BitOf(OWNER) | BitOf(PERSON));
  const uint32_t secretary = AudienceOf(SECRETARY);
  EXPECT_EQ((*schema)->Find(7)->writers, (Eyes{secretary, 0}));
  EXPECT_EQ((*schema)->Find(8)->writers, (Eyes{secretary, secretary}));
}
TEST_F(SchemaTest, WhoMaySayWhatAndInWhoseNameIsDeclared) {
  const auto schema = Compile(R"(
    enum How { NONE = 0; SELF = 1 [(zhibu.said_by) = PERSON]; CALL = 2; }
    message Way { uint32 number = 1; How how = 2; }
    message R {
      option (zhibu.record) = { type: 7 own_scope: OWNER };
      How how = 1;
      repeated Way ways = 2 [(zhibu.merge) = BY_KEY, (zhibu.key) = "number"];
      bytes by_id = 3 [(zhibu.names_author) = true];
      int64 fen = 4 [(zhibu.number_max) = 500];
      string said = 5 [(zhibu.word_of) = "by_id"];
    })");
  ASSERT_TRUE(schema.ok()) << schema.status();
  const Fields& fields = (*schema)->Find(7)->fields;
  EXPECT_EQ(fields.Find(1)->said_by.size(), 1u);
  EXPECT_EQ(fields.Find(1)->said_by.at(1), BitOf(PERSON));
  EXPECT_EQ(fields.Find(2)->element->Find(2)->said_by.at(1), BitOf(PERSON));
  EXPECT_TRUE(fields.Find(3)->names_author);
  EXPECT_EQ(fields.Find(4)->number_max, 500);
  EXPECT_EQ(fields.Find(5)->word_of, fields.Find(3));
}
TEST_F(SchemaTest, AWordOfSomebodyStandsWhereItIsLookedFor) {
  const std::string how = "enum How { NONE = 0; SELF = 1 [(zhibu.said_by) = PERSON]; }";
  EXPECT_THAT(Wrong(how + "message Way { How how = 1; } Way way = 1;"),
              HasSubstr("t.R.way: said_by is for"));
  EXPECT_THAT(Wrong(how + "message In { How how = 1; } message Way { repeated In ins = 1; }"
                          "Way way = 1;"),
              HasSubstr("t.R.way: said_by is for"));
  EXPECT_THAT(Wrong("enum S { A = 0 [(zhibu.next) = \"B\"]; B = 1 [(zhibu.said_by) = OWNER]; }"
                    "S s = 1 [(zhibu.merge) = FORWARD];"),
              HasSubstr("t.R.s: who takes a step"));
}
TEST_F(SchemaTest, WhoDidItIsOnePersonAndAnAmountIsANumber) {
  EXPECT_THAT(Wrong("string by = 1 [(zhibu.names_author) = true];"),
              HasSubstr("t.R.by: names_author is for"));
  EXPECT_THAT(Wrong("repeated bytes by = 1 [(zhibu.names_author) = true];"),
              HasSubstr("t.R.by: names_author is for"));
  EXPECT_THAT(Wrong("bytes by = 1; string said = 2 [(zhibu.word_of) = \"by\"];"),
              HasSubstr("t.R.said: word_of names"));
  EXPECT_THAT(Wrong("string fen = 1 [(zhibu.number_max) = 5];"),
              HasSubstr("t.R.fen: number_max is for"));
  EXPECT_THAT(Wrong("repeated int64 fen = 1 [(zhibu.number_max) = 5];"),
              HasSubstr("t.R.fen: number_max is for"));
  EXPECT_THAT(Wrong("int64 fen = 1 [(zhibu.number_max) = -5];"),
              HasSubstr("t.R.fen: number_max is for"));
}
TEST_F(SchemaTest, AStepOfAnElementIsForEveryWriter) {
  EXPECT_THAT(WrongFile(R"(
    enum State { NONE = 0 [(zhibu.next) = "ON"]; ON = 1 [(zhibu.taken_by) = OWNER]; }
    message Item { uint32 number = 1; State state = 2 [(zhibu.merge) = FORWARD]; }
    message R {
      option (zhibu.record) = { type: 7 own_scope: OWNER };
      repeated Item items = 1 [(zhibu.merge) = BY_KEY, (zhibu.key) = "number"];
    })"),
              HasSubstr("t.Item.state: who may write is for a field of the record itself"));
}

// --- The catalogue ---

TEST(Catalogue, CompilesAndEachTypeIsReadyForPeople) {
  const auto schema = CatalogueSchema();
  EXPECT_GT(schema->types().size(), 5u);
  std::set<uint32_t> numbers;
  for (const RecordType& type : schema->types()) {
    SCOPED_TRACE(type.name);
    EXPECT_TRUE(numbers.insert(type.number).second);
    const auto& options = type.descriptor->options().GetExtension(zhibu::record);
    EXPECT_FALSE(options.label().empty());
    EXPECT_NE(type.readers, Eyes());
    for (const FieldRule& rule : type.fields.rules()) {
      EXPECT_FALSE(rule.descriptor->options().GetExtension(zhibu::label).empty())
          << rule.descriptor->full_name();
    }
    EXPECT_EQ(schema->Find(type.number), &type);
    EXPECT_EQ(schema->FindByName(type.name), &type);
  }
}

// --- Authority ---

TEST_F(SchemaTest, WhoMustBelongAndWhatIsWrittenWithAStepAreDeclared) {
  const auto schema = Compile(R"(
    enum State { NONE = 0 [(zhibu.next) = "OPEN"]; OPEN = 1 [(zhibu.next) = "OVER"]; OVER = 2; }
    message R {
      option (zhibu.record) = { type: 7 made_by_server: true };
      bytes person = 1
          [(zhibu.place) = PERSON, (zhibu.belongs_to) = "home", (zhibu.guests_too) = true];
      bytes home = 2 [(zhibu.place) = OWNER];
      State state = 3 [(zhibu.merge) = FORWARD];
      string reply = 4 [(zhibu.written_with) = "OPEN", (zhibu.written_with) = "OVER"];
      string note = 5 [(zhibu.written_at) = OWNER, (zhibu.written_at) = PERSON];
      bytes after = 6 [(zhibu.kept_with) = "Q"];
      bytes about = 7 [(zhibu.refers_to) = "Q"];
    }
    message Q {
      option (zhibu.record) = { type: 8 };
      bytes home = 1 [(zhibu.place) = OWNER];
    })");
  ASSERT_TRUE(schema.ok()) << schema.status();
  const RecordType& type = *(*schema)->FindByName("R");
  EXPECT_TRUE(type.made_by_server);
  EXPECT_EQ(type.fields.Find(1)->belongs_to, type.fields.Find(2));
  EXPECT_TRUE(type.fields.Find(1)->guests_too);
  EXPECT_FALSE(type.fields.Find(1)->by_code);
  EXPECT_EQ(type.steps, type.fields.Find(3));
  EXPECT_EQ(type.fields.Find(4)->written_with, (absl::flat_hash_set<int>{1, 2}));
  EXPECT_EQ(type.fields.Find(5)->written_at, BitOf(OWNER) | BitOf(PERSON));
  EXPECT_EQ(type.fields.Find(6)->kept_with, (*schema)->FindByName("Q"));
  EXPECT_EQ(type.fields.Find(7)->refers_to, (*schema)->FindByName("Q"));
  EXPECT_EQ(type.Keeper(), type.fields.Find(2));
}
TEST_F(SchemaTest, WhatAHostSeesWhileItIsAskedIsDeclaredWithTheStates) {
  EXPECT_THAT(Wrong("string a = 1 [(zhibu.shown_when_asked) = true];"),
              HasSubstr("t.R.a: shown_when_asked"));
  EXPECT_THAT(Wrong("string a = 1 [(zhibu.happened) = true];"), HasSubstr("t.R.a: happened"));
}
TEST_F(SchemaTest, APersonBelongsToAnOrganisationThatKeepsTheRecord) {
  EXPECT_THAT(Wrong("bytes p = 1 [(zhibu.place) = PERSON, (zhibu.belongs_to) = \"x\"];"),
              HasSubstr("t.R.p: belongs_to"));
  EXPECT_THAT(
      Wrong("bytes p = 1 [(zhibu.place) = PERSON, (zhibu.belongs_to) = \"s\"]; string s = 2;"),
      HasSubstr("t.R.p: belongs_to"));
  EXPECT_THAT(Wrong("bytes p = 1 [(zhibu.place) = PERSON, (zhibu.belongs_to) = \"o\"];"
                    "repeated bytes o = 2 [(zhibu.place) = OWNER];"),
              HasSubstr("t.R.p: belongs_to"));
  EXPECT_THAT(
      Wrong("bytes p = 1 [(zhibu.belongs_to) = \"o\"]; bytes o = 2 [(zhibu.place) = OWNER];"),
      HasSubstr("t.R.p: belongs_to"));
  EXPECT_THAT(Wrong("bytes p = 1 [(zhibu.place) = PERSON, (zhibu.guests_too) = true];"),
              HasSubstr("t.R.p: guests_too and by_code"));
}
TEST_F(SchemaTest, WhatIsKeptWithAnotherNamesIt) {
  EXPECT_THAT(
      Wrong("bytes o = 1 [(zhibu.place) = OWNER]; bytes k = 2 [(zhibu.kept_with) = \"X\"];"),
      HasSubstr("t.R.k: kept_with names X"));
  EXPECT_THAT(
      Wrong("bytes o = 1 [(zhibu.place) = OWNER]; string k = 2 [(zhibu.kept_with) = \"R\"];"),
      HasSubstr("t.R.k: kept_with is for one id"));
  EXPECT_THAT(Wrong("bytes k = 2 [(zhibu.refers_to) = \"X\"];"),
              HasSubstr("t.R.k: refers_to names X"));
  EXPECT_THAT(Wrong("repeated bytes k = 2 [(zhibu.refers_to) = \"R\"];"),
              HasSubstr("t.R.k: refers_to is for one id"));
  EXPECT_THAT(Wrong("bytes k = 2 [(zhibu.place) = OWNER, (zhibu.refers_to) = \"R\"];"),
              HasSubstr("t.R.k: refers_to is for one id"));
  EXPECT_THAT(Wrong("bytes k = 2 [(zhibu.kept_with) = \"R\"];"),
              HasSubstr("t.R.k: kept_with is for one id"));
}
TEST_F(SchemaTest, WhatIsWrittenWithAStepNamesIt) {
  const std::string states =
      "enum S { A = 0 [(zhibu.next) = \"B\"]; B = 1; } S s = 1 [(zhibu.merge) = FORWARD";
  EXPECT_THAT(Wrong(states + "]; string t = 2 [(zhibu.written_with) = \"C\"];"),
              HasSubstr("t.R.t: written_with names C"));
  EXPECT_THAT(Wrong(states + ", (zhibu.written_with) = \"B\"];"),
              HasSubstr("t.R.s: written_with names B"));
  EXPECT_THAT(Wrong("string t = 2 [(zhibu.written_with) = \"B\"];"),
              HasSubstr("t.R.t: written_with names B"));
}
TEST_F(SchemaTest, AHostThatAuthorsNameCanAccept) {
  EXPECT_THAT(Wrong("bytes g = 1 [(zhibu.place) = GUEST];"),
              HasSubstr("t.R.g: a GUEST that authors write"));
}
TEST_F(SchemaTest, ACodeIsAStringOfATableThatThereIs) {
  EXPECT_THAT(Wrong("string c = 1 [(zhibu.code_table) = \"moons\"];"),
              HasSubstr("t.R.c: code_table is for a string, and names a table: moons"));
  EXPECT_THAT(Wrong("uint32 c = 1 [(zhibu.code_table) = \"place\"];"),
              HasSubstr("t.R.c: code_table is for a string"));
}
TEST_F(SchemaTest, WhatIsSentOutNamesThoseItIsFor) {
  const std::string kept = "bytes o = 1 [(zhibu.place) = OWNER]; ";
  const std::string guests = "repeated bytes g = 2 [(zhibu.place) = GUEST, (zhibu.merge) = SERVER";
  const auto wrong = HasSubstr("t.R.g: sent_to is for GUESTs that the server fills in");
  EXPECT_THAT(Wrong(kept + guests + ", (zhibu.sent_to) = \"x\"];"), wrong);
  EXPECT_THAT(Wrong(kept + guests + ", (zhibu.sent_to) = \"t\"]; bytes t = 3;"), wrong);
  EXPECT_THAT(Wrong(guests + ", (zhibu.sent_to) = \"t\"]; repeated bytes t = 3;"), wrong);
  EXPECT_THAT(Wrong(kept + "repeated bytes t = 3; repeated bytes g = 2 [(zhibu.sent_to) = \"t\"];"),
              wrong);
}
TEST_F(SchemaTest, AuthorityIsOfTheRecordsOwnFields) {
  EXPECT_THAT(
      WrongFile(InRecord("repeated Item i = 1 [(zhibu.merge) = BY_KEY, (zhibu.key) = \"n\"];") +
                "message Item { uint32 n = 1; bytes o = 2 [(zhibu.written_at) = OWNER]; }"),
      HasSubstr("t.Item.o: who may write is for a field of the record itself"));
}

}  // namespace
}  // namespace zhibu
