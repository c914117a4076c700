// What a run does, written down before it starts: so that it can be repeated,
// cut down to what makes it fail, and read.
//
//   plan = MakePlan({.seed = 7, .steps = 2000, .devices = 6, .faults = AllFaults()})
//   plan.steps[0] = {kEdit, device 3, seed 0x9b…}
//
// Every step carries a seed of its own, so taking one away leaves the chance of
// the others as it was.
#ifndef ZHIBU_TESTS_SIM_PLAN_H_
#define ZHIBU_TESTS_SIM_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zhibu::sim {

enum class Act {
  // Ordinary life.
  kEdit,     // somebody records something
  kConnect,  // a device opens a stream
  kTalk,     // frames move, a few at a time, on all open streams
  kSync,     // a device opens a stream and stays until all is said
  kHangUp,   // a device closes its stream
  kWait,     // minutes to days pass
  kOperate,  // the operator: grants, transfers, fields that the server writes
  kCheck,    // everybody syncs, and everything is compared
  // Faults, each under its name.
  kLost,
  kDuplicated,
  kCut,
  kAckLost,
  kDelayed,
  kDeviceCrash,
  kServerCrash,
  kFsyncFails,
  kDiskFull,
  kReadError,
  kClockSkew,
  kClockJump,
  kClockFrozen,
  kClockOnce,    // a device's clock is wrong for one edit
  kServerClock,  // the server's clock is wrong for an hour
  kDamage,       // a bit flips in a row of the server's, and is put back later
  kClone,
  kRestore,
  kFileDeleted,
  kKeyAbsent,  // the file is there, and its key is missing or another
  kRevokedOffline,
  kMovedOffline,
  kSlowServer,
  kStranded,        // the old stream's frames arrive after the new one has begun
  kTornFrame,       // a frame arrives in part
  kReconnects,      // everybody at once
  kServerRestored,  // a backup, or the restoration of the last one
  kServerMoved,     // another address or certificate is announced, or taken
  kCourier,         // edits travel by hand: late, twice, in any order, altered, or never
  kOldClient,       // not a step: some devices run an app of an earlier version
  kOldServer,       // the server began as an earlier version, and is updated
  kHostile,         // phones with other software say anything (hostile.h)
};

inline constexpr Act kFirstFault = Act::kLost;
inline constexpr Act kLastFault = Act::kHostile;

absl::string_view NameOf(Act act);
std::vector<Act> AllFaults();
// "cut,clone", "all", "all,-clone" or "none". INVALID_ARGUMENT names what is no fault.
absl::StatusOr<std::vector<Act>> FaultsFromText(absl::string_view text);
std::string TextOf(const std::vector<Act>& faults);

struct Step {
  Act act = Act::kWait;
  uint32_t device = 0;
  uint64_t seed = 0;
};

struct Options {
  uint64_t seed = 1;
  int steps = 1000;
  int devices = 6;
  std::vector<Act> faults;

  bool Has(Act fault) const;
};

struct Plan {
  Options options;
  std::vector<Step> steps;

  // One line each, also read back by FromText.
  std::string ToText() const;
  static absl::StatusOr<Plan> FromText(absl::string_view text);
};

Plan MakePlan(const Options& options);

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_PLAN_H_
