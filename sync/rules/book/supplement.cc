#include "sync/rules/book/supplement.h"

#include <google/protobuf/message.h>

#include <list>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/rules/cel/limits.h"

namespace zhibu::rules {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
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

// What of a field of text or of messages is held, one by one.
template <typename Check>
absl::Status CheckEach(const Message& message, const FieldDescriptor& field, const Check& check) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) return check(reflection, message, -1);
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    RETURN_IF_ERROR(check(reflection, message, i));
  }
  return absl::OkStatus();
}

absl::Status CheckTexts(const Message& message);

absl::Status CheckText(const FieldDescriptor& field, const std::string& text) {
  if (IsUtf8(text) && !FirstHidden(text, /*one_line=*/false)) return absl::OkStatus();
  return Wrong(absl::StrCat(field.name(), " is no text"));
}

absl::Status CheckTextsIn(const Message& message, const FieldDescriptor& field) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    return CheckEach(message, field, [&](const auto& reflection, const Message& of, int i) {
      return CheckText(field, i < 0 ? reflection.GetString(of, &field)
                                    : reflection.GetRepeatedString(of, &field, i));
    });
  }
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return absl::OkStatus();
  return CheckEach(message, field, [&](const auto& reflection, const Message& of, int i) {
    return CheckTexts(i < 0 ? reflection.GetMessage(of, &field)
                            : reflection.GetRepeatedMessage(of, &field, i));
  });
}

// Words go into messages that travel, which hold UTF-8 only, and onto screens.
absl::Status CheckTexts(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) RETURN_IF_ERROR(CheckTextsIn(message, *field));
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
  RETURN_IF_ERROR(CheckTexts(parsed));
  ASSIGN_OR_RETURN(std::unique_ptr<const Book> book,
                   Book::CompileBeside(ShippedBook(), file, *CatalogueSchema()));
  if (!book->unknown().empty()) return Wrong(book->unknown().front());
  return BookPtr(std::move(book));
}

// By their text. What is asked for again and again is compiled once.
class Compiled {
 public:
  absl::StatusOr<BookPtr> Of(const std::string& text) {
    if (BookPtr book = Find(text); book != nullptr) return book;
    ASSIGN_OR_RETURN(BookPtr book, Compile(text));
    Keep(text, book);
    return book;
  }

 private:
  // Of their texts. Compiled, one takes up to some hundred times as much.
  static constexpr size_t kKeptBytesMax = size_t{512} * 1024;

  struct Kept {
    std::string text;
    BookPtr book;
  };
  using Books = std::list<Kept>;  // what was asked for last stands first

  BookPtr Find(const std::string& text) {
    absl::MutexLock lock(&mutex_);
    const auto found = by_text_.find(text);
    if (found == by_text_.end()) return nullptr;
    books_.splice(books_.begin(), books_, found->second);
    return found->second->book;
  }

  void Keep(const std::string& text, const BookPtr& book) {
    absl::MutexLock lock(&mutex_);
    if (by_text_.contains(text)) return;  // another thread was faster
    books_.push_front({text, book});
    by_text_.emplace(books_.front().text, books_.begin());
    bytes_ += text.size();
    while (bytes_ > kKeptBytesMax) DropLast();
  }

  void DropLast() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    bytes_ -= books_.back().text.size();
    by_text_.erase(books_.back().text);
    books_.pop_back();
  }

  absl::Mutex mutex_;
  Books books_ ABSL_GUARDED_BY(mutex_);
  // By what the list holds.
  absl::flat_hash_map<absl::string_view, Books::iterator> by_text_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

absl::StatusOr<BookPtr> CompileSupplement(const std::string& text) {
  if (text.size() > cel::kSourceBytesMax) return Wrong("it is too long");
  static auto* const compiled = new Compiled();
  return compiled->Of(text);
}

}  // namespace zhibu::rules
