#include "sync/rules/book/compiling.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/base/status.h"

namespace zhibu::rules {

absl::Status Compiling::Wrong(absl::string_view field, absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(key_, ": ", field, ": ", what));
}

absl::Status Compiling::Compile(const cel::Environment& environment, absl::string_view field,
                                const std::string& source, const cel::Type& type,
                                std::optional<cel::Program>* program) const {
  if (source.empty()) return absl::OkStatus();
  absl::StatusOr<cel::Program> compiled = patterns_ == nullptr
                                              ? environment.Compile(source, type)
                                              : environment.Compile(source, type, patterns_);
  if (!compiled.ok()) return Wrong(field, compiled.status().message());
  *program = *std::move(compiled);
  return absl::OkStatus();
}

absl::Status Compiling::CompileDay(const cel::Environment& environment, absl::string_view field,
                                   const std::string& source,
                                   std::optional<cel::Program>* program) const {
  RETURN_IF_ERROR(Compile(environment, field, source, cel::Type::Dyn(), program));
  if (!*program) return absl::OkStatus();
  const cel::Type& type = (*program)->type();
  const bool day = type.is(cel::Kind::kTimestamp) || type.is(cel::Kind::kString);
  return day ? absl::OkStatus() : Wrong(field, absl::StrCat("it is ", type.ToText(), ", no day"));
}

absl::Status Compiling::CheckInBoth(absl::string_view field, const zhibu::Words& words) const {
  const bool both = !words.zh().empty() && !words.en().empty();
  return both ? absl::OkStatus() : Wrong(field, "it is to be said in both languages");
}

absl::Status Compiling::CheckSource(const std::string& source,
                                    rules::v1::Certainty certainty) const {
  if (source.empty()) return Wrong("source", "it is to be said");
  if (certainty != rules::v1::CERTAINTY_UNSPECIFIED) return absl::OkStatus();
  return Wrong("certainty", "it is to be said: SURE, LIKELY or LOCAL");
}

absl::Status Compiling::CheckDay(absl::string_view field, const std::string& day) const {
  return day.empty() || DayFrom(day) ? absl::OkStatus() : Wrong(field, "it is no day");
}

}  // namespace zhibu::rules
