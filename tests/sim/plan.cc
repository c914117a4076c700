#include "tests/sim/plan.h"

#include <algorithm>
#include <array>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sync/base/status.h"
#include "tests/sim/dice.h"

namespace zhibu::sim {
namespace {

constexpr std::array<const char*, 40> kNames = {"edit",
                                                "connect",
                                                "talk",
                                                "sync",
                                                "hang-up",
                                                "wait",
                                                "operate",
                                                "check",
                                                "lost",
                                                "duplicated",
                                                "cut",
                                                "ack-lost",
                                                "delayed",
                                                "device-crash",
                                                "server-crash",
                                                "fsync-fails",
                                                "disk-full",
                                                "read-error",
                                                "clock-skew",
                                                "clock-jump",
                                                "clock-frozen",
                                                "clock-once",
                                                "server-clock",
                                                "damage",
                                                "clone",
                                                "restore",
                                                "file-deleted",
                                                "key-absent",
                                                "revoked-offline",
                                                "moved-offline",
                                                "slow-server",
                                                "reordered",
                                                "torn-frame",
                                                "reconnects",
                                                "server-restored",
                                                "server-moved",
                                                "courier",
                                                "old-client",
                                                "old-server",
                                                "hostile"};
static_assert(kNames.size() == static_cast<size_t>(Act::kHostile) + 1);

// Out of a hundred; the rest is faults, if there are any.
struct Weight {
  Act act;
  int percent;
};
constexpr Weight kLife[] = {{Act::kEdit, 42}, {Act::kTalk, 22}, {Act::kConnect, 7},
                            {Act::kSync, 8},  {Act::kWait, 7},  {Act::kOperate, 3},
                            {Act::kHangUp, 2}};
// Between two comparisons of everything.
constexpr int kStepsToCheck = 400;

// One in so many steps of those who say anything, and of clocks that are wrong for a while.
constexpr int kStepsToHostile = 12;
constexpr int kStepsToWrongClock = 60;
constexpr int kStepsToDamage = 60;
constexpr int kStepsToMove = 120;

Act ChooseAct(const std::vector<Act>& faults, Dice* dice) {
  int at = static_cast<int>(dice->Below(100));
  for (const Weight& weight : kLife) {
    if (at < weight.percent) return weight.act;
    at -= weight.percent;
  }
  if (faults.empty()) return Act::kEdit;
  const Act fault = dice->Of(faults);
  return fault == Act::kOldClient || fault == Act::kOldServer ? Act::kEdit : fault;
}

// Early on; and again, should a backup from before have brought the earlier version back.
void AddUpdates(Dice* dice, std::vector<Step>* steps) {
  if (steps->empty()) return;
  const size_t third = steps->size() / 3;
  (*steps)[dice->Below(third)].act = Act::kOldServer;
  (*steps)[third + dice->Below(steps->size() - third)].act = Act::kOldServer;
}

// So that the other faults come as they would without.
void AddOften(Act act, int one_in, Dice* dice, std::vector<Step>* steps) {
  for (Step& step : *steps) {
    if ((step.act == Act::kEdit || step.act == Act::kTalk) && dice->OneIn(one_in)) step.act = act;
  }
}

absl::StatusOr<Act> ActFromText(absl::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<Act>(i);
  }
  return absl::InvalidArgumentError(absl::StrCat("no such fault or step: ", name));
}

}  // namespace

absl::string_view NameOf(Act act) { return kNames[static_cast<size_t>(act)]; }

std::vector<Act> AllFaults() {
  std::vector<Act> all;
  for (int act = static_cast<int>(kFirstFault); act <= static_cast<int>(kLastFault); ++act) {
    all.push_back(static_cast<Act>(act));
  }
  return all;
}

