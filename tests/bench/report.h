// What the benchmarks measure, and how it is told.
//
//   ratio = cost of the floor / cost of the subject      (1: as fast as the floor)
//
// The floor is the least that could be done for the same bytes (raw SQLite, a
// raw gRPC stream, protobuf's own parser), measured in the same run: floor and
// subject take turns, so that what slows the machine slows both.
#ifndef ZHIBU_TESTS_BENCH_REPORT_H_
#define ZHIBU_TESTS_BENCH_REPORT_H_

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zhibu::bench {

struct Options {
  int rounds = 5;
  bool quick = false;  // sizes at which it runs in seconds and says nothing of speed
  std::string folder;  // on the disk to be measured
};

// Ends the program: a figure of work that was not done is worse than none.
[[noreturn]] void Fail(absl::string_view what);
void Check(bool so, absl::string_view what);
void Check(const absl::Status& status, absl::string_view what);
template <typename T>
T Must(absl::StatusOr<T> result, absl::string_view what) {
  Check(result.status(), what);
  return *std::move(result);
}

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

 private:
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// Seconds that each took, round by round.
struct Times {
  std::vector<double> floor;
  std::vector<double> subject;
};
// Each once to warm up, then both in turns; each returns the seconds that count.
Times Alternate(int rounds, absl::FunctionRef<double()> floor, absl::FunctionRef<double()> subject);

struct Aim {
  bool at_least = true;
  double value = 0;
};

struct Figure {
  std::string name;
  std::optional<Aim> aim;
  // One for each round; a single one where it cannot vary.
  std::vector<double> values;
  // With a floor: things per second, round by round.
  std::string unit;
  std::vector<double> subject_rate;
  std::vector<double> floor_rate;
  std::string note;
};

class Report {
 public:
  // `count` things were done in each round.
  void AddRatio(std::string name, std::optional<Aim> aim, const Times& times, double count,
                std::string unit, std::string note);
  void AddValue(std::string name, std::optional<Aim> aim, double value, std::string note);

  void PrintHeader(std::ostream& out) const;
  // Those that were added since the last call.
  void PrintNew(std::ostream& out);
  std::string Json(const Options& options) const;

 private:
  std::vector<Figure> figures_;
  size_t printed_ = 0;
};

// The scenarios.
void MeasureLocalWrite(const Options& options, Report* report);
void MeasureFirstDownload(const Options& options, Report* report);
void MeasureWire(const Options& options, Report* report);
void MeasurePush(const Options& options, Report* report);
void MeasureMerge(const Options& options, Report* report);
void MeasureCheckIn(const Options& options, Report* report);
void MeasureMany(const Options& options, Report* report);
void MeasureScope(const Options& options, Report* report);
void MeasureRules(const Options& options, Report* report);
void MeasureLists(const Options& options, Report* report);
void MeasureDue(const Options& options, Report* report);
void MeasureLedger(const Options& options, Report* report);
void MeasureChecks(const Options& options, Report* report);
void MeasureFigures(const Options& options, Report* report);
void MeasureIdle(const Options& options, Report* report);

}  // namespace zhibu::bench

#endif  // ZHIBU_TESTS_BENCH_REPORT_H_
