// What a check of the rule book costs, against protobuf reading the record that it judges; and
// how long a book of a hundred such rules takes to compile.
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/rules/cel/environment.h"
#include "tests/bench/report.h"
#include "zhibu/records/v1/meeting.pb.h"

namespace zhibu::bench {
namespace {

using records::v1::Meeting;

// A quorum, a majority of each vote, a field that must be filled in, a day.
constexpr char kCheck[] =
    "this.state in [HELD, CLOSED] && this.kind == MEMBERS && "
    "this.present.size() * 2 > param('members.present') && "
    "this.resolutions.all(r, r.vote.in_favour * 2 > r.vote.entitled) && "
    "has(this.recorder_id) && this.starts_at >= timestamp('2014-05-28T00:00:00+08:00')";

constexpr int kRules = 100;

std::string HeldMeeting() {
  Meeting meeting;
  meeting.set_branch_id(std::string(16, 'b'));
  meeting.set_kind(Meeting::MEMBERS);
  meeting.set_state(Meeting::HELD);
  meeting.set_topic("七月支部党员大会");
  meeting.set_place("村委会二楼会议室");
  meeting.set_recorder_id(std::string(16, 'r'));
  meeting.mutable_starts_at()->set_seconds(1'795'000'000);
  meeting.set_minutes("传达学习上级文件精神，讨论并通过接收预备党员的决议。");
  for (char i = 0; i < 20; ++i) meeting.add_present(std::string(16, i));
  for (uint32_t i = 1; i <= 3; ++i) {
    auto* resolution = meeting.add_resolutions();
    resolution->set_number(i);
    resolution->set_text("同意接收为预备党员");
    resolution->mutable_vote()->set_entitled(20);
    resolution->mutable_vote()->set_in_favour(18);
  }
  return meeting.SerializeAsString();
}

class Bench {
 public:
  explicit Bench(const Options& options) : times_(options.quick ? 100 : 20'000) {
    environment_.AddFunction(
        {"param", cel::Style::kGlobal, {cel::Type::String()}, cel::Type::Int(), [](cel::Call&) {
           return cel::Value::Int(20);
         }});
    Check(meeting_.ParseFromString(bytes_), "parse");
    program_.push_back(Compile(kCheck));
    activation_.Set(this_, cel::Value::OfMessage(&meeting_));
  }

  int times() const { return times_; }

  double Parse() {
    const Stopwatch watch;
    for (int i = 0; i < times_; ++i) {
      Meeting meeting;
      Check(meeting.ParseFromString(bytes_), "parse");
    }
    return watch.seconds();
  }

  double Evaluate() {
    const Stopwatch watch;
    for (int i = 0; i < times_; ++i) {
      Check(program_[0].Evaluate(activation_, cel::Budget{}).is_bool(true), "the check holds");
    }
    return watch.seconds();
  }

  // Each a little different, as rules are.
  double CompileBook() {
    const Stopwatch watch;
    for (int i = 0; i < kRules; ++i) {
      Compile(absl::StrCat(kCheck, " && this.resolutions.size() < ", i + 10));
    }
    return watch.seconds();
  }

 private:
  cel::Program Compile(const std::string& source) const {
    return Must(environment_.Compile(source, cel::Type::Bool()), source);
  }

  const int times_;
  const std::string bytes_ = HeldMeeting();
  Meeting meeting_;
  cel::Environment environment_;
  const cel::Variable this_ =
      environment_.AddVariable("this", cel::Type::Message(*Meeting::descriptor()));
  cel::Activation activation_;
  std::vector<cel::Program> program_;
};

}  // namespace

void MeasureRules(const Options& options, Report* report) {
  Bench bench(options);
  const Times times = Alternate(
      options.rounds, [&] { return bench.Parse(); }, [&] { return bench.Evaluate(); });
  report->AddRatio("rules.check", Aim{true, 0.5}, times, bench.times(), "checks",
                   "floor: the meeting that it judges, parsed");
  bench.CompileBook();
  report->AddValue("rules.compile_ms", Aim{false, 30}, bench.CompileBook() * 1000,
                   absl::StrCat("a book of ", kRules, " checks"));
}

}  // namespace zhibu::bench
