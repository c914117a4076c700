// Workbooks, made part by part; and what a hostile one may not do.
#include "sync/exchange/workbook.h"

#include <gmock/gmock.h>
#include <zip.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/exchange/roster.h"

namespace zhibu::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Packed(const std::map<std::string, std::string>& entries) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(source);
  zip_t* archive = zip_open_from_source(source, ZIP_TRUNCATE, &error);
  for (const auto& [name, content] : entries) {
    zip_source_t* entry = zip_source_buffer(archive, content.data(), content.size(), 0);
    EXPECT_GE(zip_file_add(archive, name.c_str(), entry, ZIP_FL_ENC_UTF_8), 0);
  }
  EXPECT_EQ(zip_close(archive), 0);
  zip_stat_t stat;
  zip_source_stat(source, &stat);
  std::string bytes(stat.size, '\0');
  zip_source_open(source);
  EXPECT_EQ(zip_source_read(source, bytes.data(), bytes.size()), static_cast<int64_t>(stat.size));
  zip_source_close(source);
  zip_source_free(source);
  return bytes;
}

constexpr char kRelations[] =
    R"(<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>)"
    R"(<Relationship Id="r2" Type="x/worksheet" Target="/xl/worksheets/sheet2.xml"/>)"
    R"(<Relationship Id="r3" Type="x/sharedStrings" Target="sharedStrings.xml"/>)"
    R"(<Relationship Id="r4" Type="x/styles" Target="styles.xml"/></Relationships>)";
constexpr char kTexts[] =
    R"(<sst><si><t>姓名</t></si><si><r><t>所在</t></r><r><t>支部</t></r></si>)"
    R"(<si><t>王芳</t><rPh><t>わん</t></rPh></si><si><t>一支部</t></si></sst>)";
// Styles 1 to 4: a day, a month, a built-in month, text.
constexpr char kStyles[] =
    R"(<styleSheet><numFmts><numFmt numFmtId="170" formatCode="yyyy\-mm\-dd"/>)"
    R"(<numFmt numFmtId="171" formatCode="yyyy.mm"/></numFmts><cellStyleXfs><xf numFmtId="14"/>)"
    R"(</cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="171"/>)"
    R"(<xf numFmtId="57"/><xf numFmtId="49"/></cellXfs></styleSheet>)";

std::string Book(const std::string& sheet, const std::string& more = "",
                 const std::string& texts = kTexts) {
  return Packed(
      {{"xl/workbook.xml",
        absl::StrCat("<workbook>", more,
                     R"(<sheets><sheet name="填表说明" sheetId="1" r:id="r2"/>)",
                     R"(<sheet name="花名册" sheetId="2" r:id="r1"/></sheets></workbook>)")},
       {"xl/_rels/workbook.xml.rels", kRelations},
       {"xl/sharedStrings.xml", texts},
       {"xl/styles.xml", kStyles},
       {"xl/worksheets/sheet2.xml",
        R"(<worksheet><sheetData><row r="1"><c t="inlineStr"><is><t>说明</t></is></c></row></sheetData></worksheet>)"},
       {"xl/worksheets/sheet1.xml", absl::StrCat("<worksheet>", sheet, "</worksheet>")}});
}

std::string Text(const char* place, const std::string& text) {
  return absl::StrCat(R"(<c r=")", place, R"(" t="inlineStr"><is><t>)", text, "</t></is></c>");
}

std::string Number(const char* place, const char* number, int style = 0) {
  return absl::StrCat(R"(<c r=")", place, R"(" s=")", style, R"("><v>)", number, "</v></c>");
}

// "3: 甲|一支部"
std::vector<std::string> RowsOf(const std::string& bytes, size_t sheet = 1) {
  const auto sheets = ReadWorkbook(bytes, {});
  EXPECT_TRUE(sheets.ok()) << sheets.status();
  std::vector<std::string> shown;
  if (!sheets.ok() || sheets->size() <= sheet) return shown;
  for (const SheetRow& row : (*sheets)[sheet].rows) {
    shown.push_back(absl::StrCat(row.line, ": ", absl::StrJoin(row.cells, "|")));
  }
  return shown;
}

TEST(Workbook, SharedAndRichTextsWithoutTheReadingsAboveThem) {
  EXPECT_THAT(
      RowsOf(Book(
          R"(<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c>)"
          R"(<c r="B1" t="s"><v>1</v></c></row><row r="3"><c r="A3" t="s"><v>2</v>)"
          R"(</c><c r="B3" t="s"><v>3</v></c><c r="C3" t="s"><v>99</v></c></row></sheetData>)")),
      ElementsAre("1: 姓名|所在支部", "3: 王芳|一支部"));
}

