// What came of a run, as a table for people and as JSON for programs.
#ifndef ZHIBU_TESTS_LOAD_REPORT_H_
#define ZHIBU_TESTS_LOAD_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "sync/wire/shown.h"
#include "tests/load/crowd.h"
#include "tests/load/plan.h"
#include "tests/load/server_process.h"

namespace zhibu::load {

// Of the server's process, or of this one, at each moment of a run.
struct UseOverTime {
  Use settled;  // everybody is enrolled, and nobody connected
  Use opened;
  Use offered;
  Use ended;
};

struct Run {
  Plan plan;
  Outcome outcome;
  UseOverTime server;
  UseOverTime self;
};

nlohmann::json JsonOf(const Run& run);
std::string TableOf(const Run& run, Language language);

}  // namespace zhibu::load

#endif  // ZHIBU_TESTS_LOAD_REPORT_H_
