// What the text of one cell means, whatever row and column it stands in. Cells come in trimmed,
// and nothing here says what is wrong with one: that needs the name of its column.
#ifndef ZHIBU_SERVER_EXCHANGE_VALUES_H_
#define ZHIBU_SERVER_EXCHANGE_VALUES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

// By the label of the value, by its name in the proto, or by a short form; the value 0 for
// anything else.
records::v1::Member::Sex SexFrom(absl::string_view text);
records::v1::Member::Stage StageFrom(absl::string_view text);
records::v1::Organisation::Kind KindFrom(absl::string_view text);

struct ParsedDate {
  std::string day;          // 2008-07-01; empty where the text is no day
  bool only_month = false;  // it is 2008-07
};
ParsedDate ParseDate(absl::string_view text);

// A long number that a spreadsheet took for a quantity: 1.1E+17.
bool IsRounded(absl::string_view text);

bool IsPhone(absl::string_view text);

// What a right one says.
records::v1::Member::Sex SexBy(absl::string_view identity_number);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_EXCHANGE_VALUES_H_
