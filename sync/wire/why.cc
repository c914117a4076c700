#include "sync/wire/why.h"

#include <google/protobuf/descriptor.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sync/base/reason.h"
#include "sync/schema/schema.h"
#include "sync/wire/shown.h"
#include "sync/wire/worded.h"

namespace zhibu {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

// What stands after "field: " where a value is not as it must be.
struct Remark {
  absl::string_view detail;
  const char* zh;
  const char* en;
};
constexpr Remark kRemarks[] = {
    {"2026-01-31", "写作年-月-日（1900 至 2199 年），例如 2026-01-31",
     "written year-month-day, of 1900 to 2199, as 2026-01-31 is"},
    {"2026-01", "写作年-月（1900 至 2199 年），例如 2026-01",
     "written year-month, of 1900 to 2199, as 2026-01 is"},
    {"2026-01-31 / 2026-01", "写作年-月-日或年-月（1900 至 2199 年），例如 2026-01-31 或 2026-01",
     "written year-month-day or year-month, of 1900 to 2199, as 2026-01-31 or 2026-01 is"},
    {"16 bytes", "应指明一条记录", "must name a record"},
    {"“ ”", "不能只有空格", "is nothing but blanks"},
};
// Words of programs that details have beside names.
constexpr Remark kNouns[] = {
    {"edit", "本次修改", "the edit"},
    {"form", "格式不对", "its form"},
    {"signature", "签名不对", "its signature"},
    {"device", "设备", "device"},
    {"codes", "签到码", "codes"},
    {"conflicts", "处他人已改的内容", "values that others have changed meanwhile"},
    {"lives", "次重建", "times made anew"},
    {"elements", "项", "elements"},
    {"records", "条记录", "records"},
    {"steps", "步", "steps"},
};

std::string In(const Remark& remark, Language language) {
  return language == Language::kChinese ? remark.zh : remark.en;
}

const EnumValueDescriptor* ValueNamed(const Descriptor& type, const std::string& name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const EnumDescriptor* of = type.field(i)->enum_type();
    const EnumValueDescriptor* value = of == nullptr ? nullptr : of->FindValueByName(name);
    if (value != nullptr) return value;
  }
  return nullptr;
}

// Whichever type of the catalogue has it first.
std::string WordsInAnyType(const std::string& name, Language language) {
  for (const RecordType& type : CatalogueSchema()->types()) {
    const FieldDescriptor* field = type.descriptor->FindFieldByName(name);
    if (field != nullptr) return WordsOf(*field, language);
  }
  return "";
}

// One name of the program's; as it is where it is none.
std::string NameInWords(const std::string& name, const Descriptor* type, Language language) {
  if (type != nullptr) {
    const std::string path = PathInWords(type, name, language);
    if (path != name) return path;
    const EnumValueDescriptor* value = ValueNamed(*type, name);
    if (value != nullptr) return WordsOf(*value, language);
  }
  const RecordType* named = CatalogueSchema()->FindByName(name);
  if (named != nullptr) return WordsOf(*named->descriptor, language);
  for (const Remark& noun : kNouns) {
    if (noun.detail == name) return In(noun, language);
  }
  const std::string words = WordsInAnyType(name, language);
  return words.empty() ? name : words;
}

bool IsOfAName(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '[' || c == ']'; }

}  // namespace

std::string DetailInWords(absl::string_view detail, const Descriptor* type, Language language) {
  const std::pair<absl::string_view, absl::string_view> languages =
      absl::StrSplit(detail, absl::MaxSplits('\x1f', 1));
  if (absl::StrContains(detail, '\x1f')) {
    return std::string(language == Language::kChinese ? languages.first : languages.second);
  }
  // "Meeting.topic": the type says it itself.
  const std::pair<absl::string_view, absl::string_view> typed =
      absl::StrSplit(detail, absl::MaxSplits('.', 1));
  if (const RecordType* named = CatalogueSchema()->FindByName(typed.first)) {
    if (absl::StrContains(detail, '.')) {
      return absl::StrCat(WordsOf(*named->descriptor, language), " ",
                          DetailInWords(typed.second, named->descriptor, language));
    }
  }
  const std::pair<absl::string_view, absl::string_view> remarked =
      absl::StrSplit(detail, absl::MaxSplits(": ", 1));
  for (const Remark& remark : kRemarks) {
    if (remark.detail != remarked.second) continue;
    return absl::StrCat(NameInWords(std::string(remarked.first), type, language),
                        language == Language::kChinese ? "（" : " (", In(remark, language),
                        language == Language::kChinese ? "）" : ")");
  }
  std::string text;
  for (size_t at = 0; at < detail.size();) {
    size_t end = at;
    while (end < detail.size() && IsOfAName(detail[end])) ++end;
    if (end == at) {
      text += detail[at++];
      continue;
    }
    const std::string name(detail.substr(at, end - at));
    // "会议 Meeting" says it twice: for people, and for whoever looks for it.
    const RecordType* named = CatalogueSchema()->FindByName(name);
    const std::string label = named == nullptr ? "" : absl::StrCat(named->label, " ");
    if (!label.empty() && absl::EndsWith(text, label)) text.resize(text.size() - label.size());
    absl::StrAppend(&text, NameInWords(name, type, language));
    at = end;
  }
  return text;
}

std::string WhyInWords(sync::v1::Reason reason, absl::string_view detail, const Descriptor* type,
                       Language language) {
  return In(language, WordsFor(reason, DetailInWords(detail, type, language)));
}

}  // namespace zhibu
