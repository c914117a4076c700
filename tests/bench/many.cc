// Many devices at once on streams of their own over TLS, those of zhibu load, against gRPC streams
// that carry as many bytes for the same light client and are answered once raw rows of them are
// durable.
#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/crowd_floor.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"
#include "tests/load/crowd.h"
#include "tests/load/site.h"

namespace zhibu::bench {
namespace {

struct Case {
  const char* name;
  std::optional<Aim> aim;
  const char* unit;
  const char* note;
  load::Plan plan;
};

double RateOf(const load::Plan& plan, const load::Outcome& outcome) {
  if (plan.mode == load::Mode::kStorm) {
    return static_cast<double>(outcome.tally.cycles.count()) /
           (outcome.seconds + outcome.drain_seconds);
  }
  const auto& seconds = outcome.tally.answered_by_second;
  uint64_t answered = 0;
  for (size_t i = 0; i < std::min(seconds.size(), static_cast<size_t>(plan.seconds)); ++i) {
    answered += seconds[i];
  }
  return static_cast<double>(answered) / plan.seconds;
}

class Crowds {
 public:
  Crowds(const Options& options, const Case& one)
      : plan_(one.plan), site_(absl::StrCat(options.folder, "/many_", one.name)) {
    if (options.quick) {
      plan_.devices = std::min(plan_.devices, 12);
      plan_.seconds = 1;
      plan_.rate = std::min(plan_.rate, 50.0);
    }
    site_.Start();
    const auto admin = server::AdminSocketChannel(site_.folder());
    Check(admin != nullptr, "many: the server takes no admin calls");
    devices_ = Must(load::Settle(admin, absl::StrCat("127.0.0.1:", site_.port()), plan_, "bench"),
                    "settle");
  }

  const load::Plan& plan() const { return plan_; }

  // Answered a second, or cycles.
  double Subject() {
    outcome_ = Must(load::RunCrowd(plan_, &devices_, {.opened = [] {}, .offered = [] {}}), "many");
    for (const auto& [what, times] : outcome_.tally.errors) {
      Check(false, absl::StrCat("many: ", what, " × ", times));
    }
    Check(outcome_.unanswered == 0, "many: not every edit was answered");
    return RateOf(plan_, outcome_);
  }
  double Floor() {
    const auto& tally = outcome_.tally;
    const auto edits = std::max<uint64_t>(1, tally.answers.count());
    RawPlan raw;
    raw.streams = plan_.devices;
    raw.per_group = plan_.per_branch;
    raw.rows = plan_.edits;
    raw.row_bytes = tally.bytes_up / edits;
    raw.ack_bytes = tally.bytes_down / edits * static_cast<uint64_t>(plan_.edits);
    raw.storm = plan_.mode == load::Mode::kStorm;
    raw.rate = plan_.rate;
    raw.seconds = plan_.seconds;
    if (plan_.rate > 0) {
      raw.relay_bytes = raw.ack_bytes / static_cast<size_t>(plan_.per_branch);
      raw.ack_bytes = raw.relay_bytes;
    }
    floor_ = RunRawCrowd(site_.tls(), raw, site_.Name("floor"));
    return floor_.rows_per_second;
  }
  double OthersP99() const {
    return static_cast<double>(outcome_.tally.others.Percentile(0.99)) / 1000;
  }
  double FloorOthersP99() const {
    return static_cast<double>(floor_.others.Percentile(0.99)) / 1000;
  }

 private:
  load::Plan plan_;
  Site site_;
  load::Site devices_;
  load::Outcome outcome_;
  RawOutcome floor_;
};

std::vector<Case> Cases() {
  using load::Mode;
  return {
      {"push_500",
       Aim{true, 0.5},
       "edits",
       "20 to a frame, 500 open streams",
       {.mode = Mode::kPush, .devices = 500, .seconds = 5, .edits = 20}},
      {"edits_2000",
       std::nullopt,
       "edits",
       "one outstanding each, 2,000 open streams",
       {.mode = Mode::kPush, .devices = 2000, .seconds = 5}},
      {"check_in_2000",
       Aim{true, 0.4},
       "check-ins",
       "by code, 2,000 open streams",
       {.mode = Mode::kCheckIn, .devices = 2000, .seconds = 5}},
      {"storm",
       Aim{true, 0.6},
       "cycles",
       "dial, TLS, prove, push 5, pull, close; 500 at a time",
       {.mode = Mode::kStorm, .devices = 500, .seconds = 5, .edits = 5}},
  };
}

}  // namespace

void MeasureMany(const Options& options, Report* report) {
  for (const Case& one : Cases()) {
    Crowds scene(options, one);
    // A rate is one over the seconds that one takes.
    const Times times = Alternate(
        options.rounds, [&] { return 1 / scene.Floor(); }, [&] { return 1 / scene.Subject(); });
    report->AddRatio(absl::StrCat("many.", one.name), one.aim, times, 1, one.unit, one.note);
  }
  const Case fan_out = {"fan_out",
                        Aim{true, 0.5},
                        "",
                        "",
                        {.mode = load::Mode::kPush, .devices = 2000, .seconds = 5, .rate = 500}};
  Crowds scene(options, fan_out);
  const Times times = Alternate(
      options.rounds,
      [&] {
        scene.Floor();
        return scene.FloorOthersP99();
      },
      [&] {
        scene.Subject();
        return scene.OthersP99();
      });
  report->AddRatio("many.fan_out_p99", fan_out.aim, times, 1000, "1/p99 in s",
                   "500 edits/s on 2,000 streams, each to five others; the floor relays");
}

}  // namespace zhibu::bench
