// A ledger of one organisation, worked out of the records that are there: rows of cells that a
// writer of files, or a screen, only has to draw.
//
//   LedgerShelf shelf(source);               // shared by all ledgers of a dossier
//   ASSIGN_OR_RETURN(const LedgerTable table, WriteUp(ledger, {.organisation = branch}, &shelf));
//
//   a row    each record that lies there, that `where` takes, of the year that is asked for
//   a cell   what its column says of it; empty where nothing was written down; unknown where
//            that may not be read, or is not held, by whoever asks: shown as "—", never guessed
//
// How many cells and rows are not known is counted, and so is what bears no day and is in no year.
// What of whom is given in full that is sensitive is told (`given`): whoever writes the table into
// a file answers for that. Pure; the same on a device and on the server.
#ifndef ZHIBU_SYNC_RULES_BOOK_LEDGER_TABLE_H_
#define ZHIBU_SYNC_RULES_BOOK_LEDGER_TABLE_H_

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "sync/base/types.h"
#include "sync/base/words.h"
#include "sync/rules/book/ledger.h"
#include "sync/rules/book/shelf.h"

namespace zhibu::rules {

// Where the records come from, and what of them whoever asks may read.
class LedgerSource : public Records {
 public:
  // All of the type that the organisation keeps: what is not there, there is not.
  virtual bool ReadsAll(const RecordType& type) const = 0;
  virtual bool MayRead(const RecordType& type, const Id& id,
                       const google::protobuf::Message& record,
                       const google::protobuf::FieldDescriptor& field) const = 0;
};

struct LedgerQuery {
  Id organisation;
  std::optional<int64_t> year;
  std::optional<Id> person;  // only what is of theirs
  absl::CivilDay today;
  Language language = Language::kChinese;
  bool mask = false;  // columns that are masked, for whoever reads them
};

struct Cell {
  enum class Kind {
    kEmpty,
    kUnknown,
    kText,
    kNumber,
    kYuan,
    kHours,
    kPercent,
    kDay,
    kMonth,
    kTime
  };
  Kind kind = Kind::kEmpty;
  std::string text;        // as people read it
  double number = 0;       // of kNumber, kYuan (in yuan), kHours (in hours), kPercent
  absl::CivilSecond time;  // of kDay, kMonth, kTime, in China
};

// By person and type of record, the fields of which something stands in the table.
using Given = std::map<std::pair<Id, const RecordType*>, std::set<uint32_t>>;

struct LedgerTable {
  const Ledger* ledger = nullptr;
  std::string title;  // "青石村党支部 党费台账（2026 年）"
  std::string name;   // "党费台账"
  std::vector<std::string> heads;
  std::vector<std::vector<Cell>> rows;
  std::vector<Cell> sums;          // as wide as a row; empty: none
  std::vector<std::string> feet;   // 填报人：, 负责人：, 日期：, 盖章：
  std::vector<std::string> notes;  // what is not known here, a sentence each
  Given given;
  size_t unknown_cells = 0;
  size_t unknown_rows = 0;  // nobody knows here whether they belong to it
  size_t undated_rows = 0;
  std::vector<std::string> faults;  // of the ledger itself, each once: "key: column: what"
};

// What ledgers of one organisation are worked out of.
class LedgerShelf : public Shelf {
 public:
  explicit LedgerShelf(LedgerSource& source) : Shelf(source), source_(source) {}
  const LedgerSource& source() const { return source_; }

 private:
  LedgerSource& source_;
};

// Errors: of the source.
absl::StatusOr<LedgerTable> WriteUp(const Ledger& ledger, const LedgerQuery& query,
                                    LedgerShelf* shelf);

// 110…: all but the first three and the last four characters, of each of several.
std::string Masked(absl::string_view text);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_LEDGER_TABLE_H_
