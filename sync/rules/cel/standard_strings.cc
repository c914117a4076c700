// Texts and bytes: +, contains, startsWith, endsWith, matches.
#include <re2/re2.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/rules/cel/limits.h"
#include "sync/rules/cel/standard.h"

namespace zhibu::cel {
namespace {

Value Joined(Call& call) {
  const absl::string_view a = call[0].text(), b = call[1].text();
  if (!call.meter().ChargeBytes(a.size() + b.size())) return Value::Error("too long a text");
  std::string both = absl::StrCat(a, b);
  return call[0].kind() == Kind::kString ? Value::String(std::move(both))
                                         : Value::Bytes(std::move(both));
}

Value Contains(Call& call) {
  const absl::string_view text = call[0].text(), part = call[1].text();
  // What a search costs at worst.
  if (!call.meter().ChargeBytes(text.size() * (1 + part.size() / 64))) return Value::Bool(false);
  return Value::Bool(absl::StrContains(text, part));
}

std::shared_ptr<const RE2> Pattern(absl::string_view pattern) {
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(kPatternMemoryBytesMax);
  return std::make_shared<const RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
}

std::string Wrong(const RE2& pattern) {
  return absl::StrCat("not a regular expression: ", pattern.error());
}

Value Match(const RE2& pattern, Call& call) {
  const absl::string_view text = call[0].text();
  const auto size = static_cast<size_t>(pattern.ProgramSize());
  // At worst each byte meets all of the program.
  if (!call.meter().ChargeBytes(text.size() * (1 + size / 4))) return Value::Bool(false);
  return Value::Bool(RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern));
}

Value Matches(Call& call) {
  constexpr uint64_t kToCompile = 1'000;
  if (!call.meter().Charge(kToCompile + call[1].text().size())) return Value::Bool(false);
  const auto pattern = Pattern(call[1].text());
  return pattern->ok() ? Match(*pattern, call) : Value::Error(Wrong(*pattern));
}

absl::StatusOr<Implementation> CompiledMatches(absl::Span<const Value* const> constants,
                                               Patterns* patterns) {
  if (constants[1] == nullptr || constants[1]->kind() != Kind::kString) {
    return Implementation(Matches);
  }
  const auto pattern = Pattern(constants[1]->text());
  if (!pattern->ok()) return absl::InvalidArgumentError(Wrong(*pattern));
  if (!patterns->Take(static_cast<size_t>(pattern->ProgramSize()))) {
    return absl::InvalidArgumentError("the regular expressions are too large together");
  }
  return [pattern](Call& call) { return Match(*pattern, call); };
}

}  // namespace

void AddStrings(std::vector<Function>* functions) {
  for (const Type& type : {Type::String(), Type::Bytes()}) {
    functions->push_back({"_+_", Style::kGlobal, {type, type}, type, Joined});
  }
  const std::vector<Type> two = {Type::String(), Type::String()};
  functions->push_back({"contains", Style::kReceiver, two, Type::Bool(), Contains});
  functions->push_back({"startsWith", Style::kReceiver, two, Type::Bool(), [](Call& call) {
                          return Value::Bool(absl::StartsWith(call[0].text(), call[1].text()));
                        }});
  functions->push_back({"endsWith", Style::kReceiver, two, Type::Bool(), [](Call& call) {
                          return Value::Bool(absl::EndsWith(call[0].text(), call[1].text()));
                        }});
  for (const Style style : {Style::kReceiver, Style::kGlobal}) {
    functions->push_back({"matches", style, two, Type::Bool(), Matches, CompiledMatches});
  }
}

}  // namespace zhibu::cel
