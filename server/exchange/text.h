// From the bytes of a file to UTF-8, and what makes two pieces of text the same to a reader:
// people type wide spaces, spreadsheets put in no-break ones, and neither is to be seen.
#ifndef ZHIBU_SERVER_EXCHANGE_TEXT_H_
#define ZHIBU_SERVER_EXCHANGE_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zhibu::server {

// The text without its byte order mark. INVALID_ARGUMENT where the bytes are none, in UTF-8 or in
// GB18030; INTERNAL where the system's iconv lacks one of the two.
absl::StatusOr<std::string> Decode(absl::string_view bytes);

// Without the spaces around it, be they ASCII, wide or no-break.
absl::string_view Trim(absl::string_view text);

// The form in which headers and words are compared: "Ethnic_Group " is "ethnicgroup".
std::string Fold(absl::string_view text);

// Enough of a cell to be recognised, cut between characters: it may hold a whole page. And in a
// shifted row any cell may hold a phone or an identity number: no more digits than a date has.
std::string Excerpt(absl::string_view text);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_EXCHANGE_TEXT_H_
