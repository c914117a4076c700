#include "sync/rules/book/supplement.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "sync/base/status.h"

namespace zhibu::rules {
namespace {

using rules::v1::RuleFile;

constexpr char kFile[] = "text";
constexpr char kLocal[] = "local.";

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(kFile, ": ", what));
}

template <typename Rules>
absl::Status CheckKeys(const Rules& rules) {
  for (const auto& rule : rules) {
    if (absl::StartsWith(rule.key(), kLocal)) continue;
    return Wrong(absl::StrCat("the key \"", rule.key(), "\" does not begin with \"", kLocal, "\""));
  }
  return absl::OkStatus();
}

absl::Status CheckShape(const RuleFile& file) {
  RuleFile other = file;
  other.clear_parameter();
  other.clear_obligation();
  other.clear_check();
  if (other.ByteSizeLong() > 0) return Wrong("it holds obligations, checks and parameters only");
  const int rules = file.obligation_size() + file.check_size();
  if (rules == 0) return Wrong("it has no rule");
  if (rules > kSupplementRulesMax) {
    return Wrong(absl::StrCat(rules, " rules > ", kSupplementRulesMax));
  }
  RETURN_IF_ERROR(CheckKeys(file.parameter()));
  RETURN_IF_ERROR(CheckKeys(file.obligation()));
  return CheckKeys(file.check());
}

absl::StatusOr<BookPtr> Compile(const std::string& text) {
  const RuleText file{kFile, text};
  ASSIGN_OR_RETURN(const RuleFile parsed, ParseRules(file));
  RETURN_IF_ERROR(CheckShape(parsed));
  ASSIGN_OR_RETURN(std::unique_ptr<const Book> book,
                   Book::CompileBeside(ShippedBook(), file, *CatalogueSchema()));
  if (!book->unknown().empty()) return Wrong(book->unknown().front());
  return BookPtr(std::move(book));
}

// By their text. What is asked for again and again is compiled once.
class Compiled {
 public:
  absl::StatusOr<BookPtr> Of(const std::string& text) {
    {
      absl::MutexLock lock(&mutex_);
      if (const auto it = books_.find(text); it != books_.end()) return it->second;
    }
    absl::StatusOr<BookPtr> book = Compile(text);
    absl::MutexLock lock(&mutex_);
    if (books_.size() >= kKeptMax) books_.clear();
    books_.emplace(text, book);
    return book;
  }

 private:
  static constexpr size_t kKeptMax = 500;

  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, absl::StatusOr<BookPtr>> books_;
};

}  // namespace

absl::StatusOr<BookPtr> CompileSupplement(const std::string& text) {
  static auto* const compiled = new Compiled();
  return compiled->Of(text);
}

}  // namespace zhibu::rules