TEST(Workbook, DaysMonthsNumbersErrorsAndFormulas) {
  const std::string row = absl::StrCat(
      R"(<sheetData><row r="1">)", Number("A1", "32875", 1), Number("B1", "32874", 2),
      Number("C1", "32874", 3), Number("D1", "13800002206"), Number("E1", "3.3010219850312E+17"),
      R"(<c r="F1" t="e"><v>#N/A</v></c><c r="G1" t="str"><f>A1</f><v>甲</v></c>)",
      Number("H1", "330102198503120000", 4), R"(<c r="J1" t="d"><v>1990-01-02T00:00:00</v></c>)",
      "</row></sheetData>");
  EXPECT_THAT(RowsOf(Book(row)),
              ElementsAre("1: 1990-01-02|1990-01|1990-01|13800002206|3.30102198503120E+17|#N/A|甲|"
                          "3.30102198503120E+17||1990-01-02T00:00:00"));
  EXPECT_THAT(RowsOf(Book(absl::StrCat(R"(<sheetData><row r="1">)", Number("A1", "31413", 1),
                                       "</row></sheetData>"),
                          R"(<workbookPr date1904="1"/>)")),
              ElementsAre("1: 1990-01-02"));
}

TEST(Workbook, EachMergedCellHasTheValueOfAll) {
  EXPECT_THAT(
      RowsOf(Book(absl::StrCat(
          R"(<sheetData><row r="1">)", Text("A1", "甲"), Text("B1", "一支部"),
          R"(</row><row r="2">)", Text("A2", "乙"), R"(</row><row r="3">)", Text("A3", "丙"),
          R"(</row></sheetData><mergeCells><mergeCell ref="B1:B2"/><mergeCell ref="D9:E9"/></mergeCells>)"))),
      ElementsAre("1: 甲|一支部", "2: 乙|一支部", "3: 丙"));
}

TEST(Workbook, ARosterUnderATitleWithAHeaderOfTwoRows) {
  const std::string sheet = absl::StrCat(
      R"(<sheetData><row r="1">)", Text("A1", "石门镇党员花名册"), R"(</row><row r="2">)",
      Text("A2", "姓名"), Text("B2", "基本情况"), Text("D2", "所在支部"), R"(</row><row r="3">)",
      Text("B3", "性别"), Text("C3", "出生年月"), R"(</row><row r="4">)", Text("A4", "甲"),
      Text("B4", "男"), Number("C4", "32874", 2), Text("D4", "一支部"), R"(</row><row r="5">)",
      Text("A5", "乙"), Text("B5", "女"), Number("C5", "1990.1"), R"(</row><row r="6">)",
      Text("A6", "合计：2人"),
      R"(</row></sheetData><mergeCells><mergeCell ref="A1:D1"/><mergeCell ref="A2:A3"/>)",
      R"(<mergeCell ref="B2:C2"/><mergeCell ref="D2:D3"/><mergeCell ref="D4:D5"/></mergeCells>)");
  const auto roster = ParseRoster(Book(sheet));
  ASSERT_TRUE(roster.ok()) << roster.status();
  ASSERT_THAT(roster->rows, SizeIs(2));
  EXPECT_EQ(roster->rows[0].member.born(), "1990-01");
  EXPECT_EQ(roster->rows[1].branch, "一支部");
  ASSERT_THAT(roster->rows[1].cells, SizeIs(1));
  EXPECT_THAT(roster->rows[1].cells[0].reason.zh(), HasSubstr("也可能是 10 月"));
  EXPECT_THAT(roster->left_out, SizeIs(3)) << "its title, what stands over two headings, its sum";
  EXPECT_EQ(roster->read_as.zh(),
            "XLSX，工作表“花名册”，表头在第 3 行；没有读取：XLSX，工作表“填表说明”");
}

TEST(Workbook, HiddenSheetsAreLeftOut) {
  const std::string bytes = Packed(
      {{"xl/workbook.xml",
        R"(<workbook><sheets><sheet name="a" state="hidden" r:id="r1"/></sheets></workbook>)"},
       {"xl/_rels/workbook.xml.rels",
        R"(<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>)"},
       {"xl/worksheets/sheet1.xml", "<worksheet/>"}});
  EXPECT_THAT(*ReadWorkbook(bytes, {}), IsEmpty());
}

// ---- Hostile ones ----

std::string WhyNoBook(const std::string& bytes, const SheetLimits& limits = {}) {
  const auto sheets = ReadWorkbook(bytes, limits);
  EXPECT_TRUE(absl::IsInvalidArgument(sheets.status())) << sheets.status();
  return WordsOf(sheets.status()).en();
}

