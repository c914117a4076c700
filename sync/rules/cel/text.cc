#include "sync/rules/cel/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sync/rules/cel/collections.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {
namespace {

// How much of a value is shown, more or less.
constexpr size_t kShownBytesMax = 500;

void AppendEscaped(char byte, bool printable, std::string* text) {
  switch (byte) {
    case '\n':
      *text += "\\n";
      return;
    case '\r':
      *text += "\\r";
      return;
    case '\t':
      *text += "\\t";
      return;
    case '\'':
    case '\\':
      text->push_back('\\');
      break;
    default:
      if (!printable) {
        absl::StrAppendFormat(text, "\\x%02x", static_cast<uint8_t>(byte));
        return;
      }
  }
  text->push_back(byte);
}

std::string DoubleLiteral(double number) {
  std::string text = TextOf(number);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string StringLiteral(absl::string_view text) {
  std::string literal = "'";
  for (const char byte : text) {
    const auto code = static_cast<uint8_t>(byte);
    AppendEscaped(byte, code >= 0x20 && code != 0x7f, &literal);
  }
  return literal + "'";
}

std::string BytesLiteral(absl::string_view bytes) {
  std::string literal = "b'";
  for (const char byte : bytes) {
    const auto code = static_cast<uint8_t>(byte);
    AppendEscaped(byte, code >= 0x20 && code < 0x7f, &literal);
  }
  return literal + "'";
}

// Shows the beginning of what may be endless: lists that share their elements are small in memory
// and not when they are written out.
class Shower {
 public:
  std::string Show(const Value& value) {
    Add(value);
    return std::move(text_);
  }

 private:
  bool is_full() const { return text_.size() >= kShownBytesMax; }

  void Add(const Value& value) {
    switch (value.kind()) {
      case Kind::kString:
        return AddText(value.text(), StringLiteral);
      case Kind::kBytes:
        return AddText(value.text(), BytesLiteral);
      case Kind::kList:
        return AddList(value.list());
      case Kind::kMap:
        return AddMap(value.map());
      case Kind::kMessage:
        return AddMessage(value);
      default:
        text_ += Plain(value);
    }
  }

  // Cut at a character.
  static absl::string_view Cut(absl::string_view text) {
    size_t size = std::min(text.size(), kShownBytesMax);
    while (size > 0 && size < text.size() && (text[size] & 0xc0) == 0x80) --size;
    return text.substr(0, size);
  }

  void AddText(absl::string_view text, std::string (*literal)(absl::string_view)) {
    const absl::string_view cut = Cut(text);
    absl::StrAppend(&text_, literal(cut), cut.size() < text.size() ? "…" : "");
  }

  // False where the rest is left out.
  bool Separate(size_t index) {
    if (index > 0) text_ += ", ";
    if (is_full()) text_ += "…";
    return !is_full();
  }

  void AddList(const List& list) {
    text_ += "[";
    for (size_t i = 0; i < list.size() && Separate(i); ++i) Add(list.At(i));
    text_ += "]";
  }

  void AddMap(const Map& map) {
    text_ += "{";
    for (size_t i = 0; i < map.size() && Separate(i); ++i) {
      Add(map.entries()[i].first);
      text_ += ": ";
      Add(map.entries()[i].second);
    }
    text_ += "}";
  }

  void AddMessage(const Value& value) {
    const std::string shown = value.message().message->ShortDebugString();
    const absl::string_view cut = Cut(shown);
    absl::StrAppend(&text_, value.TypeName(), "{", cut, cut.size() < shown.size() ? "…" : "", "}");
  }

  static std::string Plain(const Value& value) {
    switch (value.kind()) {
      case Kind::kDuration:
        return absl::StrCat("duration('", TextOf(value.duration()), "')");
      case Kind::kTimestamp:
        return absl::StrCat("timestamp('", TextOf(value.time()), "')");
      case Kind::kType:
        return std::string(value.text());
      case Kind::kUnknown:
        return absl::StrCat("unknown: ", absl::StrJoin(value.unknown(), ", "));
      case Kind::kError:
        return absl::StrCat("error: ", WordsAt(value.fault().at, value.fault().words));
      default:
        return Literal(value);
    }
  }

  std::string text_;
};

}  // namespace

std::string TextOf(double number) {
  // Its sign is an accident of the machine.
  if (std::isnan(number)) return "nan";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number);
  return std::string(buffer, end.ptr);
}

std::string TextOf(absl::Time time) {
  return absl::FormatTime("%E4Y-%m-%d%ET%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

std::string TextOf(absl::Duration duration) {
  absl::Duration rest;
  const int64_t seconds = absl::IDivDuration(duration, absl::Seconds(1), &rest);
  const auto nanos = absl::ToInt64Nanoseconds(absl::AbsDuration(rest));
  const bool minus = duration < absl::ZeroDuration();
  std::string text = absl::StrCat(minus && seconds == 0 ? "-" : "", seconds);
  if (nanos != 0) {
    absl::StrAppendFormat(&text, ".%09d", nanos);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "s";
}

std::string Literal(const Value& constant) {
  switch (constant.kind()) {
    case Kind::kBool:
      return constant.bool_value() ? "true" : "false";
    case Kind::kInt:
      return absl::StrCat(constant.int_value());
    case Kind::kUint:
      return absl::StrCat(constant.uint_value(), "u");
    case Kind::kDouble:
      return DoubleLiteral(constant.double_value());
    case Kind::kString:
      return StringLiteral(constant.text());
    case Kind::kBytes:
      return BytesLiteral(constant.text());
    default:
      return "null";
  }
}

std::string Value::ToText() const { return Shower().Show(*this); }

}  // namespace zhibu::cel
