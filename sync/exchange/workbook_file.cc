#include "sync/exchange/workbook_file.h"

#include "absl/strings/str_cat.h"
#include "sync/base/text.h"
#include "sync/exchange/sheet.h"

namespace zhibu {
namespace {

constexpr size_t kCellCharactersMax = 32'000;  // of 32,767 that a spreadsheet takes

}  // namespace

std::string Cut(absl::string_view text, size_t most) {
  absl::string_view rest = text;
  for (size_t count = 0; !rest.empty();) {
    absl::string_view left = rest;
    char32_t character = 0;
    if (!TakeCharacter(&left, &character)) break;
    count += character > 0xFFFF ? 2 : 1;
    if (count > most) break;
    rest = left;
  }
  const size_t taken = text.size() - rest.size();
  return taken == text.size() ? std::string(text) : absl::StrCat(text.substr(0, taken), "…");
}

std::string CellText(absl::string_view text) { return Printable(Cut(text, kCellCharactersMax)); }

absl::Status WriteSheets(const NewFile& file, absl::FunctionRef<lxw_error(lxw_workbook*)> write) {
  std::string folder = file.folder();
  lxw_workbook_options options = {.constant_memory = LXW_FALSE, .tmpdir = folder.data()};
  lxw_workbook* workbook = workbook_new_opt(file.path().c_str(), &options);
  if (workbook == nullptr) return absl::ResourceExhaustedError("no memory for a workbook");
  lxw_error error = write(workbook);
  const lxw_error closing = workbook_close(workbook);
  if (error == LXW_NO_ERROR) error = closing;
  if (error == LXW_NO_ERROR) return absl::OkStatus();
  const char* why = lxw_strerror(error);
  return Unusable(absl::StrCat("工作簿没有写出：", why),
                  absl::StrCat("the workbook was not written: ", why));
}

}  // namespace zhibu
