#include "sync/rules/book/parameters.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"

namespace zhibu::rules {

using rules::v1::Parameter;

absl::Status Parameters::Add(const Parameter& parameter) {
  const auto wrong = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("parameter ", parameter.key(), ": ", what));
  };
  if (parameter.key().empty()) return wrong("it has no key");
  std::optional<absl::CivilDay> from = absl::CivilDay::min();
  if (!parameter.from().empty()) from = DayFrom(parameter.from());
  if (!from) return wrong("`from` is no day");
  if (parameter.not_in_force()) {
    others_.push_back(parameter);
    return absl::OkStatus();
  }
  const bool fresh = in_force_[parameter.key()].emplace(*from, parameter).second;
  return fresh ? absl::OkStatus() : wrong("two are in force from one day");
}

bool Parameters::Knows(absl::string_view key) const { return in_force_.count(key) > 0; }

const Parameter* Parameters::InForce(absl::string_view key, absl::CivilDay on) const {
  const auto rows = in_force_.find(key);
  if (rows == in_force_.end()) return nullptr;
  const auto later = rows->second.upper_bound(on);
  return later == rows->second.begin() ? nullptr : &std::prev(later)->second;
}

std::vector<Parameter> Parameters::All() const {
  std::vector<Parameter> all = others_;
  for (const auto& [key, rows] : in_force_) {
    for (const auto& [from, parameter] : rows) all.push_back(parameter);
  }
  std::stable_sort(all.begin(), all.end(), [](const Parameter& a, const Parameter& b) {
    return std::pair(a.key(), a.from()) < std::pair(b.key(), b.from());
  });
  return all;
}

}  // namespace zhibu::rules