absl::StatusOr<std::vector<Act>> FaultsFromText(absl::string_view text) {
  std::vector<Act> faults;
  if (text == "none" || text.empty()) return faults;
  for (absl::string_view name : absl::StrSplit(text, ',')) {
    if (name == "all") {
      faults = AllFaults();
      continue;
    }
    const bool without = absl::ConsumePrefix(&name, "-");
    ASSIGN_OR_RETURN(const Act act, ActFromText(name));
    if (act < kFirstFault) return absl::InvalidArgumentError(absl::StrCat("no fault: ", name));
    faults.erase(std::remove(faults.begin(), faults.end(), act), faults.end());
    if (!without) faults.push_back(act);
  }
  return faults;
}

std::string TextOf(const std::vector<Act>& faults) {
  if (faults.empty()) return "none";
  if (faults.size() == AllFaults().size()) return "all";
  return absl::StrJoin(faults, ",",
                       [](std::string* out, Act act) { absl::StrAppend(out, NameOf(act)); });
}

Plan MakePlan(const Options& options) {
  Plan plan{options, {}};
  Dice dice(options.seed * 0x2545f4914f6cdd1dull + 1);
  std::vector<Act> faults = options.faults;
  const auto apart = [](Act act) {
    return act == Act::kHostile || act == Act::kClockOnce || act == Act::kServerClock ||
           act == Act::kDamage || act == Act::kServerMoved;
  };
  faults.erase(std::remove_if(faults.begin(), faults.end(), apart), faults.end());
  for (int i = 0; i < options.steps; ++i) {
    Step step;
    step.act = (i + 1) % kStepsToCheck == 0 ? Act::kCheck : ChooseAct(faults, &dice);
    step.device = dice.Below(options.devices);
    step.seed = dice.Next();
    plan.steps.push_back(step);
  }
  if (options.Has(Act::kOldServer)) AddUpdates(&dice, &plan.steps);
  // Each says but a little.
  if (options.Has(Act::kHostile)) AddOften(Act::kHostile, kStepsToHostile, &dice, &plan.steps);
  for (const Act clock : {Act::kClockOnce, Act::kServerClock}) {
    if (options.Has(clock)) AddOften(clock, kStepsToWrongClock, &dice, &plan.steps);
  }
  if (options.Has(Act::kDamage)) AddOften(Act::kDamage, kStepsToDamage, &dice, &plan.steps);
  if (options.Has(Act::kServerMoved)) {
    AddOften(Act::kServerMoved, kStepsToMove, &dice, &plan.steps);
  }
  return plan;
}

bool Options::Has(Act fault) const {
  return std::find(faults.begin(), faults.end(), fault) != faults.end();
}

std::string Plan::ToText() const {
  std::string text = absl::StrCat("plan seed=", options.seed, " devices=", options.devices,
                                  " faults=", sim::TextOf(options.faults), "\n");
  for (const Step& step : steps) {
    absl::StrAppend(&text, NameOf(step.act), " ", step.device, " ", absl::Hex(step.seed), "\n");
  }
  return text;
}

absl::StatusOr<Plan> Plan::FromText(absl::string_view text) {
  Plan plan;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (line[0] == '#') continue;
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    bool good = true;
    if (words[0] == "plan") {
      for (size_t i = 1; i < words.size(); ++i) {
        const std::vector<absl::string_view> pair = absl::StrSplit(words[i], '=');
        if (pair.size() != 2) return absl::InvalidArgumentError(absl::StrCat("plan: ", line));
        if (pair[0] == "seed") good = good && absl::SimpleAtoi(pair[1], &plan.options.seed);
        if (pair[0] == "devices") good = good && absl::SimpleAtoi(pair[1], &plan.options.devices);
        if (pair[0] == "faults") {
          ASSIGN_OR_RETURN(plan.options.faults, FaultsFromText(pair[1]));
        }
      }
    } else {
      Step step;
      ASSIGN_OR_RETURN(step.act, ActFromText(words[0]));
      good = words.size() == 3 && absl::SimpleAtoi(words[1], &step.device) &&
             absl::SimpleHexAtoi(words[2], &step.seed);
      plan.steps.push_back(step);
    }
    if (!good) return absl::InvalidArgumentError(absl::StrCat("plan: ", line));
  }
  plan.options.steps = static_cast<int>(plan.steps.size());
  return plan;
}

}  // namespace zhibu::sim
