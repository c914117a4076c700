// docs/catalogue.md: the 42 systems of the handbooks, the record types of each, and their
// fields, as they are declared.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sync/base/words.h"
#include "sync/schema/codes.h"
#include "sync/schema/schema.h"
#include "tests/support/made_page.h"

namespace zhibu {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

struct Row {
  const char* zh;
  const char* en;
};
constexpr Row kRows[] = {
    {"党组织设立", "founding"},
    {"班子建设和换届", "committee and election"},
    {"党小组", "group"},
    {"编入组织", "placement"},
    {"扩大覆盖", "coverage"},
    {"隶属关系调整", "affiliation"},
    {"党员信息库", "register of members"},
    {"组织关系转接", "transfer"},
    {"发展党员", "development"},
    {"农民工两地培养", "development in two places"},
    {"三会一课", "meetings"},
    {"流动党员", "migrant members"},
    {"流动党员活动证", "pass"},
    {"签到", "check-in"},
    {"服务站点、就业培训维权、返乡活动", "services to migrants"},
    {"流动预备党员转正", "confirmation of a migrant"},
    {"民主评议", "appraisal"},
    {"党员鉴定", "assessment"},
    {"党员目标管理", "targets"},
    {"党性定期分析", "self-analysis"},
    {"表彰奖惩", "commendation and discipline"},
    {"不合格党员处置、党员年审", "disposal, annual review"},
    {"四议两公开", "how a village decides"},
    {"贯彻上级指示", "directives"},
    {"党务公开", "openness"},
    {"走访、接访、反馈", "visits"},
    {"群众意见、思想动态、矛盾排查", "opinions and disputes"},
    {"设岗定责、承诺、责任区、志愿服务", "posts, pledges, service"},
    {"结对帮扶、关怀帮扶", "pairing and aid"},
    {"联系点、机关干部联系群众、联系人", "contact points"},
    {"理论学习、党员教育、轮训、远程教育", "study and training"},
    {"调查摸底、分类定级", "survey and grading"},
    {"整改、整顿、晋位升级、第一书记", "rectification"},
    {"责任制、例会、述职、联述联评联考", "accountability"},
    {"诫勉谈话、问责", "talks and inquiries"},
    {"党费", "dues"},
    {"经费、阵地", "funds and premises"},
    {"规章制度", "a branch's own rules"},
    {"创建活动", "campaigns"},
    {"规则集", "the rule book"},
    {"照片、签到表、扫描件", "attachments"},
    {"授权、设备、冲突、待处理、审计", "the system itself"},
};

std::map<uint32_t, const RecordType*> TypesByNumber() {
  std::map<uint32_t, const RecordType*> types;
  for (const RecordType& type : CatalogueSchema()->types()) types[type.number] = &type;
  return types;
}

std::vector<uint32_t> RowsOf(const RecordType& type) {
  const auto& rows = type.descriptor->options().GetExtension(zhibu::record).rows();
  return {rows.begin(), rows.end()};
}

std::vector<const RecordType*> TypesOf(uint32_t row) {
  std::vector<const RecordType*> types;
  for (const auto& [number, type] : TypesByNumber()) {
    const std::vector<uint32_t> rows = RowsOf(*type);
    if (std::count(rows.begin(), rows.end(), row) > 0) types.push_back(type);
  }
  return types;
}

TEST(Catalogue, HasTypesForEveryRow) {
  ASSERT_EQ(std::size(kRows), 42u);
  for (uint32_t row = 1; row <= std::size(kRows); ++row) {
    EXPECT_FALSE(TypesOf(row).empty()) << row << " " << kRows[row - 1].zh;
  }
}

TEST(Catalogue, HasARowForEveryType) {
  for (const RecordType& type : CatalogueSchema()->types()) {
    EXPECT_FALSE(RowsOf(type).empty()) << type.name;
    for (const uint32_t row : RowsOf(type)) {
      EXPECT_GE(row, 1u) << type.name;
      EXPECT_LE(row, std::size(kRows)) << type.name;
    }
  }
}

// ---- The page ----------------------------------------------------------------------

std::string En(const std::string& words) { return absl::AsciiStrToLower(words); }

std::string Values(const EnumDescriptor& values) {
  std::vector<std::string> words;
  for (int i = 0; i < values.value_count(); ++i) {
    const auto& value = *values.value(i);
    if (value.number() == 0) continue;
    words.push_back(
        absl::StrCat(WordsOf(value, Language::kChinese), " ", WordsOf(value, Language::kEnglish)));
  }
  return absl::StrJoin(words, " · ");
}

std::string KindOf(const FieldRule& rule) {
  const FieldDescriptor& field = *rule.descriptor;
  const std::string table = field.options().GetExtension(zhibu::code_table);
  std::string kind = field.type_name();
  if (!table.empty()) kind = absl::StrCat("code of ", table);
  if (rule.format != ANY) kind = En(Format_Name(rule.format));
  if (field.enum_type() != nullptr) kind = "one of";
  if (field.message_type() != nullptr) kind = field.message_type()->name();
  if (field.type() == FieldDescriptor::TYPE_BYTES && rule.bytes_max == 16) kind = "id";
  return field.is_repeated() ? absl::StrCat("list of ", kind) : kind;
}

std::string OfficesOf(const Eyes& eyes) {
  std::vector<std::string> offices;
  for (int office = SECRETARY; office <= SUPERIOR; ++office) {
    if ((eyes.at_home & AudienceOf(static_cast<Office>(office))) == 0) continue;
    offices.push_back(WordsOf(*Office_descriptor()->FindValueByNumber(office), Language::kChinese));
  }
  return absl::StrJoin(offices, " ");
}

std::string StepNames(const RecordType& type, const FieldRule& rule) {
  std::vector<std::string> names;
  const auto* states = type.steps == nullptr ? nullptr : type.steps->descriptor->enum_type();
  for (int i = 0; states != nullptr && i < states->value_count(); ++i) {
    if (!rule.written_with.contains(states->value(i)->number())) continue;
    names.push_back(WordsOf(*states->value(i), Language::kChinese));
  }
  return absl::StrJoin(names, " ");
}

// What is special about a field of a record itself.
std::string Remarks(const RecordType& type, const FieldRule& rule) {
  std::vector<std::string> says;
  const auto say = [&](const std::string& words) {
    if (!words.empty()) says.push_back(words);
  };
  if (rule.place != NOWHERE) say(Place_Name(rule.place));
  if (rule.sent_to != nullptr) {
    say(absl::StrCat("those of `", rule.sent_to->descriptor->name(), "` below"));
  }
  if (rule.identity) say("makes the id");
  if (rule.required) say("required");
  if (rule.kept_with != nullptr && rule.place == NOWHERE) say(rule.kept_with->name);
  if (rule.refers_to != nullptr) say(rule.refers_to->name);
  if (rule.sensitive) {
    say("sensitive");
  } else if (rule.descriptor->options().GetExtension(zhibu::home_only)) {
    say("home only");
  }
  if (rule.readers.at_home != type.readers.at_home) {
    say(absl::StrCat("seen by ", OfficesOf(rule.readers)));
  }
  if (rule.writers.at_home != type.writers.at_home) {
    say(absl::StrCat("written by ", OfficesOf(rule.writers)));
  }
  for (const Place place : {OWNER, GUEST, PERSON, ABOVE}) {
    if ((rule.written_at & BitOf(place)) != 0) say(absl::StrCat("written at ", Place_Name(place)));
  }
  if (!rule.written_with.empty()) say(absl::StrCat("with ", StepNames(type, rule)));
  return absl::StrJoin(says, "; ");
}

void AddFields(const RecordType& type, const Fields& fields, const std::string& in,
               std::string* text) {
  for (const FieldRule& rule : fields.rules()) {
    const FieldDescriptor& field = *rule.descriptor;
    std::string remarks = in.empty() ? Remarks(type, rule) : "";
    if (field.enum_type() != nullptr) {
      absl::StrAppend(&remarks, remarks.empty() ? "" : "; ", Values(*field.enum_type()));
    }
    absl::StrAppend(text, "| `", in, field.name(), "` | ", WordsOf(field, Language::kChinese),
                    " | ", WordsOf(field, Language::kEnglish), " | ", KindOf(rule), " | ",
                    rule.policy == LATEST ? "" : Policy_Name(rule.policy), " | ", remarks, " |\n");
    if (rule.element != nullptr && in.empty()) {
      AddFields(type, *rule.element, absl::StrCat(std::string(field.name()), "."), text);
    }
  }
}

std::string Page() {
  std::string text = "\n## The rows\n\n| row | system | | types |\n|---|---|---|---|\n";
  for (uint32_t row = 1; row <= std::size(kRows); ++row) {
    std::vector<std::string> names;
    for (const RecordType* type : TypesOf(row)) names.push_back(type->name);
    absl::StrAppend(&text, "| ", row, " | ", kRows[row - 1].zh, " | ", kRows[row - 1].en, " | ",
                    absl::StrJoin(names, ", "), " |\n");
  }
  absl::StrAppend(&text,
                  "\n## Tables of codes\n\n| table | | source | codes |\n|---|---|---|---|\n");
  for (const CodeTable& table : AllCodeTables().tables()) {
    absl::StrAppend(&text, "| `", table.name(), "` | ", table.words().zh(), " | ", table.source(),
                    "-", table.version(), " | ", table.codes_size(), " |\n");
  }
  absl::StrAppend(&text, "\n## The types\n");
  for (const auto& [number, type] : TypesByNumber()) {
    absl::StrAppend(&text, "\n### ", number, " ", type->label, " ", type->name, "\n\n",
                    WordsOf(*type->descriptor, Language::kEnglish),
                    ". Rows: ", absl::StrJoin(RowsOf(*type), ", "), ".",
                    type->permanent ? " Never deleted." : "",
                    type->made_by_server ? " Made by the server." : "", " Read by ",
                    OfficesOf(type->readers), ".\n\n",
                    "| field | | | kind | merge | |\n|---|---|---|---|---|---|\n");
    AddFields(*type, type->fields, "", &text);
  }
  return text;
}

constexpr char kMarker[] =
    "<!-- From here on made from the declarations: catalogue_page_test.cc -->\n";

TEST(CataloguePage, SaysWhatIsDeclared) { test::ExpectMade("catalogue.md", kMarker, Page()); }

}  // namespace
}  // namespace zhibu
