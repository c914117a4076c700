// A device connects, and there is nothing new: what that costs must not grow
// with what it holds.
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client-core/transport/syncer.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"

namespace zhibu::bench {
namespace {

class Holder {
 public:
  Holder(const Options& options, int records)
      : times_(options.quick ? 3 : 40), site_(absl::StrCat(options.folder, "/idle", records)) {
    site_.Fill(records, 100);
    site_.Start();
    store_ = site_.Enrol(site_.Name("device"));
    Reconnect();
    Check(
        CountRecords(*store_, records::v1::Contact::descriptor()) == static_cast<uint64_t>(records),
        "not all records have arrived");
  }

  int times() const { return times_; }

  double Run() {
    const Stopwatch watch;
    for (int i = 0; i < times_; ++i) Reconnect();
    const double seconds = watch.seconds();
    Check(Must(store_->State(), "state").progress_total == 0, "there was something new");
    return seconds;
  }

 private:
  void Reconnect() {
    client::Syncer syncer(store_.get());
    Check(syncer.SyncOnce(absl::Minutes(5)), "reconnect");
  }

  const int times_;
  Site site_;
  std::unique_ptr<client::Store> store_;
};

}  // namespace

void MeasureIdle(const Options& options, Report* report) {
  const int few = options.quick ? 100 : 1000;
  const int many = options.quick ? 1000 : 100'000;
  Holder small(options, few);
  Holder large(options, many);
  const Times times = Alternate(
      options.rounds, [&] { return small.Run(); }, [&] { return large.Run(); });
  report->AddRatio("sync_idle", Aim{true, 0.8}, times, small.times(), "reconnects",
                   absl::StrCat("with ", many, " records; floor: with ", few));
}

}  // namespace zhibu::bench
