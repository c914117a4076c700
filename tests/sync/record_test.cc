// What a record says of itself, and when it is refused.
#include "sync/wire/record.h"

#include <gmock/gmock.h>

#include "absl/strings/escaping.h"
#include "sync/base/reason.h"
#include "sync/wire/wire.h"
#include "tests/sync/story.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu {
namespace {

using records::v1::Attendance;
using records::v1::CheckIn;
using sync::v1::Change;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Id IdOf(char c) { return *Id::FromBytes(std::string(16, c)); }
std::string Bytes(char c) { return std::string(16, c); }

const RecordType& Type(absl::string_view name) { return *CatalogueSchema()->FindByName(name); }

CheckIn LisCheckIn() {
  CheckIn check_in;
  check_in.set_activity_id(Bytes('a'));
  check_in.set_member_id(Bytes('L'));
  check_in.set_branch_id(Bytes('b'));
  return check_in;
}

// --- Places and readers ---

TEST(PlacesOf, AreTheScopesThatItsFieldsName) {
  EXPECT_THAT(PlacesOf(Type("CheckIn"), IdOf('x'), LisCheckIn().SerializeAsString()),
              ElementsAre(Placed{IdOf('L'), PERSON}, Placed{IdOf('b'), OWNER}));
}

TEST(PlacesOf, EachScopeOnceAndNothingThatIsNoId) {
  CheckIn check_in = LisCheckIn();
  check_in.set_member_id(Bytes('b'));
  EXPECT_THAT(PlacesOf(Type("CheckIn"), IdOf('x'), check_in.SerializeAsString()),
              ElementsAre(Placed{IdOf('b'), OWNER}));
  check_in.set_branch_id("short");
  check_in.clear_member_id();
  EXPECT_THAT(PlacesOf(Type("CheckIn"), IdOf('x'), check_in.SerializeAsString()), IsEmpty());
}

TEST(PlacesOf, WhoStandsAboveAndIsAskedAsAHostStandsAbove) {
  records::v1::AffiliationChange change;
  change.set_organisation_id(Bytes('a'));
  change.add_superior_ids(Bytes('b'));
  change.set_new_parent_id(Bytes('b'));
  EXPECT_THAT(PlacesOf(Type("AffiliationChange"), IdOf('x'), change.SerializeAsString()),
              ElementsAre(Placed{IdOf('a'), OWNER}, Placed{IdOf('b'), ABOVE}));
}

TEST(PlacesOf, ARecordThatIsAScopeLiesInItself) {
  bool seen = false;
  for (const RecordType& type : CatalogueSchema()->types()) {
    if (type.own_scope == NOWHERE) continue;
    seen = true;
    EXPECT_THAT(PlacesOf(type, IdOf('x'), ""), ElementsAre(Placed{IdOf('x'), type.own_scope}));
  }
  EXPECT_TRUE(seen);
}

TEST(ReadersOf, ARecordThatReadsAsAnotherTypeHasTheReadersOfBoth) {
  const auto schema = CatalogueSchema();
  const RecordType* note = nullptr;
  uint32_t field = 0;
  for (const RecordType& type : schema->types()) {
    for (const FieldRule& rule : type.fields.rules()) {
      if (rule.reads_as) note = &type, field = rule.number;
    }
  }
  ASSERT_NE(note, nullptr);
  EXPECT_EQ(ReadersOf(*schema, *note, ""), note->readers);
  std::string body;
  wire::AppendVarintField(field, 33, &body);
  EXPECT_EQ(ReadersOf(*schema, *note, body), note->readers & schema->Find(33)->readers);
  body.clear();
  wire::AppendVarintField(field, 4000, &body);  // a type that this build does not know
  EXPECT_EQ(ReadersOf(*schema, *note, body), Eyes());
}

// --- Ids ---

TEST(Id, IsInTheOrderOfItsBytesAsInADatabase) {
  EXPECT_LT(IdOf('a'), IdOf('b'));
  EXPECT_LT(IdOf('z'), IdOf('\x80'));
}

TEST(DeriveId, IsTheSameForAllWhoRecordTheSameThing) {
  CheckIn roll_call = LisCheckIn();
  roll_call.add_ways()->set_how(CheckIn::ROLL_CALL);
  const auto id = DeriveId(Type("CheckIn"), LisCheckIn().SerializeAsString());
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(*id, *DeriveId(Type("CheckIn"), roll_call.SerializeAsString()));
  // The value never changes, or records made before would be other records.
  EXPECT_EQ(absl::BytesToHexString(id->bytes()), "6161616161617920d397a63584626162");
}

TEST(DeriveId, DiffersByTypeAndByEveryFieldThatMakesIt) {
  const auto id = *DeriveId(Type("CheckIn"), LisCheckIn().SerializeAsString());
  CheckIn other = LisCheckIn();
  other.set_member_id(Bytes('W'));
  EXPECT_NE(id, *DeriveId(Type("CheckIn"), other.SerializeAsString()));
  Attendance attendance;
  attendance.set_meeting_id(Bytes('a'));
  attendance.set_member_id(Bytes('L'));
  EXPECT_NE(id, *DeriveId(Type("Attendance"), attendance.SerializeAsString()));
}

TEST(DeriveId, SortsBesideWhatItHangsOn) {
  CheckIn later = LisCheckIn();
  later.set_activity_id(std::string("aaaaab") + std::string(10, '\0'));
  const auto id = *DeriveId(Type("CheckIn"), LisCheckIn().SerializeAsString());
  const auto later_id = *DeriveId(Type("CheckIn"), later.SerializeAsString());
  EXPECT_EQ(id.bytes().substr(0, 6), "aaaaaa");
  EXPECT_LT(id, later_id);
}

TEST(DeriveId, NeedsEveryFieldThatMakesIt) {
  CheckIn check_in = LisCheckIn();
  check_in.clear_member_id();
  const auto id = DeriveId(Type("CheckIn"), check_in.SerializeAsString());
  EXPECT_EQ(ReasonOf(id.status()).reason, sync::v1::MISSING_FIELD);
  EXPECT_EQ(ReasonOf(id.status()).detail, "member_id");
}

// --- Changes ---

class CheckChangeTest : public ::testing::Test {
 protected:
  CheckChangeTest() {
    change.set_type(33);
    change.set_id(Bytes('x'));
    change.set_kind(Change::CREATE);
    change.set_set(LisCheckIn().SerializeAsString());
  }
  // "OK", or the reason and what it concerns.
  std::string Check() {
    const absl::Status status = CheckChange(*CatalogueSchema(), change);
    if (status.ok()) return "OK";
    return absl::StrCat(Reason_Name(ReasonOf(status).reason), " ", ReasonOf(status).detail);
  }
  Change change;
};

TEST_F(CheckChangeTest, TakesAGoodChange) {
  EXPECT_EQ(Check(), "OK");
  change.set_kind(Change::UPDATE);
  change.clear_set();
  CheckIn roll_call;
  roll_call.add_ways()->set_how(CheckIn::ROLL_CALL);
  change.set_set(roll_call.SerializeAsString());
  change.mutable_without()->add_cleared(4);
  EXPECT_EQ(Check(), "OK");
  wire::AppendBytesField(4000, "of a newer build", change.mutable_set());
  EXPECT_EQ(Check(), "OK");
}

TEST_F(CheckChangeTest, RefusesATypeThatItDoesNotKnow) {
  change.set_type(4000);
  EXPECT_EQ(Check(), "UNKNOWN_TYPE 4000");
}

TEST_F(CheckChangeTest, RefusesWhatIsNoChange) {
  change.set_id("short");
  EXPECT_EQ(Check(), "MALFORMED id");
  change.set_id(Bytes('x'));
  change.set_kind(static_cast<Change::Kind>(9));
  EXPECT_EQ(Check(), "MALFORMED kind");
}

TEST_F(CheckChangeTest, RefusesBytesThatAreNoRecord) {
  change.set_set("\x0a\x7f");
  EXPECT_EQ(Check(), "MALFORMED CheckIn");
}

TEST_F(CheckChangeTest, RefusesTextThatIsNotUtf8) {
  change.set_type(31);
  change.set_set("\x1a\x02\xff\xfe");
  EXPECT_EQ(Check(), "INVALID_TEXT topic");
}

TEST_F(CheckChangeTest, RefusesToGuessHowANewerFieldMerges) {
  change.add_special(4);
  EXPECT_EQ(Check(), "OK");
  change.add_special(4000);
  EXPECT_EQ(Check(), "UNKNOWN_FIELD CheckIn.4000");
}

TEST_F(CheckChangeTest, RefusesToGuessHowANewerFieldOfAnElementMerges) {
  auto* within = change.add_within();
  within->set_field(5);
  within->add_special(1);
  EXPECT_EQ(Check(), "OK");
  within->add_special(4000);
  EXPECT_EQ(Check(), "UNKNOWN_FIELD CheckIn.ways.4000");
  within->set_field(4000);
  EXPECT_EQ(Check(), "UNKNOWN_FIELD CheckIn.4000");
}

TEST_F(CheckChangeTest, RefusesToChangeWhatMakesTheId) {
  change.set_kind(Change::UPDATE);
  EXPECT_EQ(Check(), "IDENTITY_FIXED activity_id");
  change.clear_set();
  change.mutable_without()->add_cleared(2);
  EXPECT_EQ(Check(), "IDENTITY_FIXED member_id");
}

// MERGED would say that something had happened.
TEST_F(CheckChangeTest, RefusesAChangeThatSaysNothing) {
  change.set_kind(Change::UPDATE);
  change.clear_set();
  EXPECT_EQ(Check(), "MALFORMED CheckIn");
  change.mutable_without();
  EXPECT_EQ(Check(), "MALFORMED CheckIn");
  change.set_kind(Change::DELETE);
  change.clear_without();
  EXPECT_EQ(Check(), "OK");
  change.set_set(LisCheckIn().SerializeAsString());
  EXPECT_EQ(Check(), "MALFORMED CheckIn");
}

TEST_F(CheckChangeTest, RefusesMarksOutOfOrder) {
  change.add_special(5), change.add_special(4);
  EXPECT_EQ(Check(), "MALFORMED CheckIn.4");
  change.clear_special();
  change.add_special(4), change.add_special(4);
  EXPECT_EQ(Check(), "MALFORMED CheckIn.4");
  change.clear_special();
  change.add_within()->set_field(5);
  EXPECT_EQ(Check(), "MALFORMED CheckIn.5") << "a within that marks nothing";
}

// Of a Sampler that is there.
class CheckWithoutTest : public ::testing::Test {
 protected:
  std::string Check() {
    Change change;
    change.set_type(9001);
    change.set_id(Bytes('x'));
    change.set_kind(Change::UPDATE);
    change.set_set(set.SerializeAsString());
    *change.mutable_without() = without;
    const absl::Status status = CheckChange(*schema, change);
    if (status.ok()) return "OK";
    return absl::StrCat(Reason_Name(ReasonOf(status).reason), " ", ReasonOf(status).detail);
  }
  sync::v1::Without::Removed* Remove(uint32_t field, const std::string& element) {
    auto* removed = without.add_removed();
    removed->set_field(field);
    removed->add_elements(element);
    return removed;
  }
  sync::v1::Without::Nested* Within(const std::string& key) {
    auto* nested = without.add_nested();
    nested->set_field(10);
    nested->set_key(key);
    nested->mutable_without()->add_cleared(2);
    return nested;
  }

