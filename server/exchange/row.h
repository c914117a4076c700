// One row of cells becomes one of the roster, with what is doubtful in its cells, or a list of
// all that makes it mean nobody.
//
//   Problems problems;
//   RosterRow row = ReadRow(header, cells, {}, &problems);
//
// A row with problems still holds whatever was understood of it, so that later rows can be
// compared with it.
#ifndef ZHIBU_SERVER_EXCHANGE_ROW_H_
#define ZHIBU_SERVER_EXCHANGE_ROW_H_

#include "absl/strings/string_view.h"
#include "server/exchange/columns.h"
#include "server/exchange/roster.h"
#include "sync/exchange/sheet.h"
#include "zhibu/schema/v1/options.pb.h"

namespace zhibu::server {

class Problems {
 public:
  void Add(absl::string_view zh, absl::string_view en);
  bool empty() const { return words_.zh().empty(); }
  const Words& words() const { return words_; }

 private:
  Words words_;
};

struct RowContext {
  absl::string_view branch;  // of rows that name none
  bool days_from_1904 = false;
};

RosterRow ReadRow(const Header& header, const SheetRow& cells, const RowContext& context,
                  Problems* problems);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_EXCHANGE_ROW_H_
