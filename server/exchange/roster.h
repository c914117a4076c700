// A roster of members as offices have it, read into records. Pure: it finds no organisation and
// writes nothing, so it can be tried as often as one likes.
//
//   absl::StatusOr<Roster> roster = ParseRoster(bytes);
//   if (!roster.ok()) return Show(WordsOf(roster.status()));
//   for (const RosterRow& row : roster->rows) …      // row.member, row.branch, row.cells
//   for (const BadRow& bad : roster->bad_rows) …     // bad.line, bad.reason.zh()
//
//   rows of the file = header + rows + bad_rows + left_out + blank ones
//
// What is understood
//   file       XLSX (workbook.h), or text in UTF-8, UTF-16, GB18030 or Big5 (text.h), in which
//              comma, semicolon or tab separates: whatever makes sense of the header
//   header     one to three rows, under titles; its words are data (headings.textproto). Where
//              columns mean the same, one is read. All that are not read are named
//   below it   sums, signatures, remarks and the header again are left out, and named. 同上 is the
//              cell above; so is an empty branch, where a sheet writes branches only at their
//              first row, as merged cells come out of a spreadsheet
//   cells      tidied, then judged (values.h)
//   numbers    sex and date of birth follow from an identity number where their cells are empty,
//              and must agree where not
//
// A cell that is not understood costs the cell (RosterRow::cells says which and why). A row is
// bad, and all that is wrong with it is said at once, if nobody can tell whom it means: its name
// or branch is empty or has lost a character, its number contradicts its sex or birth, it has
// more cells than the header, a quotation mark lacks its partner, or an earlier row has its
// identity number or its name, date of birth and branch. Of two such rows the earlier one
// stands. What is said repeats no value with more than eight digits: it may be a phone or an
// identity number.
#ifndef ZHIBU_SERVER_EXCHANGE_ROSTER_H_
#define ZHIBU_SERVER_EXCHANGE_ROSTER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/exchange/columns.h"
#include "sync/base/types.h"
#include "sync/exchange/sheet.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::server {

// Of a row that goes in: a cell that does not, or not as it was written.
struct DoubtfulCell {
  std::optional<size_t> place;  // of its column, the first is 0; none: no cell says it
  std::string heading;
  Words reason;
};

struct RosterRow {
  uint32_t line = 0;  // of the file, where the row starts; the first is 1

  // Whose entry the row says that it is of, or that it is of somebody new.
  std::optional<Id> entry;
  bool is_new = false;

  // Organisations by their names: their ids are the caller's business.
  std::string branch;
  std::string superior;       // of the branch; may be empty
  std::string host_superior;  // of the branch, at its host place; mostly empty
  // From the column 支部类别 (branch kind), else KindFromName(branch).
  records::v1::Organisation::Kind organisation_kind = records::v1::Organisation::BRANCH;

  // Without branch_id. The stage is FULL where the roster has no word about it, and none where
  // its word is not understood.
  records::v1::Member member;
  // Without member_id and branch_id.
  records::v1::PrivateDetail detail;

  std::vector<DoubtfulCell> cells;
};

struct BadRow {
  uint32_t line = 0;
  Words reason;  // everything that is wrong with the row
};

struct Roster {
  std::vector<RosterRow> rows;  // ascending by line, as are the bad ones
  std::vector<BadRow> bad_rows;
  std::vector<BadRow> left_out;
  // At most 50. A heading of more than 100 bytes is "…", one that is not there is empty.
  std::vector<UnreadColumn> unread_columns;
  std::vector<ReadColumn> read_columns;
  Words read_as;  // "GB18030，表头在第 3 行"
};

// INVALID_ARGUMENT where the whole file is unusable: too big, neither text nor workbook, no
// header, a required column missing. INTERNAL where the system's iconv lacks an encoding.
// `branch` is that of the rows which name none; with it no column has to.
absl::StatusOr<Roster> ParseRoster(absl::string_view bytes, const SheetLimits& limits = {},
                                   absl::string_view branch = "");

// The sheet of the file that ParseRoster reads. Errors: those of the file.
absl::StatusOr<Sheet> SheetOfRoster(absl::string_view bytes, const SheetLimits& limits = {});

// What kind of organisation a name tells of, by the last telling word in it:
// 青石村村民委员会党支部 is a branch, 中共云溪镇委员会 a committee. BRANCH where nothing tells.
records::v1::Organisation::Kind KindFromName(absl::string_view name);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_EXCHANGE_ROSTER_H_
