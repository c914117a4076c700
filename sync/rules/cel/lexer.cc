#include "sync/rules/cel/lexer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/rules/cel/literal.h"
#include "sync/rules/cel/utf8.h"

namespace zhibu::cel {
namespace {

bool BeginsName(char byte) { return absl::ascii_isalpha(byte) || byte == '_'; }
bool IsInName(char byte) { return absl::ascii_isalnum(byte) || byte == '_'; }
bool IsInQuotedName(char byte) { return IsInName(byte) || absl::StrContains(".-/ ", byte); }

class Lexer {
 public:
  explicit Lexer(absl::string_view source) : rest_(source) {}

  absl::StatusOr<std::vector<Token>> ReadAll() {
    while (true) {
      SkipBlank();
      token_ = {Token::Kind::kEnd, at_, ""};
      if (rest_.empty()) break;
      RETURN_IF_ERROR(ReadOne());
      tokens_.push_back(token_);
    }
    tokens_.push_back(token_);
    return std::move(tokens_);
  }

 private:
  absl::string_view Take(size_t bytes) {
    const absl::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    for (size_t newline; (newline = line_.find('\n')) < bytes; bytes -= newline + 1) {
      line_.remove_prefix(newline + 1);
      at_ = {at_.line + 1, 1};
    }
    at_.column += static_cast<uint32_t>(CountCharacters(line_.substr(0, bytes)));
    line_.remove_prefix(bytes);
    return taken;
  }

  template <typename Predicate>
  size_t Count(size_t from, Predicate predicate) const {
    const auto begin = rest_.begin() + static_cast<std::ptrdiff_t>(std::min(from, rest_.size()));
    return static_cast<size_t>(std::find_if_not(begin, rest_.end(), predicate) - begin);
  }

  void SkipBlank() {
    while (!rest_.empty()) {
      if (absl::StartsWith(rest_, "//")) {
        Take(std::min(rest_.find('\n'), rest_.size()));
      } else if (absl::StrContains(" \t\r\n\f", rest_[0])) {
        Take(1);
      } else {
        return;
      }
    }
  }

  absl::Status ReadOne() {
    if (const size_t prefix = TextPrefix(rest_); prefix != absl::string_view::npos) {
      return ReadText(prefix);
    }
    if (BeginsName(rest_[0])) return Put(Token::Kind::kName, Count(0, IsInName));
    if (rest_[0] == '`') return ReadQuotedName();
    if (absl::ascii_isdigit(rest_[0]) ||
        (rest_[0] == '.' && rest_.size() > 1 && absl::ascii_isdigit(rest_[1]))) {
      return ReadNumber();
    }
    return ReadSign();
  }

  absl::Status Put(Token::Kind kind, size_t bytes) {
    token_.kind = kind;
    token_.text = std::string(Take(bytes));
    return absl::OkStatus();
  }

  absl::Status ReadText(size_t prefix) {
    ASSIGN_OR_RETURN(const TextLiteral literal, ReadTextLiteral(rest_, prefix, at_));
    token_.kind = literal.is_bytes ? Token::Kind::kBytes : Token::Kind::kString;
    token_.text = literal.value;
    Take(literal.length);
    return absl::OkStatus();
  }

  absl::Status ReadQuotedName() {
    const size_t length = Count(1, IsInQuotedName);
    if (length == 0 || rest_.size() < length + 2 || rest_[length + 1] != '`') {
      return ErrorAt(at_,
                     "a name in ` has letters, digits, and . - / _ or blanks, and ends with `");
    }
    Take(1);
    const absl::Status status = Put(Token::Kind::kQuotedName, length);
    Take(1);
    return status;
  }

  absl::Status ReadNumber() {
    if (absl::StartsWithIgnoreCase(rest_, "0x") && Count(2, absl::ascii_isxdigit) > 0) {
      return ReadWhole(2 + Count(2, absl::ascii_isxdigit));
    }
    const size_t whole = Count(0, absl::ascii_isdigit);
    size_t length = whole;
    if (length < rest_.size() && rest_[length] == '.') {
      const size_t fraction = Count(length + 1, absl::ascii_isdigit);
      if (fraction > 0) length += 1 + fraction;
    }
    length += Exponent(length);
    if (length > whole) return Put(Token::Kind::kDouble, length);
    return ReadWhole(whole);
  }

  // Bytes of an exponent that begins at `from`.
  size_t Exponent(size_t from) const {
    if (from >= rest_.size() || !absl::StrContains("eE", rest_[from])) return 0;
    const size_t sign = from + 1 < rest_.size() && absl::StrContains("+-", rest_[from + 1]) ? 1 : 0;
    const size_t digits = Count(from + 1 + sign, absl::ascii_isdigit);
    return digits == 0 ? 0 : 1 + sign + digits;
  }

  absl::Status ReadWhole(size_t length) {
    const bool is_uint = length < rest_.size() && absl::StrContains("uU", rest_[length]);
    const absl::Status status = Put(is_uint ? Token::Kind::kUint : Token::Kind::kInt, length);
    if (is_uint) Take(1);
    return status;
  }

  absl::Status ReadSign() {
    for (const absl::string_view sign : {"&&", "||", "==", "!=", "<=", ">="}) {
      if (absl::StartsWith(rest_, sign)) return Put(Token::Kind::kSign, 2);
    }
    if (absl::StrContains("()[]{}.,?:+-*/%!<>", rest_[0])) return Put(Token::Kind::kSign, 1);
    const size_t bytes = 1 + Count(1, [](char byte) { return (byte & 0xc0) == 0x80; });
    return ErrorAt(at_, absl::StrCat("'", rest_.substr(0, bytes), "' cannot stand here"));
  }

  absl::string_view rest_;
  absl::string_view line_ = rest_;
  Position at_{1, 1};
  Token token_;
  std::vector<Token> tokens_;
};

}  // namespace

absl::StatusOr<std::vector<Token>> Tokens(absl::string_view source) {
  return Lexer(source).ReadAll();
}

}  // namespace zhibu::cel
