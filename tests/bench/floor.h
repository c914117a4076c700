// The least that could be done for the same bytes: SQLite's C interface, and
// gRPC streams that carry bytes without looking at them.
#ifndef ZHIBU_TESTS_BENCH_FLOOR_H_
#define ZHIBU_TESTS_BENCH_FLOOR_H_

#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace zhibu::bench {

// A new database file with one table, WAL and synchronous=FULL.
class RawTable {
 public:
  enum class Layout {
    kAppend,  // bytes by row number
    kRecord,  // as the device's table of records
  };

  struct Row {
    uint32_t type = 0;
    std::string id;
    std::string bytes;
  };

  RawTable(const std::string& file, Layout layout);
  ~RawTable();
  RawTable(const RawTable&) = delete;
  RawTable& operator=(const RawTable&) = delete;

  // One durable transaction.
  void Insert(absl::Span<const Row> rows);
  void Remove(absl::Span<const Row> rows);
  uint64_t Count();

 private:
  void Run(const char* sql);

  const Layout layout_;
  sqlite3* database_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

struct Tls {
  std::string key_pem;
  std::string certificate_pem;
};

// What travels, and what the receiver is to do with each chunk.
using OnChunk = absl::FunctionRef<void(size_t index)>;

// A server sends `chunks` on one stream over TLS; `on_chunk` takes them in
// order, on one thread, while another receives. Returns the seconds from dialling
// to the last chunk taken.
double RawDownload(const Tls& tls, const std::vector<std::string>& chunks, OnChunk on_chunk);

// A device sends `chunks`; the server hands each to `on_chunk` and acknowledges
// it after. With `one_at_a_time` the device waits for that before it sends the
// next one. Returns the seconds from dialling to the last acknowledgement.
double RawPush(const Tls& tls, const std::vector<std::string>& chunks, bool one_at_a_time,
               OnChunk on_chunk);

}  // namespace zhibu::bench

#endif  // ZHIBU_TESTS_BENCH_FLOOR_H_
