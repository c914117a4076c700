#include "sync/base/identity_number.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sync/base/date.h"

namespace zhibu {

bool IsIdentityNumber(absl::string_view text) {
  constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  if (text.size() != 18 || !std::all_of(text.begin(), text.end() - 1, absl::ascii_isdigit)) {
    return false;
  }
  int sum = 0;
  for (size_t i = 0; i < 17; ++i) sum += kWeights[i] * (text[i] - '0');
  return text[17] == "10X98765432"[sum % 11] && !BornBy(text).empty();
}

std::string BornBy(absl::string_view identity_number) {
  const std::string day =
      absl::StrCat(identity_number.substr(6, 4), "-", identity_number.substr(10, 2), "-",
                   identity_number.substr(12, 2));
  return IsDate(day) ? day : "";
}

}  // namespace zhibu
