// Ledgers written into files and read back by what reads the files of offices.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "sync/base/text.h"
#include "sync/exchange/csv.h"
#include "sync/exchange/new_file.h"
#include "sync/exchange/open.h"
#include "sync/exchange/workbook.h"
#include "sync/exchange/write_csv.h"
#include "sync/exchange/write_marked.h"
#include "sync/exchange/write_workbook.h"
#include "tests/sync/rules/book/kept.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::Organisation;
using rules::Cell;
using rules::Kept;
using rules::Ledger;
using rules::LedgerTable;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

class Exported : public ::testing::Test {
 protected:
  Exported() : folder_(fs::temp_directory_path() / ("zhibu_export_" + std::to_string(getpid()))) {
    fs::create_directory(folder_);
  }
  ~Exported() override { fs::remove_all(folder_); }

  std::string At(const std::string& name) const { return (folder_ / name).string(); }
  static std::string BytesOf(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static absl::Status Write(const std::vector<LedgerTable>& tables, const std::string& path) {
    auto file = NewFile::Begin(path);
    if (!file.ok()) return file.status();
    if (absl::Status status = WriteWorkbook(tables, *file); !status.ok()) return status;
    if (absl::Status status = file->Finish(); !status.ok()) return status;
    return file->Keep();
  }
  // Of its first sheet, as it lies in the file.
  static std::string SheetXml(const std::string& path) {
    int error = 0;
    zip_t* archive = zip_open(path.c_str(), ZIP_RDONLY, &error);
    EXPECT_NE(archive, nullptr);
    if (archive == nullptr) return "";
    zip_stat_t stat;
    EXPECT_EQ(zip_stat(archive, "xl/worksheets/sheet1.xml", 0, &stat), 0);
    std::string xml(stat.size, '\0');
    zip_file_t* entry = zip_fopen(archive, "xl/worksheets/sheet1.xml", 0);
    EXPECT_EQ(zip_fread(entry, xml.data(), xml.size()), static_cast<zip_int64_t>(xml.size()));
    zip_fclose(entry);
    zip_close(archive);
    return xml;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  const fs::path folder_;
};

// A record with something in every field, whose ids are those of one branch, one person and a
// branch where they stay.
class Filler {
 public:
  Filler(Kept& kept, const Id& branch, const Id& person, const Id& host = Kept::IdOf(9'001))
      : kept_(kept), branch_(branch), person_(person), host_(host) {}

  Id Put(const RecordType& type, int number = 0) {
    const Message* prototype =
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type.descriptor);
    const std::unique_ptr<Message> record(prototype->New());
    for (const FieldRule& rule : type.fields.rules()) Fill(rule, record.get());
    const Id id = type.id_from.empty() ? Kept::IdOf(static_cast<int>(type.number) + number)
                                       : DeriveId(type, record->SerializeAsString()).value();
    kept_.Put(id, *record);
    return id;
  }

 private:
  void Fill(const FieldRule& rule, Message* record) {
    const auto& reflection = *record->GetReflection();
    const FieldDescriptor* field = rule.descriptor;
    if (field->type() == FieldDescriptor::TYPE_BYTES) {
      const std::string id = IdFor(rule).str();
      return field->is_repeated() ? reflection.AddString(record, field, id)
                                  : reflection.SetString(record, field, id);
    }
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) return FillMessage(field, record);
    if (field->is_repeated()) return;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.SetString(record, field, TextFor(rule));
      case FieldDescriptor::CPPTYPE_UINT32:
        return reflection.SetUInt32(record, field, field->name() == "year" ? 2026 : 7);
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection.SetInt64(record, field, 12'345);
      case FieldDescriptor::CPPTYPE_ENUM:
        return reflection.SetEnumValue(record, field, EnumFor(*field));
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.SetBool(record, field, true);
      default:
        return;
    }
  }

  // Of a state one in which something has been done.
  static int EnumFor(const FieldDescriptor& field) {
    for (const char* name : {"HELD", "ACCEPTED", "FULL"}) {
      if (const auto* value = field.enum_type()->FindValueByName(name)) return value->number();
    }
    return field.enum_type()->value(1)->number();
  }

  void FillMessage(const FieldDescriptor* field, Message* record) {
    const auto& reflection = *record->GetReflection();
    Message* inner = field->is_repeated() ? reflection.AddMessage(record, field)
                                          : reflection.MutableMessage(record, field);
    const auto* seconds = inner->GetDescriptor()->FindFieldByName("seconds");
    if (seconds != nullptr) inner->GetReflection()->SetInt64(inner, seconds, 1'783'386'000);
  }

  Id IdFor(const FieldRule& rule) const {
    const RecordType* of = rule.kept_with != nullptr ? rule.kept_with : rule.refers_to;
    if (rule.place == OWNER) return branch_;
    if (rule.place == GUEST || rule.place == ABOVE) return host_;
    return of == nullptr || of->own_scope == PERSON ? person_
                                                    : Kept::IdOf(static_cast<int>(of->number));
  }
  static std::string TextFor(const FieldRule& rule) {
    switch (rule.format) {
      case DATE:
        return "2026-07-01";
      case MONTH:
        return "2026-07";
      case DAY_OR_MONTH:
        return "2026-06";
      default:
        return absl::StrCat(rule.descriptor->name(), "=1+1");
    }
  }

  Kept& kept_;
  const Id branch_, person_, host_;
};

class AMadeBranch : public Exported {
 protected:
  AMadeBranch() {
    Organisation organisation;
    organisation.set_name("青石村党支部");
    branch_ = kept_.Put(organisation);
    Member member;
    member.set_name("欧阳🌸𬀩");
    member.set_branch_id(branch_.str());
    member.set_stage(Member::FULL);
    person_ = kept_.Put(member);
    Filler filler(kept_, branch_, person_);
    for (const RecordType& type : CatalogueSchema()->types()) {
      if (type.name != "Organisation" && type.name != "Member") filler.Put(type);
    }
    Filler elsewhere(kept_, Kept::IdOf(9'000), person_, branch_);
    for (const char* type : {"Transfer", "Flow"}) {
      elsewhere.Put(*CatalogueSchema()->FindByName(type), 1'000);
    }
  }

  LedgerTable Table(const Ledger& ledger) {
    LedgerTable table = rules::Written(
        ledger, kept_,
        {.organisation = branch_, .year = 2026, .today = absl::CivilDay(2026, 11, 20)});
    EXPECT_THAT(table.faults, IsEmpty());
    return table;
  }
  static Sheet ReadBack(const std::string& path, size_t which = 0) {
    auto sheets = ReadWorkbook(BytesOf(path), {});
    EXPECT_TRUE(sheets.ok()) << sheets.status();
    return (*sheets)[which];
  }

  Kept kept_;
  Id branch_, person_;
};

// What a reader is to find where the cell stands: a sum of a day and a time is text as people
// write it; of money its number.
std::string ReadAs(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kYuan:
    case Cell::Kind::kNumber:
    case Cell::Kind::kHours:
    case Cell::Kind::kPercent:
      return absl::StrFormat("%.15g", cell.number);
    default:
      return Printable(cell.text);
  }
}

TEST_F(AMadeBranch, EveryShippedLedgerIsReadBackWithItsHeadsItsTypesAndItsValues) {
  std::set<Cell::Kind> kinds;
  for (const Ledger& ledger : rules::ShippedBook().ledgers()) {
    const LedgerTable table = Table(ledger);
    ASSERT_THAT(table.rows, testing::Not(IsEmpty())) << ledger.text.key();
    const std::string path = At(ledger.text.key() + ".xlsx");
    ASSERT_EQ(Write({table}, path), absl::OkStatus()) << ledger.text.key();
    const Sheet sheet = ReadBack(path);
    EXPECT_THAT(sheet.read_as.zh(), HasSubstr(table.name.substr(0, 12)));
    ASSERT_GT(sheet.rows.size(), table.rows.size() + 1) << ledger.text.key();
    EXPECT_EQ(sheet.rows[0].cells[0], table.title);
    EXPECT_EQ(sheet.rows[1].cells, table.heads);
    for (size_t i = 0; i < table.rows.size(); ++i) {
      for (size_t j = 0; j < table.heads.size(); ++j) {
        const auto& cells = sheet.rows[2 + i].cells;
        EXPECT_EQ(j < cells.size() ? cells[j] : "", ReadAs(table.rows[i][j]))
            << ledger.text.key() << " " << table.heads[j];
        kinds.insert(table.rows[i][j].kind);
      }
    }
    EXPECT_THAT(sheet.rows.back().cells, testing::Contains("填报人：")) << ledger.text.key();
    EXPECT_THAT(sheet.rows.back().cells, testing::Contains("盖章：")) << ledger.text.key();
  }
  for (const Cell::Kind kind :
       {Cell::Kind::kText, Cell::Kind::kNumber, Cell::Kind::kYuan, Cell::Kind::kHours,
        Cell::Kind::kPercent, Cell::Kind::kDay, Cell::Kind::kMonth, Cell::Kind::kTime}) {
    EXPECT_EQ(kinds.count(kind), 1u) << "some ledger has a cell of kind " << static_cast<int>(kind);
  }
}

TEST_F(AMadeBranch, EveryLedgerThatIsHandedInIsThere) {
  std::vector<std::string> missing;
  for (const char* title : {"党员名册",
                            "发展党员进度表",
                            "三会一课台账",
                            "签到表",
                            "党费台账",
                            "组织关系台账（转出）",
                            "组织关系台账（转入）",
                            "流动党员台账（流出）",
                            "流动党员台账（流入）",
                            "失联台账",
                            "民主评议结果",
                            "换届报告单",
                            "四议两公开登记表",
                            "党务公开登记",
                            "学时统计",
                            "帮扶台账（结对）",
                            "帮扶台账（关怀）",
                            "整改台账",
                            "阵地经费台账（经费）",
                            "阵地经费台账（阵地）"}) {
    if (rules::ShippedBook().FindLedger(title) == nullptr) missing.push_back(title);
  }
  EXPECT_THAT(missing, IsEmpty());
}

// A field with a table of codes is shown in words wherever a column gives it as it is.
TEST_F(AMadeBranch, NoColumnOfAShippedLedgerShowsACodeAsItIs) {
  for (const Ledger& ledger : rules::ShippedBook().ledgers()) {
    for (const rules::LedgerColumn& column : ledger.columns) {
      if (column.value.fields().size() != 1 || !column.text.codes().empty()) continue;
      const auto& path = column.value.fields()[0].path;
      if (path.empty()) continue;
      EXPECT_EQ(path.back()->options().GetExtension(zhibu::code_table), "")
          << ledger.text.key() << ": " << column.text.head().zh();
    }
  }
}

TEST_F(AMadeBranch, ADossierIsOneWorkbookWithASheetForEach) {
  std::vector<LedgerTable> tables;
  for (const Ledger& ledger : rules::ShippedBook().ledgers()) tables.push_back(Table(ledger));
  ASSERT_EQ(Write(tables, At("档案.xlsx")), absl::OkStatus());
  const auto sheets = ReadWorkbook(BytesOf(At("档案.xlsx")), {});
  ASSERT_TRUE(sheets.ok()) << sheets.status();
  EXPECT_EQ(sheets->size(), tables.size());
}

TEST_F(AMadeBranch, TextThatLooksLikeAFormulaIsTextInAWorkbookAndGuardedInCsv) {
  kept_ = Kept();
  Organisation organisation;
  organisation.set_name("青石村党支部");
  branch_ = kept_.Put(organisation);
  for (const char* topic :
       {"=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", "一,\"二\""}) {
    Meeting meeting;
    meeting.set_branch_id(branch_.str());
    meeting.set_state(Meeting::HELD);
    meeting.set_topic(topic);
    meeting.mutable_starts_at()->set_seconds(1'783'386'000);
    kept_.Put(meeting);
  }
  const LedgerTable table = Table(*rules::ShippedBook().FindLedger("meeting.life"));
  ASSERT_EQ(Write({table}, At("会.xlsx")), absl::OkStatus());
  const std::string xml = SheetXml(At("会.xlsx"));
  EXPECT_THAT(xml, testing::Not(HasSubstr("<f>")));
  EXPECT_EQ(ReadBack(At("会.xlsx")).rows[2].cells[2], "=HYPERLINK(\"http://x\")");

  const std::string csv = CsvOf(table);
  EXPECT_TRUE(absl::StartsWith(csv, "\xEF\xBB\xBF青石村党支部"));
  CsvReader reader(absl::string_view(csv).substr(3), ',');
  SheetRow row;
  std::vector<std::string> topics;
  while (reader.Next(&row)) {
    if (row.cells.size() == table.heads.size()) topics.push_back(row.cells[2]);
  }
  EXPECT_THAT(topics, ElementsAre("主题", "'=HYPERLINK(\"http://x\")", "'+1", "'-1", "'@SUM(A1)",
                                  "'\t=1", "一,\"二\""));
}

TEST_F(AMadeBranch, ABranchThatIsCalledAFormulaIsNoFormulaInCsv) {
  for (const char* name : {"=HYPERLINK(\"http://x\")", "＝1+1", "＠SUM(A1)"}) {
    kept_ = Kept();
    Organisation organisation;
    organisation.set_name(name);
    branch_ = kept_.Put(organisation);
    const std::string csv = CsvOf(Table(*rules::ShippedBook().FindLedger("meeting.life")));
    CsvReader reader(absl::string_view(csv).substr(3), ',');
    SheetRow row;
    ASSERT_TRUE(reader.Next(&row));
    EXPECT_TRUE(absl::StartsWith(row.cells[0], "'")) << row.cells[0];
  }
}

TEST_F(AMadeBranch, IdentityNumbersKeepTheirDigitsInBoth) {
  const LedgerTable table = [&] {
    records::v1::PrivateDetail detail;
    detail.set_member_id(person_.str());
    detail.set_branch_id(branch_.str());
    detail.set_identity_number("110105194912310021");
    kept_.Put(detail);
    return Table(*rules::ShippedBook().FindLedger("member.roster"));
  }();
  EXPECT_THAT(CsvOf(table), HasSubstr(",'110105194912310021,"));
  ASSERT_EQ(Write({table}, At("册.xlsx")), absl::OkStatus());
  EXPECT_THAT(ReadBack(At("册.xlsx")).rows[2].cells, testing::Contains("110105194912310021"));
}

TEST_F(AMadeBranch, WhatIsLongerThanACellIsCutAndYearsFarAwayAreText) {
  Meeting meeting;
  meeting.set_branch_id(branch_.str());
  meeting.set_state(Meeting::HELD);
  std::string minutes;
  for (int i = 0; i < 20'000; ++i) minutes += "𬀩";
  meeting.set_topic(minutes);
  meeting.mutable_starts_at()->set_seconds(-2'300'000'000);  // 1897
  kept_.Put(meeting);
  LedgerTable table =
      rules::Written(*rules::ShippedBook().FindLedger("meeting.life"), kept_,
                     {.organisation = branch_, .today = absl::CivilDay(2026, 1, 1)});
  ASSERT_EQ(Write({table}, At("长.xlsx")), absl::OkStatus());
  const Sheet sheet = ReadBack(At("长.xlsx"));
  EXPECT_TRUE(absl::EndsWith(sheet.rows[2].cells[2], "𬀩…"));
  EXPECT_TRUE(absl::StartsWith(sheet.rows[2].cells[3], "1897-")) << sheet.rows[2].cells[3];
}

TEST_F(AMadeBranch, OnAScreenColumnsStandBelowTheirHeadsWhateverTheScript) {
  kept_ = Kept();
  Organisation organisation;
  organisation.set_name("青石村党支部");
  branch_ = kept_.Put(organisation);
  for (const char* name : {"李", "欧阳🌸"}) {
    Member member;
    member.set_name(name);
    member.set_branch_id(branch_.str());
    member.set_stage(Member::FULL);
    kept_.Put(member);
  }
  LedgerTable table = Table(*rules::ShippedBook().FindLedger("study.hours"));
  EXPECT_THAT(TextOf(table), HasSubstr("\n序号  姓名    年度  集中学习"));
  EXPECT_THAT(TextOf(table), HasSubstr("\n   1  李      2026"));
  EXPECT_THAT(TextOf(table), HasSubstr("\n   2  欧阳🌸  2026"));
}

// ---- Files

TEST_F(AMadeBranch, AFileThatIsThereIsNeverTouched) {
  std::ofstream(At("名册.xlsx")) << "theirs";
  const absl::Status status = Write({}, At("名册.xlsx"));
  EXPECT_THAT(WordsOf(status).zh(), HasSubstr("已经存在"));
  EXPECT_EQ(BytesOf(At("名册.xlsx")), "theirs");
}

TEST_F(AMadeBranch, AFileThatComesMeanwhileIsNotTouchedEither) {
  auto file = NewFile::Begin(At("名册.csv"));
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(file->Write("ours"), absl::OkStatus());
  ASSERT_EQ(file->Finish(), absl::OkStatus());
  std::ofstream(At("名册.csv")) << "theirs";
  EXPECT_THAT(WordsOf(file->Keep()).en(), HasSubstr("is there already"));
  EXPECT_EQ(BytesOf(At("名册.csv")), "theirs");
}

TEST_F(AMadeBranch, AFileIsForItsOwnerAndNothingElseIsLeftBeside) {
  ASSERT_EQ(Write({Table(rules::ShippedBook().ledgers()[0])}, At("名册.xlsx")), absl::OkStatus());
  struct stat info;
  ASSERT_EQ(stat(At("名册.xlsx").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_THAT(Files(), ElementsAre("名册.xlsx"));
}

TEST_F(AMadeBranch, WhereNothingCanBeWrittenThatIsSaidAndNothingStays) {
  EXPECT_THAT(WordsOf(Write({}, At("没有/名册.xlsx"))).zh(), HasSubstr("无法写入"));
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(AMadeBranch, OnAFullDiskNoHalfOfAFileStays) {
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit before, tight;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  tight = before;
  tight.rlim_cur = 2'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  std::vector<LedgerTable> tables;
  for (const Ledger& ledger : rules::ShippedBook().ledgers()) tables.push_back(Table(ledger));
  const absl::Status workbook = Write(tables, At("档案.xlsx"));
  auto file = NewFile::Begin(At("册.csv"));
  const absl::Status csv = file->Write(std::string(10'000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(workbook.ok());
  EXPECT_THAT(WordsOf(csv).zh(), HasSubstr("无法写入"));
  { const NewFile dropped = *std::move(file); }
  EXPECT_THAT(Files(), IsEmpty());
}

// ---- A sheet as it was read, marked ------------------------------------------------

class MarkedCopy : public Exported {
 protected:
  // The style of a cell, as the file has it: those of one colour have the same.
  static std::string StyleOf(const std::string& xml, const std::string& cell) {
    const size_t at = xml.find("<c r=\"" + cell + "\" s=\"");
    EXPECT_NE(at, std::string::npos) << cell;
    const size_t begin = xml.find(" s=\"", at) + 4;
    return at == std::string::npos ? "" : xml.substr(begin, xml.find('"', begin) - begin);
  }
};

TEST_F(MarkedCopy, ShowsEachCellAtItsPlaceAndWhatIsSaidOfItBehindItsRow) {
  Sheet sheet;
  sheet.rows = {{1, {"姓名", "出生日期", "电话"}},
                {2, {"王秀英", "1990-02-30", "=1+1"}},
                {4, {"", "1991-01-01"}},
                {5, {"合计", "2"}}};
  const std::vector<Mark> marks = {{Mark::Kind::kDoubtful, 2, 1, "日历上没有这一天"},
                                   {Mark::Kind::kRefused, 4, std::nullopt, "没有姓名"},
                                   {Mark::Kind::kNotRead, 5, std::nullopt, "合计"}};
  auto file = NewFile::Begin(At("核对.xlsx"));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(WriteMarked(sheet, marks, Language::kChinese, *file), absl::OkStatus());
  ASSERT_EQ(file->Finish(), absl::OkStatus());
  ASSERT_EQ(file->Keep(), absl::OkStatus());

  const auto sheets = ReadWorkbook(BytesOf(At("核对.xlsx")), {});
  ASSERT_TRUE(sheets.ok()) << sheets.status();
  const std::vector<SheetRow>& rows = (*sheets)[0].rows;
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_THAT(rows[0].cells, ElementsAre("姓名", "出生日期", "电话", "核对说明"));
  EXPECT_THAT(rows[1].cells, ElementsAre("王秀英", "1990-02-30", "=1+1", "B: 日历上没有这一天"));
  EXPECT_EQ(rows[2].line, 4u);
  EXPECT_EQ(rows[2].cells[3], "没有姓名");
  EXPECT_THAT(rows[3].cells, ElementsAre("合计", "2", "", "合计"));

  const std::string xml = SheetXml(At("核对.xlsx"));
  const std::string plain = StyleOf(xml, "A1");
  EXPECT_EQ(StyleOf(xml, "A2"), plain);
  EXPECT_NE(StyleOf(xml, "B2"), plain);
  EXPECT_NE(StyleOf(xml, "A4"), plain) << "the whole row, also where it is empty";
  EXPECT_EQ(StyleOf(xml, "A4"), StyleOf(xml, "B4"));
  EXPECT_NE(StyleOf(xml, "A4"), StyleOf(xml, "B2"));
  EXPECT_NE(StyleOf(xml, "A5"), StyleOf(xml, "A4"));
}

TEST_F(MarkedCopy, AColumnIsKnownByItsLetter) {
  for (const size_t column : {0u, 25u, 26u, 255u, 701u, 702u}) {
    EXPECT_EQ(ColumnOf(LetterOf(column)), column);
  }
  for (const char* none : {"", "a", "1", "A1", "AAAA"}) EXPECT_EQ(ColumnOf(none), std::nullopt);
}

}  // namespace
}  // namespace zhibu
