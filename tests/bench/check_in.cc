// Somebody checks in by a code while there is signal: from the commit on their phone until
// the phone shows what the server makes of it, against a raw stream whose receiver
// inserts the same bytes durably and acknowledges them.
#include "client-core/actions/check_in.h"

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client-core/transport/syncer.h"
#include "sync/crypto/check_in_code.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"
#include "tests/support/unpacked.h"
#include "zhibu/records/v1/meeting.pb.h"

namespace zhibu::bench {
namespace {

using records::v1::CheckIn;

class Scene {
 public:
  explicit Scene(const Options& options)
      : times_(options.quick ? 5 : 200), site_(absl::StrCat(options.folder, "/check_in")) {
    site_.Start();
    store_ = site_.Enrol(site_.Name("device"));
    identity_ = Must(store_->GetIdentity(), "identity");
    client::Syncer syncer(store_.get());
    Check(syncer.SyncOnce(absl::Minutes(1)), "check-in");
    CutFrame();
    Check(syncer.SyncOnce(absl::Minutes(1)), "check-in");
  }

  int times() const { return times_; }
  double bytes_up() const { return static_cast<double>(frame_.size()); }
  double bytes_down() const { return bytes_down_; }

  double Subject() {
    {
      absl::MutexLock lock(&mutex_);
      in_step_ = false;
    }
    client::Syncer syncer(store_.get());
    const auto subscription = store_->Subscribe([this](const client::Changes&) {
      absl::MutexLock lock(&mutex_);
      changed_ = true;
    });
    std::thread runner([&] {
      syncer.Run([this](const absl::Status& status) {
        absl::MutexLock lock(&mutex_);
        in_step_ = status.ok();
        changed_ = true;
      });
    });
    Await([this] {
      absl::MutexLock lock(&mutex_);
      return in_step_;
    });
    const uint64_t received = Received();
    const Stopwatch watch;
    for (int i = 0; i < times_; ++i) {
      const Id id = Scan();
      Await([&] {
        const client::Draft draft = Must(store_->Edit<CheckIn>(id), "check-in");
        return static_cast<const CheckIn&>(draft.message()).standing() == CheckIn::VERIFIED;
      });
    }
    const double seconds = watch.seconds();
    bytes_down_ = static_cast<double>(Received() - received) / times_;
    syncer.Stop();
    runner.join();
    return seconds;
  }

  double Floor() {
    RawTable table(site_.Name("floor"), RawTable::Layout::kAppend);
    const std::vector<std::string> frames(times_, frame_);
    return RawPush(site_.tls(), frames, /*one_by_one=*/true, [&](size_t) {
      table.Insert({{0, "", edit_}});
    });
  }

 private:
  // An activity that the server has not heard of; the secretary's own code.
  Id Scan() {
    const auto code =
        MakeCheckInCode(store_->environment().NewId(), site_.branch(), identity_.device,
                        Must(store_->ServerNow(), "clock"), identity_.secret_key);
    client::Draft draft = Must(client::CheckInByCode(*store_, ToText(code)), "check-in");
    Check(store_->Commit({&draft}).status(), "check-in");
    return draft.id();
  }

  // What one takes on the way to the server.
  void CutFrame() {
    Scan();
    sync::v1::ClientFrame frame;
    for (auto& edit : Must(store_->Pending(EditNumber(0), 1), "pending")) {
      edit_ = edit.edit();
      *frame.mutable_push()->add_edits() = std::move(edit);
    }
    Compressor compressor;
    CompressFrame(compressor, &frame);
    frame_ = frame.SerializeAsString();
  }

  uint64_t Received() { return Must(store_->State(), "state").bytes_received; }

  void Await(absl::FunctionRef<bool()> holds) {
    while (!holds()) {
      absl::MutexLock lock(&mutex_);
      Check(mutex_.AwaitWithTimeout(absl::Condition(&changed_), absl::Minutes(1)),
            "a check-in has not been answered");
      changed_ = false;
    }
  }

  const int times_;
  Site site_;
  std::unique_ptr<client::Store> store_;
  client::Identity identity_;
  std::string edit_;
  std::string frame_;
  double bytes_down_ = 0;
  absl::Mutex mutex_;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;
  bool in_step_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

void MeasureCheckIn(const Options& options, Report* report) {
  Scene scene(options);
  const Times times = Alternate(
      options.rounds, [&] { return scene.Floor(); }, [&] { return scene.Subject(); });
  report->AddRatio("check_in", std::nullopt, times, scene.times(), "check-ins",
                   "one after the other, each until the phone shows that it is verified");
  report->AddValue("check_in.bytes_up", std::nullopt, scene.bytes_up(), "the push frame");
  report->AddValue("check_in.bytes_down", std::nullopt, scene.bytes_down(),
                   "answer, record, finding");
}

}  // namespace zhibu::bench
