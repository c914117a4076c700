// What is due for a branch of fifty members with ten years of records on a device, against
// reading and parsing those records.
#include "sync/rules/book/due.h"

#include <filesystem>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client-core/actions/held_here.h"
#include "sync/base/date.h"
#include "sync/base/environment.h"
#include "sync/crypto/seal.h"
#include "tests/bench/filling.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::bench {
namespace {

using google::protobuf::Message;
using records::v1::DuesPayment;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::Organisation;

// All that was to be done was done, but for this month.
class Branch {
 public:
  explicit Branch(const Options& options)
      : years_(options.quick ? 1 : 10),
        members_(options.quick ? 3 : 50),
        store_(OpenLongAgo(absl::StrCat(options.folder, "/due"))) {
    Organisation branch;
    branch.set_kind(Organisation::BRANCH);
    branch.set_status(Organisation::ACTIVE);
    branch.set_name("青石村党支部");
    branch_ = filling_.Add(branch);
    for (int i = 0; i < members_; ++i) Enter(i);
    for (int month = 0; month < 12 * years_; ++month) Record(month);
    filling_.Commit();
  }

  size_t records() const { return filling_.records(); }

  double Read() {
    const Stopwatch watch;
    uint64_t count = 0;
    for (const auto* type : {DuesPayment::descriptor(), Meeting::descriptor()}) {
      count += CountRecords(*store_, type);
    }
    const double seconds = watch.seconds();
    Check(count == filling_.records() - 1 - static_cast<size_t>(members_), "records were lost");
    return seconds;
  }

  double WorkOut() {
    const absl::CivilDay today = DayAt(kNowMs);
    client::HeldHere records(*store_);
    const Stopwatch watch;
    const rules::DueList list = Must(
        rules::WorkOutDue(rules::ShippedBook(), records, today,
                          [](const rules::Obligation&, const Id&, const Message&) { return true; }),
        "due");
    const double seconds = watch.seconds();
    Check(list.faults.empty() && list.items.size() >= static_cast<size_t>(members_),
          "this month's dues are due");
    return seconds;
  }

 private:
  static constexpr int64_t kNowMs = 1'780'000'000'000;

  // Everybody was registered when the first of the records was made.
  std::unique_ptr<client::Store> OpenLongAgo(const std::string& folder) const {
    std::filesystem::create_directory(folder);
    Environment then = SystemEnvironment();
    then.now_ms = [years = years_] { return kNowMs - years * 366 * 86'400'000LL; };
    return Must(client::Store::Open({.file = absl::StrCat(folder, "/device.db"),
                                     .environment = then,
                                     .key = std::string(Seal::kKeySize, 'k')}),
                "open");
  }

  void Enter(int number) {
    Member member;
    member.set_branch_id(branch_.str());
    member.set_name(absl::StrCat("党员", number));
    member.set_stage(Member::FULL);
    member.set_status(Member::ACTIVE);
    people_.push_back(filling_.Add(member));
  }

  // Months back from the one before this.
  void Record(int months_ago) {
    const absl::CivilDay day = AddMonths(DayAt(kNowMs), -1 - months_ago);
    for (const Id& person : people_) {
      DuesPayment paid;
      paid.set_member_id(person.str());
      paid.set_branch_id(branch_.str());
      paid.set_amount_fen(4800);
      paid.set_month(absl::FormatCivilTime(absl::CivilMonth(day)));
      filling_.Add(paid);
    }
    for (const auto kind : {Meeting::THEME_DAY, Meeting::MEMBERS, Meeting::LECTURE}) {
      Meeting meeting;
      meeting.set_branch_id(branch_.str());
      meeting.set_kind(kind);
      meeting.set_state(Meeting::HELD);
      meeting.set_minutes(std::string(2000, 'm'));
      meeting.mutable_starts_at()->set_seconds(BeginningOf(day) / 1000);
      filling_.Add(meeting);
    }
  }

  const int years_;
  const int members_;
  const std::unique_ptr<client::Store> store_;
  Filling filling_{store_.get()};
  Id branch_;
  std::vector<Id> people_;
};

}  // namespace

void MeasureDue(const Options& options, Report* report) {
  Branch branch(options);
  const Times times = Alternate(
      options.rounds, [&] { return branch.Read(); }, [&] { return branch.WorkOut(); });
  report->AddRatio("due.cold", std::nullopt, times, static_cast<double>(branch.records()),
                   "records", "floor: those records read and parsed");
  report->AddValue("due.cold_ms", Aim{false, 50}, branch.WorkOut() * 1000,
                   absl::StrCat(branch.records(), " records"));
}

}  // namespace zhibu::bench
