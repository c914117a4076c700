#include "sync/rules/cel/literal.h"

#include <cmath>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/rules/cel/utf8.h"

namespace zhibu::cel {
namespace {

// What one letter after a backslash stands for; 0: it stands for nothing by itself.
char Plain(char letter) {
  constexpr absl::string_view kLetters = "abfnrtv\\?\"'`";
  constexpr absl::string_view kMeant = "\a\b\f\n\r\t\v\\?\"'`";
  const size_t found = kLetters.find(letter);
  return found == absl::string_view::npos ? '\0' : kMeant[found];
}

int Digit(char byte) {
  if (absl::ascii_isdigit(byte)) return byte - '0';
  return absl::ascii_isxdigit(byte) ? absl::ascii_tolower(byte) - 'a' + 10 : 16;
}

std::optional<uint32_t> Number(absl::string_view digits, size_t count, int base) {
  if (digits.size() < count) return std::nullopt;
  uint32_t number = 0;
  for (const char digit : digits.substr(0, count)) {
    if (Digit(digit) >= base) return std::nullopt;
    number = number * static_cast<uint32_t>(base) + static_cast<uint32_t>(Digit(digit));
  }
  return number;
}

class Unescaper {
 public:
  Unescaper(absl::string_view body, bool is_bytes) : rest_(body), is_bytes_(is_bytes) {}

  // False at an escape that is none.
  bool Run(std::string* value) {
    while (!rest_.empty()) {
      const size_t plain = std::min(rest_.find('\\'), rest_.size());
      value->append(rest_.data(), plain);
      rest_.remove_prefix(plain);
      if (!rest_.empty() && !Escape(value)) return false;
    }
    return true;
  }

 private:
  bool Escape(std::string* value) {
    const char letter = rest_[1];
    if (const char plain = Plain(letter); plain != '\0') {
      value->push_back(plain);
      rest_.remove_prefix(2);
      return true;
    }
    switch (letter) {
      case 'x':
      case 'X':
        return Code(2, 2, 16, value);
      case 'u':
        return !is_bytes_ && Code(2, 4, 16, value);
      case 'U':
        return !is_bytes_ && Code(2, 8, 16, value);
      default:
        return letter >= '0' && letter <= '3' && Code(1, 3, 8, value);
    }
  }

  bool Code(size_t from, size_t digits, int base, std::string* value) {
    const std::optional<uint32_t> code = Number(rest_.substr(from), digits, base);
    if (!code.has_value() || !IsCharacter(*code)) return false;
    if (is_bytes_) {
      value->push_back(static_cast<char>(*code));
    } else {
      AppendCharacter(*code, value);
    }
    rest_.remove_prefix(from + digits);
    return true;
  }

  absl::string_view rest_;
  const bool is_bytes_;
};

// Where the closing quote begins; npos where there is none.
size_t Close(absl::string_view body, absl::string_view quote, bool raw) {
  for (size_t i = 0; i < body.size(); ++i) {
    if (absl::StartsWith(body.substr(i), quote)) return i;
    if (quote.size() == 1 && absl::StrContains("\r\n", body[i])) break;
    if (!raw && body[i] == '\\') ++i;
  }
  return absl::string_view::npos;
}

absl::StatusOr<Value> ReadDouble(const Token& token, bool negative) {
  double number = 0;
  if (!absl::SimpleAtod(token.text, &number) || std::isinf(number)) {
    return ErrorAt(token.at, absl::StrCat(token.text, " is too large a number"));
  }
  return Value::Double(negative ? -number : number);
}

}  // namespace

size_t TextPrefix(absl::string_view source) {
  size_t prefix = 0;
  if (prefix < source.size() && absl::StrContains("bB", source[prefix])) ++prefix;
  if (prefix < source.size() && absl::StrContains("rR", source[prefix])) ++prefix;
  const bool quoted = prefix < source.size() && absl::StrContains("'\"", source[prefix]);
  return quoted ? prefix : absl::string_view::npos;
}

absl::StatusOr<TextLiteral> ReadTextLiteral(absl::string_view source, size_t prefix, Position at) {
  const bool is_bytes = prefix > 0 && absl::StrContains("bB", source[0]);
  const bool raw = prefix > 0 && absl::StrContains("rR", source[prefix - 1]);
  const std::string thrice(3, source[prefix]);
  const std::string quote =
      absl::StartsWith(source.substr(prefix), thrice) ? thrice : thrice.substr(2);
  const size_t open = prefix + quote.size();
  const size_t close = Close(source.substr(open), quote, raw);
  if (close == absl::string_view::npos) {
    return ErrorAt(at, absl::StrCat("a text is not closed by ", quote));
  }
  TextLiteral literal{is_bytes, "", open + close + quote.size()};
  const absl::string_view body = source.substr(open, close);
  if (raw) {
    literal.value = std::string(body);
  } else if (!Unescaper(body, is_bytes).Run(&literal.value)) {
    return ErrorAt(at, "a text with a \\ before what it cannot stand before");
  }
  return literal;
}

absl::StatusOr<Value> ReadNumberLiteral(const Token& token, bool negative) {
  if (token.kind == Token::Kind::kDouble) return ReadDouble(token, negative);
  uint64_t number = 0;
  const bool read = absl::StartsWithIgnoreCase(token.text, "0x")
                        ? absl::SimpleHexAtoi(token.text, &number)
                        : absl::SimpleAtoi(token.text, &number);
  const bool is_uint = token.kind == Token::Kind::kUint;
  const uint64_t most = is_uint ? UINT64_MAX : uint64_t{INT64_MAX} + (negative ? 1 : 0);
  if (!read || number > most) {
    return ErrorAt(token.at, absl::StrCat(token.text, " is too large a number"));
  }
  if (is_uint) return Value::Uint(number);
  return Value::Int(static_cast<int64_t>(negative ? 0 - number : number));
}

}  // namespace zhibu::cel
