#include "sync/rules/cel/text.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sync/rules/cel/collections.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {
namespace {

// How much of a value is shown.
constexpr size_t kShownMax = 40;
constexpr int kShownDepthMax = 8;

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

std::string Shown(const Value& value, int depth);

std::string Shown(const List& list, int depth) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < std::min(list.size(), kShownMax); ++i) {
    parts.push_back(Shown(list.At(i), depth));
  }
  if (list.size() > kShownMax) parts.push_back("…");
  return absl::StrCat("[", absl::StrJoin(parts, ", "), "]");
}

std::string Shown(const Map& map, int depth) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < std::min(map.size(), kShownMax); ++i) {
    const auto& [key, value] = map.entries()[i];
    parts.push_back(absl::StrCat(Shown(key, depth), ": ", Shown(value, depth)));
  }
  if (map.size() > kShownMax) parts.push_back("…");
  return absl::StrCat("{", absl::StrJoin(parts, ", "), "}");
}

std::string Shown(const Value& value, int depth) {
  if (depth > kShownDepthMax) return "…";
  switch (value.kind()) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return value.bool_value() ? "true" : "false";
    case Kind::kInt:
      return absl::StrCat(value.int_value());
    case Kind::kUint:
      return absl::StrCat(value.uint_value(), "u");
    case Kind::kDouble:
      return DoubleLiteral(value.double_value());
    case Kind::kString:
      return StringLiteral(value.text());
    case Kind::kBytes:
      return BytesLiteral(value.text());
    case Kind::kDuration:
      return absl::StrCat("duration('", TextOf(value.duration()), "')");
    case Kind::kTimestamp:
      return absl::StrCat("timestamp('", TextOf(value.time()), "')");
    case Kind::kList:
      return Shown(value.list(), depth + 1);
    case Kind::kMap:
      return Shown(value.map(), depth + 1);
    case Kind::kMessage:
      return absl::StrCat(value.TypeName(), "{", value.message().message->ShortDebugString(), "}");
    case Kind::kType:
      return std::string(value.text());
    case Kind::kUnknown:
      return absl::StrCat("unknown: ", absl::StrJoin(value.unknown(), ", "));
    case Kind::kError:
      return absl::StrCat("error: ", WordsAt(value.fault().at, value.fault().words));
    case Kind::kDyn:
    case Kind::kParameter:
      break;
  }
  return "";
}

}  // namespace

std::string TextOf(double number) {
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

std::string Value::ToText() const { return Shown(*this, 0); }

}  // namespace zhibu::cel
