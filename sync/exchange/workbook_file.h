// What writers of workbooks share: text as a cell takes it, and the file around the sheets.
#ifndef ZHIBU_SYNC_EXCHANGE_WORKBOOK_FILE_H_
#define ZHIBU_SYNC_EXCHANGE_WORKBOOK_FILE_H_

#include <xlsxwriter.h>

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sync/exchange/new_file.h"

namespace zhibu {

// So many of its characters as a spreadsheet counts them: those beyond U+FFFF are two.
std::string Cut(absl::string_view text, size_t most);
// No longer than a cell takes, and without controls, for which XML has no room.
std::string CellText(absl::string_view text);

// `write` adds the sheets, and gives the first error. INVALID_ARGUMENT, in words: it could not be
// written.
absl::Status WriteSheets(const NewFile& file, absl::FunctionRef<lxw_error(lxw_workbook*)> write);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_WORKBOOK_FILE_H_
