// What the year cannot go on without. The first that is not so ends the program, and says what.
#ifndef ZHIBU_TESTS_DEMO_YEAR_MUST_H_
#define ZHIBU_TESTS_DEMO_YEAR_MUST_H_

#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zhibu::year {

inline void Check(bool so, absl::string_view what) {
  if (so) return;
  std::cerr << "年 the year FAILED: " << what << std::endl;
  std::_Exit(1);  // a server is running, with threads of its own
}
inline void Check(const absl::Status& status, absl::string_view what) {
  if (!status.ok()) std::cerr << status << std::endl;
  Check(status.ok(), what);
}
template <typename T>
T Must(absl::StatusOr<T> result, absl::string_view what) {
  Check(result.status(), what);
  return *std::move(result);
}

}  // namespace zhibu::year

#endif  // ZHIBU_TESTS_DEMO_YEAR_MUST_H_
