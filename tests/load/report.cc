#include "tests/load/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace zhibu::load {
namespace {

using Json = nlohmann::json;

constexpr const char* kModeNames[] = {"push", "check-in", "storm", "idle"};

double Per(double what, double of) { return of > 0 ? what / of : 0; }

double AnsweredPerSecond(const Run& run) {
  // Those of the seconds in which it was offered; what was drained afterwards is another matter.
  const auto& seconds = run.outcome.tally.answered_by_second;
  uint64_t answered = 0;
  const auto offered = static_cast<size_t>(run.plan.seconds);
  for (size_t i = 0; i < std::min(offered, seconds.size()); ++i) answered += seconds[i];
  return Per(static_cast<double>(answered), run.plan.seconds);
}

double CyclesPerSecond(const Run& run) {
  const Outcome& outcome = run.outcome;
  return Per(static_cast<double>(outcome.tally.cycles.count()),
             outcome.seconds + outcome.drain_seconds);
}

// From when offering began until the last answer.
double ServerSeconds(const Run& run) {
  return run.server.ended.cpu_seconds - run.server.opened.cpu_seconds;
}

double BytesPerStream(const Run& run) {
  const auto grown =
      static_cast<double>(run.server.opened.memory_bytes - run.server.settled.memory_bytes);
  return Per(grown, static_cast<double>(run.outcome.opened));
}

Json JsonOf(const Histogram& histogram) {
  return {{"count", histogram.count()},
          {"p50_us", histogram.Percentile(0.5)},
          {"p99_us", histogram.Percentile(0.99)},
          {"p999_us", histogram.Percentile(0.999)},
          {"max_us", histogram.max()}};
}

template <typename... Args>
std::string In(Language language, const absl::FormatSpec<Args...>& zh,
               const absl::FormatSpec<Args...>& en, const Args&... args) {
  return absl::StrFormat(language == Language::kChinese ? zh : en, args...);
}

std::string Milliseconds(int64_t us) { return absl::StrFormat("%.1f", us / 1000.0); }

class Table {
 public:
  explicit Table(Language language) : chinese_(language == Language::kChinese) {}

  void Line(absl::string_view zh, absl::string_view en, absl::string_view value) {
    absl::StrAppend(&text_, chinese_ ? zh : en, ": ", value, "\n");
  }
  void Times(absl::string_view zh, absl::string_view en, const Histogram& histogram) {
    if (histogram.count() == 0) return;
    Line(zh, en,
         absl::StrCat("p50 ", Milliseconds(histogram.Percentile(0.5)), "  p99 ",
                      Milliseconds(histogram.Percentile(0.99)), "  p99.9 ",
                      Milliseconds(histogram.Percentile(0.999)), "  ",
                      chinese_ ? "最长" : "longest", " ", Milliseconds(histogram.max()), " ms"));
  }
  std::string text() && { return std::move(text_); }

 private:
  const bool chinese_;
  std::string text_;
};

}  // namespace

Json JsonOf(const Run& run) {
  const Outcome& outcome = run.outcome;
  const Tally& tally = outcome.tally;
  return {{"mode", kModeNames[static_cast<int>(run.plan.mode)]},
          {"devices", run.plan.devices},
          {"per_branch", run.plan.per_branch},
          {"seconds", run.plan.seconds},
          {"edits_at_once", run.plan.edits},
          {"rate", run.plan.rate},
          {"think_ms", run.plan.think_ms},
          {"slow_percent", run.plan.slow_percent},
          {"wrong_clock_percent", run.plan.wrong_clock_percent},
          {"seed", run.plan.seed},
          {"opened", outcome.opened},
          {"opening_seconds", outcome.opening_seconds},
          {"answered_per_second", AnsweredPerSecond(run)},
          {"cycles_per_second", CyclesPerSecond(run)},
          {"sent", tally.sent},
          {"answered", tally.answers.count()},
          {"merged", tally.merged},
          {"not_offered", tally.not_offered},
          {"waiting", outcome.waiting},
          {"drain_seconds", outcome.drain_seconds},
          {"unanswered", outcome.unanswered},
          {"records_received", tally.records},
          {"answers", JsonOf(tally.answers)},
          {"others", JsonOf(tally.others)},
          {"cycles", JsonOf(tally.cycles)},
          {"openings", JsonOf(tally.openings)},
          {"answered_by_second", tally.answered_by_second},
          {"bytes_up", tally.bytes_up},
          {"bytes_down", tally.bytes_down},
          {"errors", tally.errors},
          {"server",
           {{"cpu_seconds", ServerSeconds(run)},
            {"cpu_us_per_edit",
             Per(1e6 * ServerSeconds(run), static_cast<double>(tally.answers.count()))},
            {"memory_bytes", run.server.settled.memory_bytes},
            {"memory_bytes_opened", run.server.opened.memory_bytes},
            {"memory_bytes_offered", run.server.offered.memory_bytes},
            {"memory_bytes_max", run.server.ended.memory_bytes_max},
            {"bytes_per_stream", BytesPerStream(run)}}},
          {"self",
           {{"cpu_seconds", run.self.ended.cpu_seconds - run.self.opened.cpu_seconds},
            {"memory_bytes_max", run.self.ended.memory_bytes_max}}}};
}

