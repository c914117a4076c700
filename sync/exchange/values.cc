#include "sync/exchange/values.h"

#include <google/protobuf/descriptor.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "sync/base/date.h"
#include "sync/base/identity_number.h"
#include "sync/exchange/number_format.h"
#include "sync/exchange/text.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu {
namespace {

using records::v1::Member;
using records::v1::Organisation;

// The words for an enum's values.
template <typename Enum>
class Dictionary {
 public:
  Dictionary(std::initializer_list<std::pair<const char*, Enum>> short_forms) {
    const auto* type = google::protobuf::GetEnumDescriptor<Enum>();
    for (int i = 0; i < type->value_count(); ++i) {
      const auto* value = type->value(i);
      if (value->number() == 0) continue;
      const Enum number = static_cast<Enum>(value->number());
      words_.emplace(FoldWord(value->name()), number);
      words_.emplace(FoldWord(value->options().GetExtension(value_label)), number);
    }
    for (const auto& [word, number] : short_forms) words_.emplace(word, number);
  }

  Enum Find(absl::string_view text) const {
    auto found = words_.find(FoldWord(text));
    if (found == words_.end()) found = words_.find(FoldHeading(text));
    return found == words_.end() ? Enum{} : found->second;
  }

 private:
  absl::flat_hash_map<std::string, Enum> words_;
};

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// ---- Dates ----

// 一九九〇, 十二, 二十三 and 廿三 in digits; everything else stays.
std::string WithDigits(absl::string_view text) {
  static const auto& digits = *new std::vector<std::pair<std::string, int>>{
      {"〇", 0}, {"○", 0},  {"零", 0}, {"元", 1}, {"一", 1}, {"二", 2}, {"三", 3},
      {"四", 4}, {"五", 5}, {"六", 6}, {"七", 7}, {"八", 8}, {"九", 9}};
  std::string out;
  int ten = 0;    // 十 was read, after so many tens
  int unit = -1;  // the digit before it
  const auto flush = [&] {
    if (ten > 0) {
      absl::StrAppend(&out, ten * 10 + std::max(unit, 0));
    } else if (unit >= 0) {
      absl::StrAppend(&out, unit);
    }
    ten = 0;
    unit = -1;
  };
  while (!text.empty()) {
    if (absl::ConsumePrefix(&text, "十")) {
      ten = unit > 0 ? unit : 1;
      unit = -1;
      continue;
    }
    if (absl::ConsumePrefix(&text, "廿")) {
      ten = 2;
      continue;
    }
    bool found = false;
    for (const auto& [word, digit] : digits) {
      if (!absl::ConsumePrefix(&text, word)) continue;
      if (unit >= 0) flush();
      unit = digit;
      found = true;
      break;
    }
    if (found) continue;
    flush();
    out.push_back(text[0]);
    text.remove_prefix(1);
  }
  flush();
  return out;
}

// Of a month's name in English, 0 where it is none.
int MonthFrom(absl::string_view word) {
  constexpr absl::string_view kMonths = "janfebmaraprmayjunjulaugsepoctnovdec";
  if (word.size() < 3) return 0;
  const size_t at = kMonths.find(absl::AsciiStrToLower(word.substr(0, 3)));
  return at == absl::string_view::npos || at % 3 != 0 ? 0 : static_cast<int>(at / 3) + 1;
}

// Without the time of day behind it: "1990-01-02 00:00:00", "1990/1/2 0:00", "1990-01-02T00:00:00".
absl::string_view WithoutClock(absl::string_view text) {
  const size_t colon = text.find(':');
  if (colon == absl::string_view::npos) return text;
  size_t gap = text.find_last_of(" T", colon);
  // "上午" and "AM" stand behind the time or before it.
  return gap == absl::string_view::npos ? text : Trim(text.substr(0, gap));
}

Tidied DayOf(int year, int month, int day) {
  // CivilDay turns the 31st of April into the 1st of May.
  const absl::CivilDay civil(year, month, day);
  if (civil.month() != month || civil.day() != day || civil < kFirstDay || civil > kLastDay) {
    return {"", Flaw::kNotInCalendar};
  }
  return {absl::FormatCivilTime(civil)};
}

Tidied MonthOf(int year, int month) {
  if (month < 1 || month > 12 || year < kFirstDay.year() || year > kLastDay.year()) {
    return {"", Flaw::kNotInCalendar};
  }
  return {absl::StrFormat("%04d-%02d", year, month)};
}

// As spreadsheets take a year of two digits.
int WholeYear(int year) { return year < 30 ? 2000 + year : 1900 + year; }

// "2-Jan-90", "2 January 1990", "Jan-90".
Tidied DateInEnglish(const std::vector<absl::string_view>& parts) {
  const Tidied not_understood = {"", Flaw::kNotUnderstood};
  if (parts.size() != 2 && parts.size() != 3) return not_understood;
  const int month = MonthFrom(parts[parts.size() - 2]);
  int year = 0;
  int day = 0;
  const absl::string_view year_text = parts.back();
  if (month == 0 || !AllDigits(year_text) || !absl::SimpleAtoi(year_text, &year)) {
    return not_understood;
  }
  if (year_text.size() != 2 && year_text.size() != 4) return not_understood;
  if (year_text.size() == 2) year = WholeYear(year);
  if (parts.size() == 2) return MonthOf(year, month);
  if (!AllDigits(parts[0]) || !absl::SimpleAtoi(parts[0], &day)) return not_understood;
  return DayOf(year, month, day);
}

// 19900102, 199001, 32875, 1990.
Tidied DateInDigits(absl::string_view digits, bool from_1904) {
  int number = 0;
  if (digits.size() > 8 || !absl::SimpleAtoi(digits, &number)) return {"", Flaw::kNotUnderstood};
  switch (digits.size()) {
    case 8:
      return DayOf(number / 10'000, number / 100 % 100, number % 100);
    case 6:
      return MonthOf(number / 100, number % 100);
    case 5: {  // the day's number in a spreadsheet
      const std::string day = DayOfNumber(number, Shown::kDay, from_1904);
      return day.empty() ? Tidied{"", Flaw::kNotUnderstood} : Tidied{day};
    }
    case 4:
      return {"", number >= kFirstDay.year() && number <= kLastDay.year() ? Flaw::kOnlyYear
                                                                          : Flaw::kNotUnderstood};
    default:
      return {"", Flaw::kNotUnderstood};
  }
}

// ---- Numbers ----

// As a spreadsheet writes text that looks like a number: ="0123", or 'with an apostrophe.
std::string Unwrapped(absl::string_view text) {
  std::string narrow = Narrow(text);
  absl::string_view inner = absl::StripAsciiWhitespace(narrow);
  if (absl::ConsumePrefix(&inner, "=\"")) absl::ConsumeSuffix(&inner, "\"");
  for (const absl::string_view mark : {"'", "‘", "’", "`", "′", "\""}) {
    while (absl::ConsumePrefix(&inner, mark)) continue;
    while (absl::ConsumeSuffix(&inner, mark)) continue;
  }
  return std::string(absl::StripAsciiWhitespace(inner));
}

// A long number that a spreadsheet took for a quantity: 1.1E+17.
bool IsRounded(absl::string_view text) {
  double value = 0;
  return !text.empty() && absl::ascii_isdigit(text[0]) &&
         text.find_first_of("Ee") != absl::string_view::npos && absl::SimpleAtod(text, &value);
}

// One telephone, "" where it is none.
std::string OnePhone(absl::string_view text) {
  std::string phone;
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (absl::ascii_isdigit(c)) {
      digits.push_back(c);
      phone.push_back(c);
    } else if (c == '+' && phone.empty()) {
      phone.push_back(c);
    } else if (c == '-' || c == '(' || c == ')' || c == ' ') {
      const bool has = !phone.empty() && phone.back() != '-' && phone != "+";
      if (c != '(' && c != ' ' && has) phone.push_back('-');
    } else {
      return "";
    }
  }
  if (!phone.empty() && phone.back() == '-') phone.pop_back();
  for (const absl::string_view country : {"+86-", "+86", "0086"}) {
    if (!absl::StartsWith(phone, country)) continue;
    phone = phone.substr(country.size());
    digits = digits.substr(country == "0086" ? 4 : 2);
    break;
  }
  if (digits.size() < 5 || digits.size() > 20) return "";
  // A mobile one is one number, however it is grouped.
  return digits.size() == 11 && digits[0] == '1' ? digits : phone;
}

// With its extension: 0571-88000005转8.
std::string PhoneWithExtension(absl::string_view text) {
  for (const absl::string_view word : {"转", "ext.", "ext", "#"}) {
    const size_t at = text.find(word);
    if (at == absl::string_view::npos) continue;
    const std::string phone = OnePhone(Trim(text.substr(0, at)));
    absl::string_view extension = text.substr(at + word.size());
    absl::ConsumePrefix(&extension, "分机");
    extension = Trim(extension);
    if (phone.empty() || !AllDigits(extension) || extension.size() > 6) return "";
    return absl::StrCat(phone, "转", extension);
  }
  return OnePhone(text);
}

// "" where one of them is none.
std::string SeveralPhones(absl::string_view listed, char separator) {
  std::vector<std::string> phones;
  for (const absl::string_view part : absl::StrSplit(listed, separator, absl::SkipWhitespace())) {
    phones.push_back(PhoneWithExtension(Trim(part)));
    if (phones.back().empty()) return "";
  }
  return absl::StrJoin(phones, " / ");
}

// ---- Names ----

// 汉字, their radicals and what stands among them.
bool IsHan(UChar32 c) { return u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) != 0; }

