// From the bytes of a file to UTF-8, and what makes two pieces of text the same to a reader:
// people type wide spaces and digits, spreadsheets put in no-break ones, and none is to be seen.
#ifndef ZHIBU_SYNC_EXCHANGE_TEXT_H_
#define ZHIBU_SYNC_EXCHANGE_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zhibu {

struct DecodedText {
  std::string text;      // without a byte order mark
  std::string encoding;  // "GB18030"
};

// Every reading of the bytes that makes text of all of them, the likeliest first; none where
// they are no text. UTF-8 and UTF-16 tell themselves. What is neither may be GB18030 or Big5,
// and only its words tell which; of GB18030 a line may be UTF-8 that was pasted under it.
// INTERNAL where the system's iconv lacks an encoding.
absl::StatusOr<std::vector<DecodedText>> Decode(absl::string_view bytes);

// Of UTF-8, as a message takes it.
bool IsText(absl::string_view bytes);

// Without the spaces around it, be they ASCII, wide, no-break or of no width.
absl::string_view Trim(absl::string_view text);

// Full-width letters, digits and signs (１Ａ：) as ASCII; wide and no-break spaces as spaces; what
// takes no room (zero-width spaces, marks of direction) left out.
std::string Narrow(absl::string_view text);

// The form in which words of data are compared: "Ethnic_Group " is "ethnicgroup".
std::string FoldWord(absl::string_view text);
// And that in which headings are: written full they are the simplified ones, 黨員姓名 is 党员姓名.
std::string FoldHeading(absl::string_view text);

// Enough of a cell to be recognised, cut between characters: it may hold a whole page. And in a
// shifted row any cell may hold a phone or an identity number: no more digits than a date has.
std::string Excerpt(absl::string_view text);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_TEXT_H_
