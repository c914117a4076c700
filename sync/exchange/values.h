// What the text of one cell means, whatever row and column it stands in: tidied first, judged
// then. What is wrong with it is a flaw; its words need the name of the column (row.cc).
//
//   TidyDate("1990年元月")      "1990-01"      a month stays one: no day is made up
//   TidyIdentityNumber("'11010119900307451x")  without the apostrophe, with X
//   TidyPhone("（0571）8800 0007")  "0571-88000007"
//   TidyName("李　明")           "李明"
#ifndef ZHIBU_SYNC_EXCHANGE_VALUES_H_
#define ZHIBU_SYNC_EXCHANGE_VALUES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu {

enum class Flaw {
  kNone,
  kNotUnderstood,
  kRounded,  // a spreadsheet took it for a quantity and has lost digits
  kOnlyYear,
  kLostZero,       // 1990.1, which was 1990.10 before a spreadsheet took it for a number
  kNotInCalendar,  // the 31st of April
  kOldNumber,      // an identity number of 15 digits
  kWrongLength,
  kWrongCheck,     // its check digit, or the date in it
  kLostCharacter,  // ? or � where a rare character was
  kMarkLeftOut,    // the value is good; a * beside it was left out
};

struct Tidied {
  std::string value;  // empty where the flaw costs the cell
  Flaw flaw = Flaw::kNone;
};

// 2008-07-01, or 2008-07 of which only the month is known. `from_1904`: so the workbook counts
// days that are mere numbers.
Tidied TidyDate(absl::string_view text, bool from_1904 = false);
// Telephones: several of them with " / " between.
Tidied TidyPhone(absl::string_view text);
Tidied TidyIdentityNumber(absl::string_view text);
// Of a person or an organisation.
Tidied TidyName(absl::string_view text);
// Any other text: in one line unless it is `long_text`.
std::string TidyText(absl::string_view text);

// What two spellings of an organisation's name have in common: 中共枫林村支部委员会 and
// 枫林村党支部 are alike.
std::string LikenessOf(absl::string_view organisation_name);

// By the label of the value, by its name in the proto, or by a short form; the value 0 for
// anything else.
records::v1::Member::Sex SexFrom(absl::string_view text);
records::v1::Member::Status StatusFrom(absl::string_view text);
records::v1::Organisation::Kind KindFrom(absl::string_view text);

// 正式党员（流动） says three things at once.
struct Standing {
  records::v1::Member::Stage stage = records::v1::Member::STAGE_UNSPECIFIED;
  records::v1::Member::Membership membership = records::v1::Member::MEMBERSHIP_UNSPECIFIED;
  bool migrant = false;
  bool understood = false;
};
Standing StandingFrom(absl::string_view text);

// What a right one says.
records::v1::Member::Sex SexBy(absl::string_view identity_number);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_VALUES_H_