bool IsNameDot(UChar32 c) {
  switch (c) {
    case 0xB7:    // ·
    case 0x2022:  // •
    case 0x2027:  // ‧
    case 0x2219:  // ∙
    case 0x22C5:  // ⋅
    case 0x30FB:  // ・
    case 0xFF65:  // ･
    case 0x25CF:  // ●
    case 0x2E:    // . and ．
    case 0x3002:  // 。
      return true;
    default:
      return false;
  }
}

std::vector<UChar32> CodePointsOf(absl::string_view text) {
  std::vector<UChar32> points;
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t at = 0; at < size;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(text.data(), at, size, c);
    points.push_back(c);
  }
  return points;
}

std::string Utf8Of(const std::vector<UChar32>& points) {
  std::string text;
  for (const UChar32 c : points) {
    char bytes[U8_MAX_LENGTH];
    int32_t size = 0;
    U8_APPEND_UNSAFE(bytes, size, c);
    text.append(bytes, size);
  }
  return text;
}

}  // namespace

Tidied TidyDate(absl::string_view text, bool from_1904) {
  std::string tidy = WithDigits(WithoutClock(Unwrapped(text)));
  tidy = absl::StrReplaceAll(tidy, {{"年", "-"},
                                    {"月", "-"},
                                    {"日", ""},
                                    {"号", ""},
                                    {"/", "-"},
                                    {"\\", "-"},
                                    {"、", "-"},
                                    {"。", "-"},
                                    {"·", "-"},
                                    {",", "-"},
                                    {"—", "-"},
                                    {"–", "-"},
                                    {"−", "-"},
                                    {" ", ""}});
  if (IsRounded(tidy)) return {"", Flaw::kRounded};
  if (AllDigits(tidy)) return DateInDigits(tidy, from_1904);
  // A date that a spreadsheet shows as a quantity: 19900102.0
  const bool dotted = tidy.find('.') != std::string::npos && tidy.find('-') == std::string::npos;
  if (dotted && tidy.size() == 6 && tidy[4] == '.' && tidy[5] == '1') return {"", Flaw::kLostZero};
  std::replace(tidy.begin(), tidy.end(), '.', '-');
  // 2008年7月 ends in a dash.
  const absl::string_view whole = absl::StripSuffix(tidy, "-");
  const std::vector<absl::string_view> parts = absl::StrSplit(whole, '-');
  if (parts.size() == 1 && AllDigits(parts[0]) && parts[0].size() == 4) {
    return DateInDigits(parts[0], from_1904);  // 1990年
  }
  if (parts.size() < 2 || parts.size() > 3) return {"", Flaw::kNotUnderstood};
  std::array<int, 3> numbers = {0, 0, 0};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!AllDigits(parts[i]) || (i > 0 && parts[i].size() > 2)) return DateInEnglish(parts);
    if (!absl::SimpleAtoi(parts[i], &numbers[i])) return {"", Flaw::kNotUnderstood};
  }
  // Two digits are a year where they can be no day; 08-7-1 may be either.
  constexpr int kDaysMax = 31;
  if (parts[0].size() == 2 && numbers[0] > kDaysMax) {
    numbers[0] = WholeYear(numbers[0]);
  } else if (parts[0].size() != 4) {
    return {"", Flaw::kNotUnderstood};
  }
  return parts.size() == 2 ? MonthOf(numbers[0], numbers[1])
                           : DayOf(numbers[0], numbers[1], numbers[2]);
}

