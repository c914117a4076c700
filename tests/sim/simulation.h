// A run of a plan, from beginning to end, and what came of it.
#ifndef ZHIBU_TESTS_SIM_SIMULATION_H_
#define ZHIBU_TESTS_SIM_SIMULATION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/ledger.h"
#include "tests/sim/plan.h"
#include "tests/sim/universe.h"

namespace zhibu::sim {

struct Report {
  std::optional<Failure> failure;
  int step = 0;         // at which it failed, from 0; the number of steps if none did
  std::string history;  // of the record concerned
  std::string digest;   // of the whole run
  Stats stats;
  uint64_t merged = 0;
  uint64_t hostile = 0;  // of those, by phones with other software
  uint64_t rows = 0;
  uint64_t notes = 0;
  uint64_t verified = 0;          // check-ins
  uint64_t opened = 0;            // for a time
  uint64_t found_twice = 0;       // members
  uint64_t decided = 0;           // by people, of those
  uint64_t returned_unknown = 0;  // by a server of an earlier version: see ledger.h
  uint64_t merged_unknown = 0;
  int64_t virtual_ms = 0;
};

// `trace`: every step is shown on standard error before it is taken.
Report Run(const Plan& plan, bool trace = false);

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_SIMULATION_H_