  const std::shared_ptr<const Schema> schema =
      Schema::Compile({Sampler::descriptor()->file(), records::v1::Catalogue::descriptor()->file()})
          .value();
  Sampler set;
  sync::v1::Without without;
};

TEST_F(CheckWithoutTest, WhatIsClearedIsNamedOnceInOrderAndIsNotSet) {
  without.add_cleared(2), without.add_cleared(16);
  EXPECT_EQ(Check(), "OK");
  without.add_cleared(16);
  EXPECT_EQ(Check(), "MALFORMED Sampler.16");
  without.clear_cleared();
  without.add_cleared(0);
  EXPECT_EQ(Check(), "MALFORMED Sampler.0");
  without.clear_cleared();
  without.add_cleared(15);
  EXPECT_EQ(Check(), "MALFORMED Sampler.15") << "of a oneof the first names it";
  without.clear_cleared();
  without.add_cleared(2);
  set.set_latest("x");
  EXPECT_EQ(Check(), "MALFORMED Sampler.2");
}

TEST_F(CheckWithoutTest, WhatIsRemovedCanBeThereAndIsNotAdded) {
  Remove(9, "a")->add_elements("b");
  EXPECT_EQ(Check(), "OK");
  without.mutable_removed(0)->add_elements("b");
  EXPECT_EQ(Check(), "MALFORMED Sampler.9");
  without.Clear();
  Remove(9, "\xff");
  EXPECT_EQ(Check(), "MALFORMED Sampler.9");
  without.Clear();
  Remove(9, "a");
  set.add_add_wins("a");
  EXPECT_EQ(Check(), "MALFORMED Sampler.9");
  set.Clear(), without.Clear();
  Remove(10, "k");
  set.add_by_key()->set_key("k");
  EXPECT_EQ(Check(), "MALFORMED Sampler.10");
  set.Clear(), without.Clear();
  Remove(2, "a");
  EXPECT_EQ(Check(), "MALFORMED Sampler.2") << "no list";
  without.Clear();
  Remove(400, "a");
  EXPECT_EQ(Check(), "UNKNOWN_FIELD Sampler.400");
  without.Clear();
  Remove(10, "a"), Remove(9, "a");
  EXPECT_EQ(Check(), "MALFORMED Sampler.9");
}

TEST_F(CheckWithoutTest, WhatIsTakenFromAnElementIsOfOneThatTheChangeNames) {
  Within("k");
  EXPECT_EQ(Check(), "MALFORMED Sampler.10");
  set.add_by_key()->set_key("k");
  EXPECT_EQ(Check(), "OK");
  Within("k");
  EXPECT_EQ(Check(), "MALFORMED Sampler.10") << "twice";
  without.mutable_nested()->RemoveLast();
  set.mutable_by_key(0)->set_text("x");
  EXPECT_EQ(Check(), "MALFORMED Sampler.by_key.2") << "set and cleared";
  set.mutable_by_key(0)->clear_text();
  without.mutable_nested(0)->clear_without();
  EXPECT_EQ(Check(), "MALFORMED Sampler.10") << "nothing";
  without.mutable_nested(0)->set_created(true);
  EXPECT_EQ(Check(), "OK");
}

// A key of a number is eight bytes, big-endian, and a number of its type.
TEST_F(CheckWithoutTest, AKeyThatNoElementCanHaveIsRefused) {
  const auto removed = [&](const std::string& key) {
    Change change;
    change.set_type(31);
    change.set_id(Bytes('x'));
    auto* gone = change.mutable_without()->add_removed();
    gone->set_field(11);
    gone->add_elements(key);
    return CheckChange(*schema, change).ok();
  };
  EXPECT_TRUE(removed(std::string("\0\0\0\0\0\0\0\2", 8)));
  for (size_t size = 0; size < 10; ++size) {
    EXPECT_EQ(removed(std::string(size, '\0')), size == 8) << size;
  }
  EXPECT_FALSE(removed(std::string("\0\0\0\1\0\0\0\0", 8))) << "beyond a uint32";
}

TEST(CheckRecordSize, OfWhatAMergeLeavesThereIsAnEnd) {
  const std::string half(kRecordBytesMax / 2, 'x');
  EXPECT_EQ(CheckRecordSize(Type("Meeting"), half, half), absl::OkStatus());
  EXPECT_EQ(ReasonOf(CheckRecordSize(Type("Meeting"), half + "x", half)).reason,
            sync::v1::TOO_LARGE);
}

TEST_F(CheckChangeTest, RefusesToGoDeeperThanAnyoneWrites) {
  auto* without = change.mutable_without();
  for (int i = 0; i < 15; ++i) without = without->add_nested()->mutable_without();
  EXPECT_NE(Check(), "MALFORMED depth");
  without->add_nested();
  EXPECT_EQ(Check(), "MALFORMED depth");
}

// What the merge remembers of an element nests deeper than the element: at a hundred levels
// nobody could read it again.
TEST(CheckChange, RefusesElementsDeeperThanTheMergeCanRemember) {
  const auto schema = Schema::Compile({Sampler::descriptor()->file()}).value();
  const auto change = [&](int depth, absl::string_view text) {
    Sampler sampler;
    auto* item = sampler.add_by_key();
    for (int i = 2; i < depth; ++i) item = item->add_parts();
    item->set_text(std::string(text));
    Change change;
    change.set_type(9001);
    change.set_id(Bytes('x'));
    change.set_kind(Change::CREATE);
    change.set_set(sampler.SerializeAsString());
    return change;
  };
  EXPECT_EQ(ReasonOf(CheckChange(*schema, change(17, "too deep"))).reason, sync::v1::MALFORMED);

  const Change deepest = change(16, "made");
  EXPECT_EQ(CheckChange(*schema, deepest), absl::OkStatus());
  RecordState state;
  Outcome outcome;
  for (uint32_t device = 11; device < 15; ++device) {
    EXPECT_EQ(Apply(schema->Find(9001), deepest, {DeviceNumber(device), Version(device), Stamp()},
                    &state, &outcome),
              absl::OkStatus());
  }
  EXPECT_EQ(Apply(schema->Find(9001), change(16, "changed"),
                  {DeviceNumber(15), Version(15), Stamp(1)}, &state, &outcome),
            absl::OkStatus());
}

// --- Records ---

std::string CheckedAs(absl::string_view type, const Id& id,
                      const google::protobuf::Message& message) {
  const absl::Status status = CheckRecord(Type(type), id, message.SerializeAsString());
  if (status.ok()) return "OK";
  return absl::StrCat(Reason_Name(ReasonOf(status).reason), " ", ReasonOf(status).detail);
}

TEST(CheckRecord, TakesARecordThatIsAsDeclared) {
  const CheckIn check_in = LisCheckIn();
  EXPECT_EQ(
      CheckedAs("CheckIn", *DeriveId(Type("CheckIn"), check_in.SerializeAsString()), check_in),
      "OK");
}

TEST(CheckRecord, RefusesAnEmptyRequiredField) {
  CheckIn check_in = LisCheckIn();
  check_in.clear_branch_id();
  EXPECT_EQ(CheckedAs("CheckIn", IdOf('x'), check_in), "MISSING_FIELD branch_id");
}

TEST(CheckRecord, AValueOfAnotherWireTypeFillsNoRequiredField) {
  std::string body;
  wire::AppendVarintField(2, 1, &body);  // a name
  std::string place;
  wire::AppendBytesField(1, Bytes('b'), &place);
  EXPECT_EQ(ReasonOf(CheckRecord(Type("Member"), IdOf('x'), place + body)).reason,
            sync::v1::MISSING_FIELD);
}

TEST(CheckRecord, RefusesAPlaceThatIsNoId) {
  CheckIn check_in = LisCheckIn();
  check_in.set_branch_id("nowhere");
  EXPECT_EQ(CheckedAs("CheckIn", IdOf('x'), check_in), "BAD_VALUE branch_id: 16 bytes");
}

TEST(CheckRecord, RefusesAnIdThatItsFieldsDoNotMake) {
  EXPECT_EQ(CheckedAs("CheckIn", IdOf('x'), LisCheckIn()),
            "WRONG_ID CheckIn: activity_id, member_id");
  CheckIn check_in = LisCheckIn();
  check_in.clear_activity_id();
  EXPECT_EQ(CheckedAs("CheckIn", IdOf('x'), check_in), "MISSING_FIELD activity_id");
}

TEST(CheckRecord, RefusesDamage) {
  EXPECT_EQ(ReasonOf(CheckRecord(Type("CheckIn"), IdOf('x'), "\x0a\x7f")).reason,
            sync::v1::MALFORMED);
}

// A type made up at run time, as a server may hand down a newer one.
class Dated : public ::testing::Test {
 protected:
  Dated() : pool_(google::protobuf::DescriptorPool::generated_pool()) {
    google::protobuf::FileDescriptorProto file;
    file.set_name("dated.proto"), file.set_syntax("proto3");
    file.add_dependency(zhibu::RecordOptions::descriptor()->file()->name());
    auto* message = file.add_message_type();
    message->set_name("Dated");
    auto* record = message->mutable_options()->MutableExtension(zhibu::record);
    record->set_type(9200), record->set_own_scope(OWNER);
    message->add_oneof_decl()->set_name("when");
    Add(message, "day", 1)->mutable_options()->SetExtension(zhibu::format, DATE);
    Add(message, "month", 2)->mutable_options()->SetExtension(zhibu::format, MONTH);
    Add(message, "words", 3);
    for (auto& field : *message->mutable_field()) field.set_oneof_index(0);
    Add(message, "date", 4)->mutable_options()->SetExtension(zhibu::format, DATE);
    Add(message, "notice", 5)->mutable_options()->SetExtension(zhibu::format, NO_CONTACT);
    Add(message, "born", 6)->mutable_options()->SetExtension(zhibu::format, DAY_OR_MONTH);
    schema_ = Schema::Compile({pool_.BuildFile(file)}).value();
  }
  static google::protobuf::FieldDescriptorProto* Add(google::protobuf::DescriptorProto* message,
                                                     const char* name, int number) {
    auto* field = message->add_field();
    field->set_name(name), field->set_number(number);
    field->set_type(google::protobuf::FieldDescriptorProto::TYPE_STRING);
    field->set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
    return field;
  }
  std::string Check(uint32_t field, absl::string_view text) {
    std::string body;
    wire::AppendBytesField(field, text, &body);
    const absl::Status status = CheckRecord(*schema_->Find(9200), IdOf('x'), body);
    return status.ok() ? "OK" : ReasonOf(status).detail;
  }