Tidied TidyPhone(absl::string_view text) {
  const std::string tidy = Unwrapped(text);
  if (IsRounded(tidy)) return {"", Flaw::kRounded};
  if (const std::string one = PhoneWithExtension(tidy); !one.empty()) return {one};
  const std::string listed = absl::StrReplaceAll(
      tidy,
      {{"、", "/"}, {",", "/"}, {";", "/"}, {"\n", "/"}, {"\r", ""}, {"或", "/"}, {"|", "/"}});
  // Between two of them there may be no more than a space.
  for (const char separator : {'/', ' '}) {
    if (const std::string several = SeveralPhones(listed, separator); !several.empty()) {
      return {several};
    }
  }
  return {"", Flaw::kNotUnderstood};
}

Tidied TidyIdentityNumber(absl::string_view text) {
  const std::string unwrapped = Unwrapped(text);
  if (IsRounded(unwrapped)) return {"", Flaw::kRounded};
  // Х of Cyrillic and Χ of Greek look like X, and so does ×.
  std::string number = absl::StrReplaceAll(unwrapped, {{" ", ""},
                                                       {"-", ""},
                                                       {"\n", ""},
                                                       {"\r", ""},
                                                       {"Х", "X"},
                                                       {"х", "X"},
                                                       {"Χ", "X"},
                                                       {"χ", "X"},
                                                       {"×", "X"},
                                                       {"*", "X"}});
  absl::AsciiStrToUpper(&number);
  if (AllDigits(number) && number.size() == 15) return {"", Flaw::kOldNumber};
  if (number.size() != 18) return {"", Flaw::kWrongLength};
  if (!AllDigits(absl::string_view(number).substr(0, 17))) return {"", Flaw::kWrongCheck};
  // A spreadsheet keeps 15 digits. One right number in a thousand ends so as well: it is refused
  // with them, since what that costs is a question, and the other way another's number.
  if (absl::EndsWith(number, "000")) return {"", Flaw::kRounded};
  if (!IsIdentityNumber(number)) return {"", Flaw::kWrongCheck};
  return {number};
}