std::string TableOf(const Run& run, Language language) {
  const Outcome& outcome = run.outcome;
  const Tally& tally = outcome.tally;
  Table table(language);
  if (run.plan.mode != Mode::kStorm) {
    table.Line("连接", "streams",
               In(language, "%d 条，每秒建立 %.0f 条", "%d, opened %.0f a second", outcome.opened,
                  Per(static_cast<double>(outcome.opened), outcome.opening_seconds)));
    table.Times("建立连接到同步完毕", "from dialling until in step", tally.openings);
  }
  if (run.plan.mode == Mode::kStorm) {
    table.Line("轮次", "cycles",
               In(language, "%d 次，每秒 %.0f 次", "%d, %.0f a second", tally.cycles.count(),
                  CyclesPerSecond(run)));
    table.Times("每轮", "each cycle", tally.cycles);
  }
  if (run.plan.mode != Mode::kIdle) {
    table.Line(
        "答复", "answered",
        In(language, "%d 条，每秒 %.0f 条；其中并入 %d 条", "%d, %.0f a second; %d of them merged",
           tally.answers.count(), AnsweredPerSecond(run), tally.merged));
    table.Times("从产生到答复", "from due to answered", tally.answers);
    table.Times("从发出到同支部其他设备", "from sent to others of the branch", tally.others);
    table.Line("逐秒答复", "answered each second", absl::StrJoin(tally.answered_by_second, " "));
    table.Line("结束时等待", "waiting at the end",
               In(language, "%d 条，%.1f 秒后余 %d 条；因积压未提交 %d 条",
                  "%d, after %.1f s %d; %d not offered for those before", outcome.waiting,
                  outcome.drain_seconds, outcome.unanswered, tally.not_offered));
  }
  table.Line("流量", "bytes",
             In(language, "上行 %d，下行 %d", "%d up, %d down", tally.bytes_up, tally.bytes_down));
  if (run.server.ended.cpu_seconds > 0) {
    constexpr double kMiB = 1 << 20;
    table.Line(
        "服务器", "server",
        In(language,
           "处理器 %.1f 秒，每条 %.0f 微秒；内存 %.0f→%.0f "
           "MiB（每连接 %.0f kB），最多 %.0f MiB",
           "%.1f s of processor, %.0f us an edit; memory %.0f to "
           "%.0f MiB (%.0f kB a stream), at most %.0f MiB",
           ServerSeconds(run),
           Per(1e6 * ServerSeconds(run), static_cast<double>(tally.answers.count())),
           static_cast<double>(run.server.settled.memory_bytes) / kMiB,
           static_cast<double>(run.server.opened.memory_bytes) / kMiB, BytesPerStream(run) / 1000,
           static_cast<double>(run.server.ended.memory_bytes_max) / kMiB));
  }
  table.Line("本程序", "this program",
             In(language, "处理器 %.1f 秒", "%.1f s of processor",
                run.self.ended.cpu_seconds - run.self.opened.cpu_seconds));
  for (const auto& [what, times] : tally.errors) {
    table.Line("出错", "errors", absl::StrCat(what, " × ", times));
  }
  return std::move(table).text();
}

}  // namespace zhibu::load