TEST(HostileWorkbook, WhatIsNoneOrDamaged) {
  const std::string good = Book("<sheetData/>");
  EXPECT_THAT(WhyNoBook("PK\x03\x04"), HasSubstr("no workbook that can be read"));
  EXPECT_THAT(WhyNoBook(Packed({{"mimetype", "x"}})), HasSubstr("no workbook"));
  EXPECT_THAT(WhyNoBook(Book("<sheetData>")), HasSubstr("no workbook"));
  for (size_t size = 0; size < good.size(); size += 7) {
    EXPECT_FALSE(ReadWorkbook(good.substr(0, size), {}).ok()) << size;
  }
}

TEST(HostileWorkbook, MoreThanItMayUnpackTo) {
  const std::string bomb = Book(absl::StrCat("<!--", std::string(2'000'000, ' '), "-->"));
  EXPECT_LT(bomb.size(), 10'000u);
  EXPECT_THAT(WhyNoBook(bomb, {.unpacked_bytes_max = 1'000'000}), HasSubstr("too large"));
}

TEST(HostileWorkbook, AFewTextsThatAreShownInManyCells) {
  std::string cells;
  for (int i = 1; i <= 200; ++i) {
    absl::StrAppend(&cells, "<row r=\"", i, "\"><c r=\"A", i, "\" t=\"s\"><v>0</v></c></row>");
  }
  const std::string long_text(100'000, 'x');
  const std::string texts = absl::StrCat("<sst><si><t>", long_text, "</t></si></sst>");
  const std::string sheet = absl::StrCat("<sheetData>", cells, "</sheetData>");
  EXPECT_THAT(WhyNoBook(Book(sheet, "", texts), {.text_bytes_max = 10'000'000}),
              HasSubstr("too large"));
  EXPECT_TRUE(ReadWorkbook(Book(sheet, "", texts), {.text_bytes_max = 30'000'000}).ok());
  const std::string one = absl::StrCat("<sheetData><row r=\"1\">", Text("A1", long_text),
                                       "</row></sheetData><mergeCells><mergeCell ref=\"A1:IV1\"/>"
                                       "</mergeCells>");
  EXPECT_THAT(WhyNoBook(Book(one), {.text_bytes_max = 10'000'000}), HasSubstr("too large"));
}

TEST(HostileWorkbook, SheetsWithoutEnd) {
  std::string sheets;
  for (int i = 0; i <= 1000; ++i) sheets += R"(<sheet name="a" sheetId="1" r:id="r1"/>)";
  EXPECT_THAT(WhyNoBook(Packed({{"xl/workbook.xml", absl::StrCat("<workbook><sheets>", sheets,
                                                                 "</sheets></workbook>")},
                                {"xl/_rels/workbook.xml.rels", "<Relationships/>"}})),
              HasSubstr("too large"));
}

TEST(HostileWorkbook, EntitiesThatGrow) {
  EXPECT_THAT(WhyNoBook(Book("<sheetData/>", "",
                             R"(<!DOCTYPE a [<!ENTITY b "bbbb">]><sst><si><t>&b;</t></si></sst>)")),
              HasSubstr("no workbook"));
}

TEST(HostileWorkbook, MoreRowsCellsOrDepthThanItMay) {
  std::string rows;
  for (int i = 1; i <= 20; ++i) {
    absl::StrAppend(&rows, "<row>", Text("C1", "x"), "</row>");
  }
  const std::string sheet = absl::StrCat("<sheetData>", rows, "</sheetData>");
  EXPECT_TRUE(ReadWorkbook(Book(sheet), {.rows_max = 20}).ok());
  EXPECT_THAT(WhyNoBook(Book(sheet), {.rows_max = 19}), HasSubstr("more than 19 rows"));
  // The empty cells before each take room as well.
  EXPECT_THAT(WhyNoBook(Book(sheet), {.cells_max = 40}), HasSubstr("too large"));
  const std::string merged =
      absl::StrCat(sheet, R"(<mergeCells><mergeCell ref="C1:XFD1048576"/></mergeCells>)");
  EXPECT_THAT(WhyNoBook(Book(merged), {.cells_max = 1000}), HasSubstr("too large"));
  EXPECT_THAT(RowsOf(Book(merged)), SizeIs(20));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_THAT(WhyNoBook(Book(deep)), HasSubstr("no workbook"));
  EXPECT_THAT(
      RowsOf(Book(R"(<sheetData><row r="1"><c r="ZZZZZZZZZZ1"><v>1</v></c></row></sheetData>)")),
      IsEmpty());
  EXPECT_THAT(WhyNoBook(Book(R"(<sheetData><row r="5"/><row r="4"/></sheetData>)")),
              HasSubstr("no workbook"));
}

}  // namespace
}  // namespace zhibu::server
