// A roster of members as spreadsheets write it, read into records. Pure: it
// finds no organisation and writes nothing, so it can be tried as often as one likes.
//
//   absl::StatusOr<Roster> roster = ParseRoster(bytes);
//   if (!roster.ok()) return Show(WordsOf(roster.status()));
//   for (const RosterRow& row : roster->rows) …      // row.member, row.branch
//   for (const BadRow& bad : roster->bad_rows) …     // bad.line, bad.reason.zh()
//
//   rows of the file = header + rows + bad_rows + blank ones
//
// What is understood
//   text       UTF-8 with or without a byte order mark; else GB18030
//   separator  comma, semicolon or tab: the one that makes sense of the header
//   header     the first line that is not blank. A column is known by the label of its field
//              in the proto, by its English name or by an alias, whatever its case, spaces and
//              underscores; where two columns mean the same the first counts. Other columns
//              are passed over, and named (unread_columns). 姓名 and 所在支部 must be there.
//   dates      2008-07-01, 2008/7/1, 2008.7.1, 20080701, 2008年7月1日; kept as 2008-07-01
//   numbers    an identity number must have its right check digit (GB 11643); sex and date of
//              birth follow from it where their cells are empty, and must agree where not
//
// A row is bad, and all that is wrong with it is said at once, if its name or branch is empty,
// a value is not understood, it has more cells than the header, a quotation mark lacks its
// partner, or an earlier row has its identity number or its name, date of birth and branch.
// Of two such rows the earlier one stands. What is said repeats no value with more than eight
// digits: it may be a phone or an identity number.
#ifndef ZHIBU_SERVER_EXCHANGE_ROSTER_H_
#define ZHIBU_SERVER_EXCHANGE_ROSTER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::server {

struct RosterRow {
  uint32_t line = 0;  // of the file, where the row starts; the first is 1

  // Organisations by their names: their ids are the caller's business.
  std::string branch;
  std::string superior;       // of the branch; may be empty
  std::string host_superior;  // of the branch, at its host place; mostly empty
  // From the column 支部类别 (branch kind), else KindFromName(branch).
  records::v1::Organisation::Kind organisation_kind = records::v1::Organisation::BRANCH;

  // Without branch_id and status. The stage is FULL where the roster says none.
  records::v1::Member member;
  // Without member_id, branch_id and income_band.
  records::v1::PrivateDetail detail;
};

struct BadRow {
  uint32_t line = 0;
  Words reason;  // everything that is wrong with the row
};

struct Roster {
  std::vector<RosterRow> rows;  // ascending by line, as are the bad ones
  std::vector<BadRow> bad_rows;
  // Headings of columns that nobody reads: unknown ones, and those of which there is one
  // before. The first 20 of them; one of more than 100 bytes is "…".
  std::vector<std::string> unread_columns;
};

struct RosterLimits {
  size_t bytes_max = size_t{64} << 20;
  size_t rows_max = 1'000'000;  // good and bad
};

// INVALID_ARGUMENT where the whole file is unusable: too big, no text in either encoding, no
// header, a required column missing. INTERNAL where the system's iconv lacks an encoding.
absl::StatusOr<Roster> ParseRoster(absl::string_view bytes, const RosterLimits& limits = {});

// What to tell people of a status that ParseRoster gave; its message is the English wording.
Words WordsOf(const absl::Status& status);

// What kind of organisation a name tells of, by the last telling word in it:
// 青石村村民委员会党支部 is a branch, 中共云溪镇委员会 a committee. BRANCH where nothing tells.
records::v1::Organisation::Kind KindFromName(absl::string_view name);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_EXCHANGE_ROSTER_H_
