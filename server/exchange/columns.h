// Which column holds what. Every heading that is known (headings.textproto) is one of these
// columns, and messages call it by the two names that its rule gives it.
//
//   const auto found = FindHeader(rows);        // titles stand above it; it may take three rows
//   found->header.Cell(row, kBorn)
#ifndef ZHIBU_SERVER_EXCHANGE_COLUMNS_H_
#define ZHIBU_SERVER_EXCHANGE_COLUMNS_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sync/exchange/sheet.h"

namespace zhibu::server {

enum Column : size_t {
  kEntry,
  kName,
  kSex,
  kEthnicGroup,
  kBorn,
  kEducation,
  kDegree,
  kNativePlace,
  kWorkingSince,
  kPost,
  kStage,
  kJoined,
  kConfirmed,
  kStatus,
  kPhone,
  kIdentityNumber,
  kAddress,
  kRegisteredPlace,
  kBranch,
  kBranchKind,
  kSuperior,
  kHostSuperior,
  kColumns,
};

struct ColumnRule {
  std::string zh;
  std::string en;
  std::vector<std::string> aliases;
};

const ColumnRule& RuleOf(Column column);

// A column of the sheet that nobody reads.
struct UnreadColumn {
  size_t place = 0;
  std::string heading;
  Words reason;
};

// And one that is.
struct ReadColumn {
  Column column = kColumns;
  size_t place = 0;
  std::string heading;
};

// Where in a row each column stands.
class Header {
 public:
  // Of one row, or of several below each other: 基本情况 over 性别 and 出生日期. In each column the
  // lowest cell that says something is its heading.
  explicit Header(absl::Span<const SheetRow> rows);

  size_t width() const { return headings_.size(); }
  size_t known() const { return known_; }  // how many of its columns are
  // Those that are not, or say what another does; those without a heading left out.
  std::vector<UnreadColumn> Unread() const;
  std::vector<ReadColumn> Read() const;
  bool Has(Column column) const { return places_[column].has_value(); }
  // As the sheet has it.
  absl::string_view HeadingOf(Column column) const { return headings_[*places_[column]]; }
  std::optional<size_t> PlaceOf(Column column) const { return places_[column]; }
  // Trimmed; empty where the row is short or the column missing.
  absl::string_view Cell(const SheetRow& row, Column column) const;
  // Does the row say what the header says, and nothing else?
  bool IsRepeatedBy(const SheetRow& row) const;
  bool HasHeading(size_t place) const { return place < width() && !headings_[place].empty(); }

 private:
  std::vector<std::string> headings_;
  size_t known_ = 0;
  std::array<std::optional<size_t>, kColumns> places_;
};

struct FoundHeader {
  size_t first = 0;  // of the rows that were given
  size_t rows = 1;
  Header header;
};

// Among the first of these rows, the one that knows 姓名 and most of the others. Nothing: none
// knows even that.
std::optional<FoundHeader> FindHeader(absl::Span<const SheetRow> rows);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_EXCHANGE_COLUMNS_H_