Tidied TidyName(absl::string_view text) {
  std::vector<UChar32> points = CodePointsOf(Unwrapped(text));
  const bool han = std::any_of(points.begin(), points.end(), IsHan);
  const bool latin = std::any_of(points.begin(), points.end(), [](UChar32 c) {
    return c < 0x80 && absl::ascii_isalpha(static_cast<unsigned char>(c));
  });
  Tidied tidied;
  std::vector<UChar32> name;
  for (size_t i = 0; i < points.size(); ++i) {
    const UChar32 c = points[i];
    if (c == '?' || c == 0xFFFD) return {"", Flaw::kLostCharacter};
    const bool space = c == ' ' || c == '\n' || c == '\r';
    if (space) {
      // 李 明 is spaced to be as wide as 欧阳娜; words of Latin letters keep one space.
      if (latin && !name.empty() && name.back() != ' ') name.push_back(' ');
    } else if (c == '*' || c == 0x203B || c == 0x2605 || c == 0x25B2) {  // ※ ★ ▲
      tidied.flaw = Flaw::kMarkLeftOut;
    } else if (IsNameDot(c) && han && !latin) {
      name.push_back(0xB7);
    } else if (han && (c == '(' || c == ')')) {
      name.push_back(c == '(' ? 0xFF08 : 0xFF09);
    } else {
      name.push_back(c);
    }
  }
  while (!name.empty() && (name.back() == ' ' || name.back() == 0xB7)) name.pop_back();
  tidied.value = Utf8Of(name);
  return tidied;
}

