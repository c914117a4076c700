// One change to a typical meeting, in memory, against protobuf reading and
// writing the same meeting.
#include "sync/merge/merge.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "sync/base/environment.h"
#include "sync/merge/diff.h"
#include "tests/bench/report.h"
#include "zhibu/records/v1/meeting.pb.h"

namespace zhibu::bench {
namespace {

using records::v1::Meeting;
using sync::v1::Change;

constexpr DeviceNumber kAuthor{2};
constexpr DeviceNumber kOther{3};

Meeting MakeMeeting(const Environment& environment) {
  Meeting meeting;
  meeting.set_branch_id(environment.NewId().str());
  meeting.set_kind(Meeting::MEMBERS);
  meeting.set_topic("七月支部党员大会");
  meeting.set_place("村委会二楼会议室");
  meeting.mutable_starts_at()->set_seconds(1'795'000'000);
  meeting.set_chair_id(environment.NewId().str());
  meeting.set_minutes("传达学习上级文件精神，讨论并通过接收预备党员的决议。");
  for (int i = 0; i < 20; ++i) meeting.add_present(environment.NewId().str());
  meeting.set_state(Meeting::HELD);
  meeting.set_recorder_id(environment.NewId().str());
  for (int i = 1; i <= 3; ++i) {
    auto* item = meeting.add_agenda();
    item->set_number(i);
    item->set_topic("讨论接收预备党员");
    item->set_speaker_id(environment.NewId().str());
  }
  return meeting;
}

class Bench {
 public:
  explicit Bench(const Options& options) : times_(options.quick ? 100 : 20'000) {
    const Environment environment = SystemEnvironment();
    meeting_ = MakeMeeting(environment);
    bytes_ = Canonical(type_.fields, meeting_.SerializeAsString());
    create_.set_type(type_.number);
    create_.set_id(environment.NewId().str());
    create_.set_kind(Change::CREATE);
    Diff(type_, "", bytes_, &create_);
    Do(create_, kAuthor, 1, &made_);
    Meeting elsewhere = meeting_;
    elsewhere.set_place("礼堂");
    change_ = ChangeTo(elsewhere);
    Meeting joined = meeting_;
    joined.add_present(environment.NewId().str());
    join_ = ChangeTo(joined);
  }

  int times() const { return times_; }

  double ParseAndSerialise() {
    const Stopwatch watch;
    size_t bytes = 0;
    for (int i = 0; i < times_; ++i) {
      Meeting meeting;
      Check(meeting.ParseFromString(bytes_), "parse");
      bytes += meeting.SerializeAsString().size();
    }
    const double seconds = watch.seconds();
    Check(bytes == bytes_.size() * times_, "the floor lost bytes");
    return seconds;
  }

  double ChangeField() { return Run(change_, kOther, made_, 0); }
  double Join() { return Run(join_, kOther, made_, Id::kSize + 2); }
  double Create() { return Run(create_, kAuthor, RecordState(), bytes_.size()); }

 private:
  Change ChangeTo(const Meeting& after) const {
    Change change;
    change.set_type(type_.number);
    change.set_id(create_.id());
    change.set_kind(Change::UPDATE);
    change.set_base(1);
    Check(Diff(type_, bytes_, Canonical(type_.fields, after.SerializeAsString()), &change),
          "nothing changes");
    return change;
  }

  void Do(const Change& change, DeviceNumber device, uint64_t version, RecordState* state) const {
    Outcome outcome;
    Check(Apply(&type_, change, {device, Version(version), StampAt(1'795'000'000'000)}, state,
                &outcome),
          "apply");
  }

  // `growth` 0: the record's size is not looked at.
  double Run(const Change& change, DeviceNumber device, const RecordState& before, size_t growth) {
    const Stopwatch watch;
    size_t bytes = 0;
    for (int i = 0; i < times_; ++i) {
      RecordState state = before;
      Do(change, device, 2, &state);
      bytes += state.body.size();
    }
    const double seconds = watch.seconds();
    Check(growth == 0 || bytes == (before.body.size() + growth) * times_, "the merge lost bytes");
    return seconds;
  }

  const int times_;
  const RecordType& type_ = *CatalogueSchema()->Find(Meeting::descriptor());
  Meeting meeting_;
  std::string bytes_;
  RecordState made_;
  Change create_;
  Change change_;
  Change join_;
};

}  // namespace

void MeasureMerge(const Options& options, Report* report) {
  Bench bench(options);
  const auto measure = [&](const std::string& name, double (Bench::*subject)(),
                           const std::string& note) {
    const Times times = Alternate(
        options.rounds, [&] { return bench.ParseAndSerialise(); },
        [&] { return (bench.*subject)(); });
    report->AddRatio(name, Aim{true, 0.5}, times, bench.times(), "merges", note);
  };
  measure("merge.change_a_field", &Bench::ChangeField, "floor: the meeting parsed and serialised");
  measure("merge.create", &Bench::Create, "");
  measure("merge.add_to_present", &Bench::Join, "");
}

}  // namespace zhibu::bench
