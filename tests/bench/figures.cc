// What figures cost: an edit whose sums are kept, against the same edit without figures; the
// summary of a subtree of 3,000 branches; a report of ten years of a branch of fifty on a device.
#include <google/protobuf/text_format.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client-core/actions/held_here.h"
#include "client-core/store/store.h"
#include "server/figures/making.h"
#include "server/figures/summary.h"
#include "server/ingest/ingest.h"
#include "server/store/sqlite/store.h"
#include "sync/base/date.h"
#include "sync/base/environment.h"
#include "sync/base/status.h"
#include "sync/crypto/seal.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/book/counting.h"
#include "sync/rules/book/tally.h"
#include "tests/bench/filling.h"
#include "tests/bench/report.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::bench {
namespace {

using google::protobuf::Message;
using records::v1::DuesPayment;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::Placement;
using rules::Months;

const std::string kKey(Seal::kKeySize, 'k');

// The shipped book, with its checks and without its figures.
std::unique_ptr<const rules::Book> WithoutFigures() {
  std::vector<rules::RuleText> files = rules::ShippedFiles();
  for (rules::RuleText& file : files) {
    rules::v1::RuleFile parsed;
    Check(google::protobuf::TextFormat::ParseFromString(file.text, &parsed), "a shipped file");
    parsed.clear_figure();
    parsed.clear_balance();
    google::protobuf::TextFormat::PrintToString(parsed, &file.text);
  }
  return Must(rules::Book::Compile(files, *CatalogueSchema()), "a book without figures");
}

Meeting HeldMeeting(const Id& branch, absl::CivilDay day) {
  Meeting meeting;
  meeting.set_branch_id(branch.str());
  meeting.set_kind(Meeting::MEMBERS);
  meeting.set_state(Meeting::HELD);
  meeting.set_minutes(std::string(2000, 'm'));
  meeting.set_expected(50);
  for (char i = 0; i < 45; ++i)
    meeting.add_present(std::string(Id::kSize, static_cast<char>('a' + i)));
  meeting.mutable_starts_at()->set_seconds(BeginningOf(day) / 1000);
  return meeting;
}

class Keeping {
 public:
  Keeping(const std::string& file, int edits, const rules::Book& book)
      : edits_(edits),
        store_(Must(server::OpenSqliteStore(file, {.key = kKey}), "open")),
        ingest_(CatalogueSchema(), environment_, server::Observer::None(), book) {
    bench::Check(store_->Write([](server::Writer& writer) {
      server::DeviceRow own;
      own.number = kServerDevice;
      return writer.PutDevice(own);
    }),
                 "the server's own device");
    bench::Check(server::BeginSums(*store_, book), "sums");
    while (!Must(server::MakeSums(*store_, *CatalogueSchema(), book, 1000), "sums")) continue;
  }

  // In groups as the server takes them, so that the disk is not what is measured.
  double Commit() {
    const RecordType& type = *CatalogueSchema()->Find(Meeting::descriptor());
    const Stopwatch watch;
    bench::Check(store_->Write([&](server::Writer& writer) -> absl::Status {
      for (int i = 0; i < edits_; ++i) {
        sync::v1::Edit edit;
        AddChange(type, environment_.NewId(), RecordState(),
                  HeldMeeting(branch_, absl::CivilDay(2026, 1 + i % 12, 5)), &edit);
        RETURN_IF_ERROR(ingest_.WriteOwn(writer, edit).status());
      }
      return absl::OkStatus();
    }),
                 "commit");
    return watch.seconds();
  }

