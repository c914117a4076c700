// A year's dossier of a branch of fifty members, as a workbook, against reading and parsing the
// records that it is of.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client-core/actions/known.h"
#include "sync/base/date.h"
#include "sync/crypto/seal.h"
#include "sync/exchange/new_file.h"
#include "sync/exchange/write_workbook.h"
#include "sync/rules/book/book.h"
#include "sync/rules/book/ledger_table.h"
#include "tests/bench/filling.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::bench {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using records::v1::Attendance;
using records::v1::DuesBase;
using records::v1::DuesPayment;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::PrivateDetail;

constexpr int kYear = 2026;
constexpr int kMeetingsToAMonth = 4;

class OnDevice final : public rules::LedgerSource {
 public:
  explicit OnDevice(client::Store& store) : store_(store) {}
  absl::Status List(const RecordType& type,
                    absl::FunctionRef<void(const Id&, const Message&)> visit) override {
    return client::ListReadable(store_, type, visit);
  }
  bool ReadsAll(const RecordType& /*type*/) const override { return true; }
  bool MayRead(const RecordType& /*type*/, const Id& /*id*/, const Message& /*record*/,
               const FieldDescriptor& /*field*/) const override {
    return true;
  }

 private:
  client::Store& store_;
};

class Branch {
 public:
  explicit Branch(const Options& options)
      : members_(options.quick ? 3 : 50),
        folder_(absl::StrCat(options.folder, "/ledger")),
        store_(Open(folder_)) {
    Organisation branch;
    branch.set_kind(Organisation::BRANCH);
    branch.set_status(Organisation::ACTIVE);
    branch.set_name("青石村党支部");
    branch_ = filling_.Add(branch);
    for (int i = 0; i < members_; ++i) Enter(i);
    for (int month = 1; month <= 12; ++month) Record(month);
    filling_.Commit();
  }

  size_t records() const { return filling_.records(); }

  double Read() {
    const Stopwatch watch;
    uint64_t count = 0;
    for (const auto* type :
         {DuesPayment::descriptor(), Meeting::descriptor(), Attendance::descriptor(),
          Member::descriptor(), PrivateDetail::descriptor(), DuesBase::descriptor()}) {
      count += CountRecords(*store_, type);
    }
    const double seconds = watch.seconds();
    Check(count == filling_.records() - 1, "records were lost");
    return seconds;
  }

  double Write() {
    OnDevice source(*store_);
    const std::string path = absl::StrCat(folder_, "/", ++written_, ".xlsx");
    const Stopwatch watch;
    rules::LedgerShelf shelf(source);
    std::vector<rules::LedgerTable> tables;
    for (const rules::Ledger& ledger : rules::ShippedBook().ledgers()) {
      tables.push_back(Must(
          WriteUp(ledger,
                  {.organisation = branch_, .year = kYear, .today = absl::CivilDay(kYear, 12, 31)},
                  &shelf),
          "a ledger"));
    }
    NewFile file = Must(NewFile::Begin(path), "a file");
    Check(WriteWorkbook(tables, file), "a workbook");
    Check(file.Finish(), "finish");
    Check(file.Keep(), "keep");
    const double seconds = watch.seconds();
    size_t rows = 0;
    for (const auto& table : tables) rows += table.rows.size();
    Check(rows > filling_.records() / 2, "rows are missing");
    return seconds;
  }

 private:
  static std::unique_ptr<client::Store> Open(const std::string& folder) {
    std::filesystem::create_directory(folder);
    return Must(client::Store::Open({.file = absl::StrCat(folder, "/device.db"),
                                     .key = std::string(Seal::kKeySize, 'k')}),
                "open");
  }

  template <typename T>
  T OfMember(const Id& person) const {
    T record;
    record.set_member_id(person.str());
    record.set_branch_id(branch_.str());
    return record;
  }

  void Enter(int number) {
    Member member;
    member.set_branch_id(branch_.str());
    member.set_name(absl::StrCat("党员", number));
    member.set_stage(Member::FULL);
    member.set_status(Member::ACTIVE);
    people_.push_back(filling_.Add(member));
    auto detail = OfMember<PrivateDetail>(people_.back());
    detail.set_phone("000-0000-0000");
    filling_.Add(detail);
    auto base = OfMember<DuesBase>(people_.back());
    base.set_from("2026-01");
    base.set_kind(DuesBase::WAGE);
    base.set_base_fen(480'000);
    base.set_rate_basis_points(100);
    base.set_monthly_due_fen(4'800);
    base.set_state(DuesBase::PROPOSED);
    filling_.Add(base);
  }

  void Record(int month) {
    for (const Id& person : people_) {
      auto paid = OfMember<DuesPayment>(person);
      paid.set_amount_fen(4'800);
      paid.set_month(absl::FormatCivilTime(absl::CivilMonth(kYear, month)));
      filling_.Add(paid);
    }
    for (int i = 0; i < kMeetingsToAMonth; ++i) {
      Meeting meeting;
      meeting.set_branch_id(branch_.str());
      meeting.set_kind(Meeting::THEME_DAY);
      meeting.set_state(Meeting::HELD);
      meeting.set_expected(static_cast<uint32_t>(members_));
      meeting.mutable_starts_at()->set_seconds(BeginningOf(absl::CivilDay(kYear, month, 5 + i)) /
                                               1000);
      const Id id = filling_.Add(meeting);
      for (const Id& person : people_) {
        auto there = OfMember<Attendance>(person);
        there.set_meeting_id(id.str());
        there.set_state(Attendance::PRESENT);
        filling_.Add(there);
      }
    }
  }

  const int members_;
  const std::string folder_;
  const std::unique_ptr<client::Store> store_;
  Filling filling_{store_.get()};
  Id branch_;
  std::vector<Id> people_;
  int written_ = 0;
};

}  // namespace

void MeasureLedger(const Options& options, Report* report) {
  Branch branch(options);
  const Times times = Alternate(
      options.rounds, [&] { return branch.Read(); }, [&] { return branch.Write(); });
  report->AddRatio("ledger.dossier", std::nullopt, times, static_cast<double>(branch.records()),
                   "records", "floor: those records read and parsed");
  report->AddValue("ledger.dossier_ms", std::nullopt, branch.Write() * 1000,
                   absl::StrCat(branch.records(), " records"));
}

}  // namespace zhibu::bench
