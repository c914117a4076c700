// All that a store keeps, as rows that mean the same in every store: what takes a database from one
// to another (server/store/relocation.h).
//
//   part      found by                   and beside it
//   scopes    id                         version
//   records   type, id                   touch: version, writer, stamp; the same of its deletion,
//   or
//                                        nothing; body*, trace*
//   feeds     scope, type, id, offices   version, present, since
//   edits     device, number             received_ms, stamp, edit*, answer*, version, chain,
//   made_ms,
//                                        beside, link, verdict; after which others it arrived
//   devices   number                     public_key, person, record, name*, standing, enrolled_ms,
//                                        last_seen_ms, last_number, safe_number
//   counters  name                       value
//   settings  name                       value*
//   codes     digest                     person, expires_ms
//   marks     mark, person
//
// What is starred is told in the open, and sealed by each store with its own key. Not among them
// are sums and what hangs on what, which are made anew (server/figures/making.h), and how often
// records of a type have moved, which is compared within the life of a process only.
#ifndef ZHIBU_SERVER_STORE_WHOLE_H_
#define ZHIBU_SERVER_STORE_WHOLE_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"

namespace zhibu::stored::v1 {
class Row;
}  // namespace zhibu::stored::v1

namespace zhibu::server {

// A row of one of the parts.
using PartRow = stored::v1::Row;

// In an order in which an empty store can be filled.
enum class Part {
  kScopes,
  kRecords,
  kFeeds,
  kEdits,
  kDevices,
  kCounters,
  kSettings,
  kCodes,
  kMarks
};
inline constexpr Part kAllParts[] = {Part::kScopes,   Part::kRecords, Part::kFeeds,
                                     Part::kEdits,    Part::kDevices, Part::kCounters,
                                     Part::kSettings, Part::kCodes,   Part::kMarks};

struct Shape {
  size_t keys;  // so many of its columns, from the first on, are its key
  // A letter for each column: number, number or nothing (o), yes or no, bytes, text, sealed bytes.
  const char* columns;
};
const Shape& ShapeOf(Part part);
// What a sealed column is sealed under.
std::string PlaceOf(Part part, size_t column, const PartRow& row);
// With no more than its key; of an empty row: what comes before all others.
PartRow KeyOf(Part part, const PartRow& row);

class WholeReader {
 public:
  virtual ~WholeReader() = default;

  // At most so many rows past the one with the key of `after`, from the first on where that is
  // empty, ascending by key as bytes and numbers are, until `visit` returns false. DATA_LOSS: one
  // cannot be read.
  virtual absl::Status ReadPart(Part part, const PartRow& after, size_t most,
                                absl::FunctionRef<bool(const PartRow&)> visit) = 0;
};

class WholeWriter {
 public:
  virtual ~WholeWriter() = default;

  // As ReadPart has told them; none of them is there.
  virtual absl::Status PutPart(Part part, absl::Span<const PartRow> rows) = 0;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_WHOLE_H_