std::string TidyText(absl::string_view text) {
  std::string tidy;
  for (const UChar32 c : CodePointsOf(Trim(text))) {
    const bool no_room = c == 0xFEFF || (c >= 0x200B && c <= 0x200F);
    if (!no_room) absl::StrAppend(&tidy, Utf8Of({c == 0xA0 ? ' ' : c}));
  }
  absl::string_view inner = tidy;
  if (absl::ConsumePrefix(&inner, "=\"")) absl::ConsumeSuffix(&inner, "\"");
  return std::string(Trim(inner));
}

std::string LikenessOf(absl::string_view name) {
  std::string like = FoldHeading(TidyName(name).value);
  like = absl::StrReplaceAll(
      like, {{"支部委员会", "支部"}, {"中国共产党", ""}, {"(", ""}, {")", ""}, {"·", ""}});
  like = absl::StrReplaceAll(like, {{"党支部", "支部"}, {"党总支部", "总支"}, {"党总支", "总支"}});
  return std::string(absl::StripPrefix(like, "中共"));
}

Member::Sex SexFrom(absl::string_view text) {
  static const auto& words = *new Dictionary<Member::Sex>({{"男性", Member::MALE},
                                                           {"女性", Member::FEMALE},
                                                           {"m", Member::MALE},
                                                           {"f", Member::FEMALE},
                                                           {"1", Member::MALE},
                                                           {"2", Member::FEMALE},
                                                           {"9", Member::NOT_STATED}});
  return words.Find(text);
}

Member::Status StatusFrom(absl::string_view text) {
  static const auto& words = *new Dictionary<Member::Status>({{"在册", Member::ACTIVE},
                                                              {"流出", Member::AWAY},
                                                              {"外出", Member::AWAY},
                                                              {"流动党员", Member::AWAY},
                                                              {"失联", Member::OUT_OF_CONTACT},
                                                              {"转出", Member::LEFT}});
  return words.Find(text);
}

Standing StandingFrom(absl::string_view text) {
  static const auto& stages = *new Dictionary<Member::Stage>({{"党员", Member::FULL},
                                                              {"正式", Member::FULL},
                                                              {"预备", Member::PROBATIONARY},
                                                              {"积极分子", Member::ACTIVIST},
                                                              {"申请人", Member::APPLICANT}});
  static const auto& memberships =
      *new Dictionary<Member::Membership>({{"停止党籍", Member::SUSPENDED},
                                           {"已停止党籍", Member::SUSPENDED},
                                           {"停止党籍党员", Member::SUSPENDED}});
  Standing standing;
  std::string word = FoldHeading(text);
  for (const absl::string_view addition : {"(流动)", "(流动党员)", "(外出)", "(流出)"}) {
    if (!absl::StrContains(word, addition)) continue;
    standing.migrant = true;
    word = absl::StrReplaceAll(word, {{addition, ""}});
  }
  const absl::string_view plain = absl::StripPrefix(word, "中共");
  standing.stage = stages.Find(plain);
  if (standing.stage == Member::STAGE_UNSPECIFIED) {
    standing.membership = memberships.Find(plain);
    // Those whose membership is at rest were members in full.
    if (standing.membership == Member::SUSPENDED) standing.stage = Member::FULL;
    if (plain == "流动党员") {
      standing.stage = Member::FULL;
      standing.migrant = true;
    }
  }
  standing.understood = standing.stage != Member::STAGE_UNSPECIFIED;
  return standing;
}

Organisation::Kind KindFrom(absl::string_view text) {
  static const auto& words =
      *new Dictionary<Organisation::Kind>({{"党委", Organisation::COMMITTEE},
                                           {"总支", Organisation::GENERAL_BRANCH},
                                           {"支部", Organisation::BRANCH},
                                           {"联合支部", Organisation::JOINT_BRANCH},
                                           {"临时支部", Organisation::TEMPORARY_BRANCH},
                                           {"流动支部", Organisation::MIGRANT_BRANCH}});
  return words.Find(text);
}

Member::Sex SexBy(absl::string_view identity_number) {
  return (identity_number[16] - '0') % 2 == 1 ? Member::MALE : Member::FEMALE;
}

}  // namespace zhibu
