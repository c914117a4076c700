// Which column holds what. Every heading of a sheet that is known is one of these columns, and
// messages call it by the two names that its rule gives it.
//
//   const char separator = SeparatorOf(text);
//   CsvReader reader(text, separator);
//   reader.Next(&row);
//   const Header header(row);
//   while (reader.Next(&row)) … header.Cell(row, kBorn) …
#ifndef ZHIBU_SERVER_EXCHANGE_COLUMNS_H_
#define ZHIBU_SERVER_EXCHANGE_COLUMNS_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/exchange/csv.h"

namespace zhibu::server {

enum Column : size_t {
  kName,
  kSex,
  kEthnicGroup,
  kBorn,
  kEducation,
  kPost,
  kStage,
  kJoined,
  kConfirmed,
  kPhone,
  kIdentityNumber,
  kAddress,
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

// Where in a row each column stands.
class Header {
 public:
  explicit Header(const CsvRow& row);

  size_t width() const { return width_; }
  size_t known() const { return known_; }  // how many of its columns are
  // Those that are not, or stand there a second time; blank ones left out.
  const std::vector<std::string>& unread() const { return unread_; }
  bool Has(Column column) const { return places_[column].has_value(); }
  // Trimmed; empty where the row is short or the column missing.
  absl::string_view Cell(const CsvRow& row, Column column) const;

 private:
  size_t width_;
  size_t known_ = 0;
  std::vector<std::string> unread_;
  std::array<std::optional<size_t>, kColumns> places_;
};

// The one that makes known columns of most of the header.
char SeparatorOf(absl::string_view text);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_EXCHANGE_COLUMNS_H_
