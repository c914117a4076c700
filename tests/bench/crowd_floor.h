// The least that a server could do for many devices at once: gRPC streams over TLS that carry the
// same bytes, and one thread that writes what has come since its last durable transaction into raw
// rows and then says so. The devices are as light as those of zhibu load, of which they have the
// client (tests/load/call.h).
#ifndef ZHIBU_TESTS_BENCH_CROWD_FLOOR_H_
#define ZHIBU_TESTS_BENCH_CROWD_FLOOR_H_

#include <cstdint>
#include <string>

#include "tests/bench/floor.h"
#include "tests/load/tally.h"

namespace zhibu::bench {

struct RawPlan {
  int streams = 100;
  int per_group = 6;  // whom a frame is relayed to, its sender left out
  int rows = 1;       // in a frame
  size_t row_bytes = 250;
  size_t ack_bytes = 40;
  size_t relay_bytes = 0;  // 0: nothing is relayed
  bool storm = false;      // each dials for a frame, and closes
  double rate = 0;         // frames a second of all; 0: each waits for its acknowledgement
  int seconds = 5;
};

struct RawOutcome {
  double rows_per_second = 0;  // of a storm: streams
  load::Histogram others;      // from when a frame was sent until it was relayed
};

// `file`: of the raw rows.
RawOutcome RunRawCrowd(const Tls& tls, const RawPlan& plan, const std::string& file);

}  // namespace zhibu::bench

#endif  // ZHIBU_TESTS_BENCH_CROWD_FLOOR_H_
