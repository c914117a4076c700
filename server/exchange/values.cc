#include "server/exchange/values.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "server/exchange/text.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::server {
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
      words_.emplace(Fold(value->name()), number);
      words_.emplace(Fold(value->options().GetExtension(value_label)), number);
    }
    for (const auto& [word, number] : short_forms) words_.emplace(word, number);
  }

  Enum Find(absl::string_view text) const {
    const auto found = words_.find(Fold(text));
    return found == words_.end() ? Enum{} : found->second;
  }

 private:
  absl::flat_hash_map<std::string, Enum> words_;
};

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

}  // namespace

Member::Sex SexFrom(absl::string_view text) {
  static const auto& words = *new Dictionary<Member::Sex>({{"男性", Member::MALE},
                                                           {"女性", Member::FEMALE},
                                                           {"m", Member::MALE},
                                                           {"f", Member::FEMALE}});
  return words.Find(text);
}

Member::Stage StageFrom(absl::string_view text) {
  static const auto& words = *new Dictionary<Member::Stage>({{"党员", Member::FULL},
                                                             {"中共党员", Member::FULL},
                                                             {"正式", Member::FULL},
                                                             {"预备", Member::PROBATIONARY},
                                                             {"中共预备党员", Member::PROBATIONARY},
                                                             {"积极分子", Member::ACTIVIST},
                                                             {"申请人", Member::APPLICANT}});
  return words.Find(text);
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

ParsedDate ParseDate(absl::string_view text) {
  std::string dashed = absl::StrReplaceAll(
      text, {{"年", "-"}, {"月", "-"}, {"日", ""}, {"/", "-"}, {".", "-"}, {" ", ""}});
  if (AllDigits(dashed) && (dashed.size() == 8 || dashed.size() == 6)) {
    if (dashed.size() == 8) dashed.insert(6, "-");
    dashed.insert(4, "-");
  }
  // 2008年7月 ends in a dash.
  const std::vector<absl::string_view> parts = absl::StrSplit(absl::StripSuffix(dashed, "-"), '-');
  std::array<int, 3> numbers = {0, 0, 1};
  if (parts.size() < 2 || parts.size() > 3 || parts[0].size() != 4) return {};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!AllDigits(parts[i]) || (i > 0 && parts[i].size() > 2)) return {};
    if (!absl::SimpleAtoi(parts[i], &numbers[i])) return {};
  }
  // CivilDay turns the 31st of April into the 1st of May.
  const absl::CivilDay day(numbers[0], numbers[1], numbers[2]);
  if (day.month() != numbers[1] || day.day() != numbers[2]) return {};
  if (parts.size() == 2) return {.only_month = true};
  return {.day = absl::FormatCivilTime(day)};
}

bool IsRounded(absl::string_view text) {
  double value = 0;
  return !text.empty() && absl::ascii_isdigit(text[0]) &&
         text.find_first_of("Ee") != absl::string_view::npos && absl::SimpleAtod(text, &value);
}

bool IsPhone(absl::string_view text) {
  const auto digits = std::count_if(text.begin(), text.end(), absl::ascii_isdigit);
  return digits >= 5 && digits <= 20 &&
         text.find_first_not_of("0123456789 +-") == absl::string_view::npos;
}

Member::Sex SexBy(absl::string_view identity_number) {
  return (identity_number[16] - '0') % 2 == 1 ? Member::MALE : Member::FEMALE;
}

}  // namespace zhibu::server
