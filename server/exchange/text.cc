#include "server/exchange/text.h"

#include <google/protobuf/wrappers.pb.h>
#include <iconv.h>

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace zhibu::server {
namespace {

constexpr char kByteOrderMark[] = "\xEF\xBB\xBF";
constexpr char kWideSpace[] = "\u3000";
constexpr char kNoBreakSpace[] = "\u00A0";

// What a message takes as a string: iconv also lets pass what lies beyond Unicode.
bool IsText(const std::string& bytes) {
  google::protobuf::BytesValue value;
  value.set_value(bytes);
  return google::protobuf::StringValue().ParseFromString(value.SerializeAsString());
}

// Into UTF-8. INVALID_ARGUMENT where `bytes` are no text in the encoding `from`.
absl::StatusOr<std::string> Recode(const char* from, absl::string_view bytes) {
  const iconv_t converter = iconv_open("UTF-8", from);
  if (converter == reinterpret_cast<iconv_t>(-1)) {
    return absl::InternalError(absl::StrCat("this system's iconv does not know ", from));
  }
  std::string text(bytes.size() * 2, '\0');  // two bytes of GB18030 make at most three of UTF-8
  char* in = const_cast<char*>(bytes.data());
  size_t in_left = bytes.size();
  char* out = text.data();
  size_t out_left = text.size();
  const size_t result = iconv(converter, &in, &in_left, &out, &out_left);
  iconv_close(converter);
  if (result == static_cast<size_t>(-1)) return absl::InvalidArgumentError(from);
  text.resize(text.size() - out_left);
  if (!IsText(text)) return absl::InvalidArgumentError(from);
  return text;
}

}  // namespace

absl::StatusOr<std::string> Decode(absl::string_view bytes) {
  // No text has a NUL in it, but UTF-16 and the spreadsheet programs' own files have.
  if (absl::StrContains(bytes, '\0')) return absl::InvalidArgumentError("there is a NUL in it");
  absl::StatusOr<std::string> text = Recode("UTF-8", bytes);
  if (absl::IsInvalidArgument(text.status()) && !absl::StartsWith(bytes, kByteOrderMark)) {
    text = Recode("GB18030", bytes);
  }
  if (!text.ok()) return text;
  return std::string(absl::StripPrefix(*text, kByteOrderMark));
}

absl::string_view Trim(absl::string_view text) {
  bool again = true;
  while (again) {
    text = absl::StripAsciiWhitespace(text);
    again = absl::ConsumePrefix(&text, kWideSpace) || absl::ConsumeSuffix(&text, kWideSpace) ||
            absl::ConsumePrefix(&text, kNoBreakSpace) || absl::ConsumeSuffix(&text, kNoBreakSpace);
  }
  return text;
}

std::string Fold(absl::string_view text) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(text), {{" ", ""},
                                                           {"_", ""},
                                                           {"\t", ""},
                                                           {"\r", ""},
                                                           {"\n", ""},
                                                           {kWideSpace, ""},
                                                           {kNoBreakSpace, ""}});
}

std::string Excerpt(absl::string_view text) {
  constexpr size_t kBytesMax = 40;
  if (std::count_if(text.begin(), text.end(), absl::ascii_isdigit) > 8) return "…";
  if (text.size() <= kBytesMax) return std::string(text);
  size_t end = kBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "…");
}

}  // namespace zhibu::server
