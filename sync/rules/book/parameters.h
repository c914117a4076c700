// The parameters of the rule book, each in force from a day.
//
//   in force on a day = of the rows with that key, the one with the latest `from` not after it
#ifndef ZHIBU_SYNC_RULES_BOOK_PARAMETERS_H_
#define ZHIBU_SYNC_RULES_BOOK_PARAMETERS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "zhibu/rules/v1/rules.pb.h"

namespace zhibu::rules {

class Parameters {
 public:
  // INVALID_ARGUMENT names the parameter: no key, a day that is none, two in force from one day.
  absl::Status Add(const rules::v1::Parameter& parameter);

  bool Knows(absl::string_view key) const;
  // Null: there was none on that day.
  const rules::v1::Parameter* InForce(absl::string_view key, absl::CivilDay on) const;
  // Every row, those that are not in force as well, by key and day.
  std::vector<rules::v1::Parameter> All() const;

 private:
  std::map<std::string, std::map<absl::CivilDay, rules::v1::Parameter>, std::less<>> in_force_;
  std::vector<rules::v1::Parameter> others_;
};

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_PARAMETERS_H_
