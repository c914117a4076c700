#include "tests/sim/command.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sync/base/status.h"
#include "tests/sim/shrink.h"
#include "tests/sim/simulation.h"

namespace zhibu::sim {
namespace {

constexpr double kYearMs = 365.0 * 86'400'000;

struct Arguments {
  Options options;
  std::string faults = "all";
  std::string plan_file;
  std::vector<std::string> expected;  // invariants
  int seeds = 1;
  int shrink_runs = 300;
  bool trace = false;
};

nlohmann::json JsonOf(const Plan& plan, const Report& report, double seconds) {
  nlohmann::json json = {{"seed", plan.options.seed},
                         {"steps", plan.steps.size()},
                         {"devices", plan.options.devices},
                         {"faults", report.stats.faults},
                         {"digest", report.digest},
                         {"edits", report.stats.edits},
                         {"merged", report.merged},
                         {"rows", report.rows},
                         {"hostile_edits", report.stats.hostile_edits},
                         {"hostile_merged", report.hostile},
                         {"hostile_asked", report.stats.hostile_asked},
                         {"conflict_notes", report.notes},
                         {"verified_check_ins", report.verified},
                         {"questions", report.stats.questions},
                         {"further_pages", report.stats.pages},
                         {"records_shown", report.stats.looked_at},
                         {"opened_for_a_time", report.opened},
                         {"found_twice", report.found_twice},
                         {"decided", report.decided},
                         {"sessions", report.stats.sessions},
                         {"frames", report.stats.frames},
                         {"restarts", report.stats.restarts},
                         {"forks", report.stats.forks},
                         {"carried", report.stats.carried},
                         {"amended", report.stats.amended},
                         {"discarded", report.stats.discarded},
                         {"returned_unknown", report.returned_unknown},
                         {"merged_unknown", report.merged_unknown},
                         {"checks", report.stats.checks},
                         {"judged",
                          {{"hold", report.stats.judged[0]},
                           {"broken", report.stats.judged[1]},
                           {"unknown", report.stats.judged[2]},
                           {"wrong", report.stats.judged[3]}}},
                         {"counted", report.stats.counted},
                         {"dearest", report.stats.dearest},
                         {"virtual_years", report.virtual_ms / kYearMs},
                         {"speed_up", report.virtual_ms / 1000.0 / seconds},
                         {"seconds", seconds}};
  if (report.failure) {
    json["failure"] = {{"step", report.step},
                       {"invariant", report.failure->invariant},
                       {"detail", report.failure->detail},
                       {"history", report.history}};
  }
  return json;
}

uint64_t Faults(const Stats& stats) {
  uint64_t faults = 0;
  for (const auto& [name, count] : stats.faults) faults += count;
  return faults;
}

void Show(const Plan& plan, const Report& report, double seconds, bool chinese) {
  constexpr absl::string_view kChinese =
      "种子 %d: %d 步, %d 次修改 (%d 次合并), %d 次会话, %d 帧, %d 次故障, %d 次重启, %d 次分叉, "
      "模拟 %.2f 年, "
      "用时 %.2f 秒 (快 %.0f 倍), 摘要 %s\n";
  constexpr absl::string_view kEnglish =
      "seed %d: %d steps, %d edits (%d merged), %d sessions, %d frames, %d faults, %d restarts, %d "
      "forks, %.2f years in %.2f s (%.0f times faster), digest %s\n";
  const auto show = [&](const auto& format) {
    std::cout << absl::StreamFormat(
        format, plan.options.seed, plan.steps.size(), report.stats.edits, report.merged,
        report.stats.sessions, report.stats.frames, Faults(report.stats), report.stats.restarts,
        report.stats.forks, report.virtual_ms / kYearMs, seconds,
        report.virtual_ms / 1000.0 / seconds, report.digest);
  };
  using Format =
      absl::FormatSpec<uint64_t, size_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                       uint64_t, double, double, double, std::string>;
  if (chinese) {
    show(Format(kChinese));
  } else {
    show(Format(kEnglish));
  }
}

void ShowFailure(const Plan& plan, const Report& report) {
  std::cout << absl::StreamFormat("FAILED  seed %d, step %d\ninvariant: %s\n%s\n%s",
                                  plan.options.seed, report.step, report.failure->invariant,
                                  report.failure->detail, report.history)
            << absl::StreamFormat(
                   "replay: zhibu sim --seed %d --steps %d --devices %d --faults %s\n",
                   plan.options.seed, plan.steps.size(), plan.options.devices,
                   TextOf(plan.options.faults));
}

void ShowShrunk(Plan plan, const Report& report, int runs_max) {
  plan.steps.resize(std::min<size_t>(plan.steps.size(), report.step + 1));
  const Plan least = Shrink(plan, runs_max, [&](const Plan& smaller) {
    const Report again = Run(smaller);
    return again.failure && again.failure->invariant == report.failure->invariant;
  });
  const Report again = Run(least);
  std::cout << "the shortest plan found that fails in the same way (for --plan FILE):\n"
            << least.ToText();
  if (again.failure) std::cout << "# " << again.failure->detail << "\n" << again.history;
}

absl::Status Simulate(const Arguments& arguments, bool json, Language language) {
  Options options = arguments.options;
  ASSIGN_OR_RETURN(options.faults, FaultsFromText(arguments.faults));
  for (int i = 0; i < arguments.seeds; ++i) {
    Plan plan = MakePlan(options);
    if (!arguments.plan_file.empty()) {
      std::ifstream file(arguments.plan_file);
      std::stringstream text;
      text << file.rdbuf();
      if (!file) return absl::NotFoundError(arguments.plan_file);
      ASSIGN_OR_RETURN(plan, Plan::FromText(text.str()));
    }
    const auto began = std::chrono::steady_clock::now();
    const Report report = Run(plan, arguments.trace);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (json) {
      std::cout << JsonOf(plan, report, seconds).dump() << std::endl;
    } else {
      Show(plan, report, seconds, language == Language::kChinese);
    }
    if (report.failure && !arguments.expected.empty()) {
      std::cout << absl::StreamFormat("broken at step %d: %s\n", report.step,
                                      report.failure->invariant);
      if (std::count(arguments.expected.begin(), arguments.expected.end(),
                     report.failure->invariant) > 0) {
        return absl::OkStatus();
      }
    } else if (report.failure) {
      if (!json) {
        ShowFailure(plan, report);
        if (arguments.shrink_runs > 0) ShowShrunk(plan, report, arguments.shrink_runs);
      }
      return absl::InternalError(absl::StrCat("seed ", plan.options.seed, ", step ", report.step,
                                              ": ", report.failure->invariant));
    }
    ++options.seed;
  }
  if (!arguments.expected.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no seed has broken: ", absl::StrJoin(arguments.expected, ", ")));
  }
  return absl::OkStatus();
}

}  // namespace

void AddSimCommand(CLI::App* app, const bool* json, const Language* language,
                   std::function<absl::Status()>* chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* sim = app->add_subcommand("sim", "Years of bad luck, in minutes, from a seed");
  sim->add_option("--seed", arguments->options.seed, "The same seed gives the same run")
      ->capture_default_str();
  sim->add_option("--steps", arguments->options.steps, "How many things happen")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  sim->add_option("--devices", arguments->options.devices, "How many devices there are at first")
      ->check(CLI::Range(1, 50))
      ->capture_default_str();
  sim->add_option("--faults", arguments->faults,
                  absl::StrCat("all; all,-clone; none; or some of: ",
                               [] {
                                 std::string names;
                                 for (const Act fault : AllFaults()) {
                                   absl::StrAppend(&names, names.empty() ? "" : ",", NameOf(fault));
                                 }
                                 return names;
                               }()))
      ->capture_default_str();
  sim->add_option("--seeds", arguments->seeds, "Run this many seeds, from --seed on")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  sim->add_option("--plan", arguments->plan_file, "Run the steps in this file instead");
  sim->add_option("--shrink-runs", arguments->shrink_runs,
                  "Runs to spend on the shortest plan that fails; 0: none")
      ->capture_default_str();
  sim->add_option(
      "--expect", arguments->expected,
      "Succeed only if a seed breaks one of these invariants: the simulator's own test");
  sim->add_flag("--trace", arguments->trace, "Show each step on standard error");
  sim->callback([=] { *chosen = [=] { return Simulate(*arguments, *json, *language); }; });
}

}  // namespace zhibu::sim
