// Cells, row by row, of a text in which a quotation mark may have lost its partner. To the letter
// of the format such a mark runs on to the next one, over however many rows; here it costs the row
// it stands in, and reading goes on with the line after.
//
//   CsvReader reader(text, ',');
//   SheetRow row;
//   while (reader.Next(&row)) …   // row.line, row.cells, unless row.broken
#ifndef ZHIBU_SYNC_EXCHANGE_CSV_H_
#define ZHIBU_SYNC_EXCHANGE_CSV_H_

#include <csv.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sync/exchange/sheet.h"

namespace zhibu {

// Lines are handed to libcsv one by one, because it does not tell where a row starts.
class CsvReader {
 public:
  // `text` must outlive the reader.
  CsvReader(absl::string_view text, char separator);
  ~CsvReader() { csv_free(&parser_); }
  CsvReader(const CsvReader&) = delete;  // the parser owns its buffer
  CsvReader& operator=(const CsvReader&) = delete;

  // False at the end. Rows without anything in them are passed over: spreadsheets write ",,,".
  bool Next(SheetRow* row);

 private:
  struct Mark {
    size_t offset = 0;
    uint32_t line = 1;
  };

  void Start();
  bool NextRow(SheetRow* row);
  absl::string_view TakeLine();
  bool GiveBroken(const Mark& resume, SheetRow* row);

  static void OnCell(void* cell, size_t size, void* reader);
  static void OnRow(int, void* reader);

  const absl::string_view text_;
  const char separator_;
  csv_parser parser_;
  Mark at_;
  std::vector<std::string>* cells_ = nullptr;  // of the row being read
  bool ended_ = false;                         // and whether it was read to its end
};

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_CSV_H_
