#include "sync/exchange/csv.h"

#include "absl/strings/match.h"
#include "sync/exchange/text.h"

namespace zhibu {
CsvReader::CsvReader(absl::string_view text, char separator) : text_(text), separator_(separator) {
  Start();
}

void CsvReader::Start() {
  csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI);
  csv_set_delim(&parser_, static_cast<unsigned char>(separator_));
  csv_set_blk_size(&parser_, 4096);
}

void CsvReader::OnCell(void* cell, size_t size, void* reader) {
  static_cast<CsvReader*>(reader)->cells_->emplace_back(static_cast<const char*>(cell), size);
}

void CsvReader::OnRow(int, void* reader) { static_cast<CsvReader*>(reader)->ended_ = true; }

bool CsvReader::Next(SheetRow* row) {
  while (NextRow(row)) {
    if (!IsBlank(*row)) return true;
  }
  return false;
}

bool CsvReader::NextRow(SheetRow* row) {
  *row = SheetRow();
  cells_ = &row->cells;
  ended_ = false;
  bool begun = false;
  Mark resume;
  while (at_.offset < text_.size()) {
    if (!begun) row->line = at_.line;
    const absl::string_view line = TakeLine();
    if (!begun && !Trim(line).empty()) {
      begun = true;
      resume = at_;
    }
    const size_t read = csv_parse(&parser_, line.data(), line.size(), OnCell, OnRow, this);
    if (read < line.size()) return GiveBroken(resume, row);
    if (ended_) return true;
  }
  if (!begun) return false;
  if (csv_fini(&parser_, OnCell, OnRow, this) != 0) return GiveBroken(resume, row);
  return true;
}

// One line with its end, be that LF, CRLF or CR.
absl::string_view CsvReader::TakeLine() {
  absl::string_view line = text_.substr(at_.offset);
  size_t end = line.find_first_of("\r\n");
  if (end != absl::string_view::npos) {
    end += absl::StartsWith(line.substr(end), "\r\n") ? 2 : 1;
    line = line.substr(0, end);
  }
  at_.offset += line.size();
  ++at_.line;
  return line;
}

// The open quotation mark may have run over many good rows, so back to the line after the row's
// first.
bool CsvReader::GiveBroken(const Mark& resume, SheetRow* row) {
  csv_free(&parser_);
  Start();
  at_ = resume;
  row->broken = true;
  return true;
}

}  // namespace zhibu