 private:
  const int edits_;
  const Environment environment_ = SystemEnvironment();
  const std::unique_ptr<server::Store> store_;
  const server::Ingest ingest_;
  const Id branch_ = environment_.NewId();
};

// Each branch with some 300 sums in each of two years, and 50 members in 30 birth months.
double Summarise(const Options& options, size_t branches) {
  const auto store =
      Must(server::OpenSqliteStore(absl::StrCat(options.folder, "/figures/tree.db"), {.key = kKey}),
           "open");
  const rules::Book& book = rules::ShippedBook();
  const Environment environment = SystemEnvironment();
  Check(server::BeginSums(*store, book), "sums");
  while (!Must(server::MakeSums(*store, *CatalogueSchema(), book, 1000), "sums")) continue;
  std::mt19937 dice(1);
  std::vector<Id> tree;
  Check(store->Write([&](server::Writer& writer) -> absl::Status {
    for (size_t i = 0; i < branches; ++i) {
      tree.push_back(environment.NewId());
      server::SumChanges sums;
      while (sums.size() < 600) {
        const uint32_t figure = dice() % static_cast<uint32_t>(book.figures().size());
        const uint32_t by = dice() % 3;
        const auto month = static_cast<int32_t>(2025 * 12 + dice() % 24);
        sums[{figure, by, month, by == 0 ? 0 : static_cast<int64_t>(dice() % 6)}] = {9, 3};
      }
      for (int64_t birth = 0; birth < 30; ++birth) {
        sums[{book.FindFigure("member.count")->number, 3, kAllTimes, 1960 * 12 + birth}] = {2, 2};
      }
      RETURN_IF_ERROR(writer.AddToSums(tree.back(), sums));
    }
    return absl::OkStatus();
  }),
        "fill");
  double seconds = 0;
  for (int round = 0; round < options.rounds; ++round) {
    const Stopwatch watch;
    Check(store->Read([&](server::Reader& reader) -> absl::Status {
      return server::SummaryOf(reader, book, tree, *Months::From("2026"), 2026 * 12 + 10,
                               [](const rules::Figure&) { return rules::Sight::kAll; })
          .status();
    }),
          "summary");
    seconds = round == 0 ? watch.seconds() : std::min(seconds, watch.seconds());
  }
  return seconds;
}

// A branch as a device holds it.
class Held {
 public:
  Held(const Options& options, int members, int years)
      : store_(Must(client::Store::Open({.file = absl::StrCat(options.folder, "/figures/device.db"),
                                         .environment = SystemEnvironment(),
                                         .key = kKey}),
                    "open")) {
    for (int i = 0; i < members; ++i) AddMember(i);
    for (int month = 0; month < 12 * years; ++month)
      AddMonth(AddMonths(absl::CivilDay(2026, 11, 5), -month));
    filling_.Commit();
  }

  double Report() {
    const rules::Book& book = rules::ShippedBook();
    const Stopwatch watch;
    rules::Tally tally(book, *Months::From("2026"), 2026 * 12 + 10);
    client::HeldHere records(*store_);
    Check(rules::CountAll(book, records, rules::Whole(),
                          [&](const rules::Figure& figure, const Id&, const rules::Counted& one) {
                            rules::AddShares(figure, one, [&](const SumKey& key, const Sum& sum) {
                              tally.Add(key, sum);
                            });
                          }),
          "count");
    const double seconds = watch.seconds();
    Check(tally.Whole(*book.FindFigure("member.count")).amount == static_cast<int>(people_.size()),
          "everybody is counted");
    return seconds;
  }
  size_t records() const { return filling_.records(); }

 private:
  void AddMember(int number) {
    Member member;
    member.set_branch_id(branch_.str());
    member.set_name(absl::StrCat("党员", number));
    member.set_stage(Member::FULL);
    member.set_joined("2000-07-01");
    people_.push_back(filling_.Add(member));
    Placement placement;
    placement.set_member_id(people_.back().str());
    placement.set_branch_id(branch_.str());
    placement.set_since("2010-01-01");
    filling_.Add(placement);
  }
  void AddMonth(absl::CivilDay day) {
    for (int i = 0; i < 3; ++i) filling_.Add(HeldMeeting(branch_, day));
    for (const Id& person : people_) {
      DuesPayment paid;
      paid.set_member_id(person.str());
      paid.set_branch_id(branch_.str());
      paid.set_amount_fen(4800);
      paid.set_month(absl::FormatCivilTime(absl::CivilMonth(day)));
      filling_.Add(paid);
    }
  }

  const std::unique_ptr<client::Store> store_;
  Filling filling_{store_.get()};
  const Id branch_ = SystemEnvironment().NewId();
  std::vector<Id> people_;
};

}  // namespace

void MeasureFigures(const Options& options, Report* report) {
  std::filesystem::create_directory(absl::StrCat(options.folder, "/figures"));
  const int edits = options.quick ? 5 : 1000;
  const auto plain = WithoutFigures();
  Keeping without(absl::StrCat(options.folder, "/figures/without.db"), edits, *plain);
  Keeping with(absl::StrCat(options.folder, "/figures/with.db"), edits, rules::ShippedBook());
  const Times times = Alternate(
      options.rounds, [&] { return without.Commit(); }, [&] { return with.Commit(); });
  report->AddRatio("figures.edit", Aim{true, 1 / 1.2}, times, edits, "edits",
                   "floor: the same edits by a book without figures");
  const size_t branches = options.quick ? 20 : 3000;
  report->AddValue("figures.summary_ms", Aim{false, 100}, Summarise(options, branches) * 1000,
                   absl::StrCat(branches, " branches"));
  Held held(options, options.quick ? 3 : 50, options.quick ? 1 : 10);
  report->AddValue("figures.device_ms", std::nullopt, held.Report() * 1000,
                   absl::StrCat(held.records(), " records"));
}

}  // namespace zhibu::bench
