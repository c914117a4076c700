// A durable edit on the device, against the record's bytes as one row of raw
// SQLite. Both wait for the disk once.
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/bench/floor.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"

namespace zhibu::bench {
namespace {

using records::v1::Contact;

class Desk {
 public:
  explicit Desk(const Options& options)
      : edits_(options.quick ? 20 : 400), folder_(absl::StrCat(options.folder, "/local")) {
    std::filesystem::create_directory(folder_);
    store_ = OpenDevice(absl::StrCat(folder_, "/device.db"));
    floor_ =
        std::make_unique<RawTable>(absl::StrCat(folder_, "/floor.db"), RawTable::Layout::kAppend);
  }

  int edits() const { return edits_; }

  double Create() {
    const Stopwatch watch;
    for (int i = 0; i < edits_; ++i) {
      client::Draft draft = store_->New<Contact>();
      draft.message<Contact>() = MakeContact(branch_, member_, ++seed_);
      ids_.push_back(draft.id());
      Check(store_->Commit({&draft}).status(), "create");
    }
    const double seconds = watch.seconds();
    CheckPending();
    return seconds;
  }

  double Change() {
    const Stopwatch watch;
    for (int i = 0; i < edits_; ++i) {
      client::Draft draft = Must(store_->Edit<Contact>(ids_[i]), "edit");
      draft.message<Contact>() = MakeContact(branch_, member_, ++seed_);
      Check(store_->Commit({&draft}).status(), "change");
    }
    const double seconds = watch.seconds();
    CheckPending();
    return seconds;
  }

  double Floor() {
    std::vector<RawTable::Row> rows(1);
    const uint64_t before = floor_->Count();
    const Stopwatch watch;
    for (int i = 0; i < edits_; ++i) {
      rows[0].bytes = MakeContact(branch_, member_, ++seed_).SerializeAsString();
      floor_->Insert(rows);
    }
    const double seconds = watch.seconds();
    Check(floor_->Count() == before + edits_, "the floor lost rows");
    return seconds;
  }

 private:
  void CheckPending() {
    committed_ += edits_;
    Check(Must(store_->State(), "state").unsent == committed_, "edits were lost");
  }

  const int edits_;
  const std::string folder_;
  const Id branch_ = SystemEnvironment().NewId();
  const Id member_ = SystemEnvironment().NewId();
  std::unique_ptr<client::Store> store_;
  std::unique_ptr<RawTable> floor_;
  std::vector<Id> ids_;
  uint64_t seed_ = 0;
  uint64_t committed_ = 0;
};

// One edit of many records waits, and the server's clock turns out to be another: every
// record is worked out again.
class Queue {
 public:
  explicit Queue(const Options& options)
      : records_(options.quick ? 20 : 1000), folder_(absl::StrCat(options.folder, "/queue")) {
    std::filesystem::create_directory(folder_);
    store_ = OpenDevice(absl::StrCat(folder_, "/device.db"));
    floor_ =
        std::make_unique<RawTable>(absl::StrCat(folder_, "/floor.db"), RawTable::Layout::kRecord);
    std::vector<client::Draft> drafts;
    std::vector<client::Draft*> pointers;
    for (int i = 0; i < records_; ++i) {
      drafts.push_back(store_->New<Contact>());
      drafts.back().message<Contact>() = MakeContact(branch_, branch_, i);
      rows_.push_back({.id = drafts.back().id().str(),
                       .bytes = drafts.back().message<Contact>().SerializeAsString()});
    }
    for (client::Draft& draft : drafts) pointers.push_back(&draft);
    Check(store_->Commit(pointers).status(), "commit");
  }

  int records() const { return records_; }

  double Restamp() {
    const uint64_t before = StampNow();
    offset_ms_ = offset_ms_ == 0 ? -kDayMs : 0;
    const Stopwatch watch;
    Check(store_->Restamp(offset_ms_), "restamp");
    const double seconds = watch.seconds();
    Check(StampNow() != before, "nothing was stamped anew");
    return seconds;
  }

  double Floor() {
    if (floor_->Count() > 0) floor_->Remove(rows_);
    const Stopwatch watch;
    floor_->Insert(rows_);
    return watch.seconds();
  }

 private:
  static constexpr int64_t kDayMs = 86'400'000;

  uint64_t StampNow() { return Must(store_->Pending(EditNumber(0), 1), "pending").at(0).stamp(); }

  const int records_;
  const std::string folder_;
  const Id branch_ = SystemEnvironment().NewId();
  std::unique_ptr<client::Store> store_;
  std::unique_ptr<RawTable> floor_;
  std::vector<RawTable::Row> rows_;
  int64_t offset_ms_ = 0;
};

}  // namespace

void MeasureLocalWrite(const Options& options, Report* report) {
  Desk desk(options);
  const auto floor = [&] { return desk.Floor(); };
  const Times create = Alternate(options.rounds, floor, [&] { return desk.Create(); });
  report->AddRatio("local_write.create", Aim{true, 0.5}, create, desk.edits(), "edits",
                   "floor: a durable row of the record's 150 B");
  const Times change = Alternate(options.rounds, floor, [&] { return desk.Change(); });
  report->AddRatio("local_write.change", Aim{true, 0.5}, change, desk.edits(), "edits",
                   "opened, two fields changed, committed");
  Queue queue(options);
  const Times restamp = Alternate(
      options.rounds, [&] { return queue.Floor(); }, [&] { return queue.Restamp(); });
  report->AddRatio("local_write.restamp", Aim{true, 0.1}, restamp, queue.records(), "records",
                   "one edit of 1,000 records; floor: these as rows in one transaction");
}

}  // namespace zhibu::bench