  google::protobuf::DescriptorPool pool_;
  std::shared_ptr<const Schema> schema_;
};

TEST_F(Dated, ADayOfAnotherTimeIsNotSaidAnewAndOneThatStandsStays) {
  const auto said = [&](const char* day) {
    sync::v1::Change change;
    change.set_type(9200);
    change.set_id(IdOf('x').str());
    change.set_kind(sync::v1::Change::CREATE);
    wire::AppendBytesField(4, day, change.mutable_set());
    const absl::Status status = CheckChange(*schema_, change);
    return status.ok() ? "OK" : ReasonOf(status).detail;
  };
  for (const char* good : {"1900-01-01", "2199-12-31"}) EXPECT_EQ(said(good), "OK") << good;
  for (const char* bad : {"1899-12-31", "2200-01-01", "1000-01-01", "9999-12-31"}) {
    EXPECT_EQ(said(bad), "date: 2026-01-31") << bad;
    EXPECT_EQ(Check(4, bad), "OK") << bad;
  }
}

TEST_F(Dated, ADateIsADayThatThereIs) {
  EXPECT_EQ(Check(4, "2026-02-28"), "OK");
  EXPECT_EQ(Check(4, ""), "OK");
  for (const char* bad : {"2026-02-30", "2026-2-28", "2026-2-28 ", " 2026-2-28", "28.02.2026",
                          "2026-02-28T00:00", "+026-02-28"}) {
    EXPECT_EQ(Check(4, bad), "date: 2026-01-31") << bad;
  }
}

TEST_F(Dated, WhereNobodyKnowsTheDayTheMonthIsKept) {
  for (const char* good : {"1990-01-02", "1990-01", ""}) EXPECT_EQ(Check(6, good), "OK") << good;
  for (const char* bad : {"1990", "1990-13", "1990-1", "1990-01-32", "1990-01-", "199001"}) {
    EXPECT_EQ(Check(6, bad), "born: 2026-01-31 / 2026-01") << bad;
  }
}

TEST_F(Dated, AMonthHasNoDay) {
  EXPECT_EQ(Check(2, "2026-11"), "OK");
  for (const char* bad : {"2026-13", "2026-1", "2026-11-01", "2026-1 ", "x"}) {
    EXPECT_EQ(Check(2, bad), "month: 2026-01") << bad;
  }
}

TEST_F(Dated, WhatIsMadePublicHoldsNoIdentityOrTelephoneNumber) {
  for (const char* good :
       {"", "公示期 2026-11-21 至 2026-11-27，共 7 天", "得票 35 票，应到 12345678901 人",
        "会议室 135，2026-11-21 08:00", "文号 20260000000000001", "第 123 号，20110101",
        "二〇二六年十一月二十一日", "8:30-11:30，14:00-17:00",
        "一、二、三、四、五、六、七、八、九、十、十一", "2026.11.21 - 2026.11.27",
        "人数：18，20，15，30，13，9", "邮编 100000 信箱 13-800"}) {
    EXPECT_EQ(Check(5, good), "OK") << good;
  }
  for (const char* bad : {"11010519491231002X",     "身份证号110105194912310021。",
                          "110105 19491231 002x",   "电话：13800138000",
                          "138-0013-8000",          "+86 138 0013 8000",
                          "010-62000000",           "05716200000",
                          "１３８００１３８０００", "138.0013.8000",
                          "1 3 8 0 0 1 3 8 0 0 0",  "138\u200b0013\u200b8000",
                          "一三八〇〇一三八〇〇〇", "幺三八零零幺三八零零零",
                          "+8613800138000",         "0086 138 0013 8000",
                          "110105 19491231 002 X",  "１１０１０５１９４９１２３１００２Ｘ",
                          "（010）6200 0000",       "①③⑧00138000",
                          "+86-10-62000000",        "138_0013_8000"}) {
    EXPECT_EQ(Check(5, bad), "notice") << bad;
  }
}

TEST_F(Dated, AMemberOfAOneofIsHeldToItsOwnFormat) {
  EXPECT_EQ(Check(3, "in spring"), "OK");
  EXPECT_EQ(Check(1, "2026-11"), "day: 2026-01-31");
}

TEST_F(Dated, ATypeThatThisBuildWasNotCompiledWithIsCheckedAllTheSame) {
  Change change;
  change.set_type(9200);
  change.set_id(Bytes('x'));
  change.set_kind(Change::CREATE);
  wire::AppendBytesField(4, "2026-02-28", change.mutable_set());
  EXPECT_TRUE(CheckChange(*schema_, change).ok());
  change.set_set("\x22\x01\xff");
  EXPECT_EQ(ReasonOf(CheckChange(*schema_, change)).reason, sync::v1::INVALID_TEXT);
  std::string raw;
  wire::AppendBytesField(4, "2026-02-28", &raw);
  EXPECT_EQ(JsonOf(schema_->Find(9200)->fields.Find(4), raw), "\"2026-02-28\"");
}

// --- JSON ---

std::string Json(uint32_t field, const Sampler& sampler) {
  return JsonOf(SamplerType().fields.Find(field), sampler.SerializeAsString());
}

TEST(JsonOf, AFieldInWordsThatAPersonCanRead) {
  Sampler s;
  EXPECT_EQ(Json(2, s), "null");
  s.set_latest("礼堂: \"东\"");
  EXPECT_EQ(Json(2, s), R"("礼堂: \"东\"")");
  s.Clear();
  s.set_sum(5);
  EXPECT_EQ(Json(5, s), "\"5\"");  // a 64-bit number, as protobuf's JSON has it
  s.Clear();
  s.mutable_max()->set_seconds(0);
  EXPECT_EQ(Json(7, s), "\"1970-01-01T00:00:00Z\"");
  s.Clear();
  s.add_add_wins("a"), s.add_add_wins("b");
  EXPECT_EQ(Json(9, s), R"(["a","b"])");
  s.Clear();
  s.mutable_pair()->set_left("l");
  EXPECT_EQ(Json(16, s), R"({"left":"l"})");
  s.Clear();
  s.set_number(7);
  EXPECT_EQ(Json(14, s), "7");
}

TEST(JsonOf, BytesThatNobodyHereCanRead) {
  EXPECT_EQ(JsonOf(nullptr, "\x01\x02"), "\"AQI=\"");
  EXPECT_EQ(JsonOf(SamplerType().fields.Find(2), "\x12\x05x"), "\"EgV4\"");
  EXPECT_EQ(JsonOf(SamplerType().fields.Find(5), std::string("\x28\x00", 2)), "null");
}

TEST(CheckRecord, AnOrganisationStandsAboveOthersAndNotAboveItself) {
  const RecordType& type = *CatalogueSchema()->FindByName("Organisation");
  const Id id = *Id::FromBytes("an organisation.");
  records::v1::Organisation organisation;
  organisation.set_name("青石村党支部");
  organisation.set_parent_id("another of them.");
  EXPECT_EQ(CheckRecord(type, id, organisation.SerializeAsString()), absl::OkStatus());
  for (std::string* above :
       {organisation.mutable_parent_id(), organisation.mutable_host_parent_id()}) {
    *above = id.str();
    EXPECT_EQ(ReasonOf(CheckRecord(type, id, organisation.SerializeAsString())).reason,
              sync::v1::BAD_VALUE);
    *above = "another of them.";
  }
}

}  // namespace
}  // namespace zhibu
