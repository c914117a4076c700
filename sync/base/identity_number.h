// Identity numbers (居民身份证号, GB 11643): region (6), date of birth (8), sequence (3, odd for
// men), and a check character by ISO 7064.
#ifndef ZHIBU_SYNC_BASE_IDENTITY_NUMBER_H_
#define ZHIBU_SYNC_BASE_IDENTITY_NUMBER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace zhibu {

// In its one form: 18 characters, the last a digit or X, with the right check character and a day
// that there is.
bool IsIdentityNumber(absl::string_view text);

// The day of birth that the 18 characters name: "1949-12-31"; empty where that is no day.
std::string BornBy(absl::string_view identity_number);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_BASE_IDENTITY_NUMBER_H_
