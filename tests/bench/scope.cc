// A branch of 100 members and 3,000 records enters a device, because its owner is
// given an office there, and leaves it again. Floors: a raw stream of as many bytes in as
// many frames, whose receiver inserts as many rows of the same size; deleting them.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client-core/transport/syncer.h"
#include "tests/bench/floor.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::bench {
namespace {

class Entrance {
 public:
  explicit Entrance(const Options& options)
      : members_(options.quick ? 10 : 100),
        contacts_(options.quick ? 100 : 3000),
        site_(absl::StrCat(options.folder, "/scope")) {
    branch_ = site_.NewBranch(members_);
    site_.Fill(contacts_, 10, branch_);
    site_.Start();
    store_ = site_.Enrol(site_.Name("device"));
    Sync();
  }

  int records() const { return members_ + contacts_; }
  uint64_t bytes_in() const { return bytes_in_; }
  uint64_t bytes_out() const { return bytes_out_; }

  double Enter() {
    site_.Appoint(branch_, true);
    const double seconds = Sync();
    bytes_in_ = Must(store_->State(), "state").bytes_received;
    Check(Held() == static_cast<uint64_t>(records()) + 1, "not all has entered");
    site_.Appoint(branch_, false);
    Sync();
    return seconds;
  }

  double Leave() {
    site_.Appoint(branch_, true);
    Sync();
    site_.Appoint(branch_, false);
    const double seconds = Sync();
    bytes_out_ = Must(store_->State(), "state").bytes_received;
    Check(Held() == 1, "not all has left");  // but the secretary herself
    return seconds;
  }

  double FloorEnter() {
    if (bytes_in_ == 0) Enter();
    constexpr size_t kFrame = 256 << 10;  // as SessionLimits::update_bytes
    const std::vector<std::string> frames(std::max<size_t>(1, bytes_in_ / kFrame),
                                          std::string(std::min<size_t>(bytes_in_, kFrame), 'x'));
    RawTable table(site_.Name("floor"), RawTable::Layout::kRecord);
    const std::vector<RawTable::Row> rows = Rows();
    const size_t each = rows.size() / frames.size() + 1;
    return RawDownload(site_.tls(), frames, [&](size_t i) {
      const size_t begin = std::min(rows.size(), i * each);
      table.Insert(absl::MakeSpan(rows).subspan(begin, std::min(each, rows.size() - begin)));
    });
  }

  double FloorLeave() {
    RawTable table(site_.Name("floor"), RawTable::Layout::kRecord);
    const std::vector<RawTable::Row> rows = Rows();
    table.Insert(rows);
    const std::vector<std::string> frames = {std::string(rows.size() * Id::kSize, 'x')};
    const double seconds = RawDownload(site_.tls(), frames, [&](size_t) { table.Remove(rows); });
    Check(table.Count() == 0, "the floor kept rows");
    return seconds;
  }

 private:
  double Sync() {
    client::Syncer syncer(store_.get());
    const Stopwatch watch;
    Check(syncer.SyncOnce(absl::Minutes(5)), "sync");
    return watch.seconds();
  }

  uint64_t Held() {
    return CountRecords(*store_, records::v1::Contact::descriptor()) +
           CountRecords(*store_, records::v1::Member::descriptor());
  }

  std::vector<RawTable::Row> Rows() const {
    std::vector<RawTable::Row> rows;
    const Environment environment = SystemEnvironment();
    for (int i = 0; i < records(); ++i) {
      const Id id = environment.NewId();
      rows.push_back({42, id.str(), MakeContact(branch_, id, i).SerializeAsString()});
    }
    return rows;
  }

  const int members_;
  const int contacts_;
  Site site_;
  Id branch_;
  std::unique_ptr<client::Store> store_;
  uint64_t bytes_in_ = 0;
  uint64_t bytes_out_ = 0;
};

}  // namespace

void MeasureScope(const Options& options, Report* report) {
  Entrance scene(options);
  const Times enter = Alternate(
      options.rounds, [&] { return scene.FloorEnter(); }, [&] { return scene.Enter(); });
  report->AddRatio("scope.enter", std::nullopt, enter, scene.records(), "records",
                   "a branch enters a device whose owner is given an office there");
  report->AddValue("scope.enter.bytes", std::nullopt, static_cast<double>(scene.bytes_in()),
                   "received");
  const Times leave = Alternate(
      options.rounds, [&] { return scene.FloorLeave(); }, [&] { return scene.Leave(); });
  report->AddRatio("scope.leave", std::nullopt, leave, scene.records(), "records",
                   "and leaves it when the office ends");
  report->AddValue("scope.leave.bytes", std::nullopt, static_cast<double>(scene.bytes_out()),
                   "received");
}

}  // namespace zhibu::bench
