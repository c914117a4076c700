// What an edit costs with the checks of the rule book, against the same edit without any: a meeting
// that decides on an admission, which six hard checks judge by the case and by the step before.
#include <filesystem>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client-core/store/store.h"
#include "sync/base/date.h"
#include "sync/base/environment.h"
#include "sync/crypto/seal.h"
#include "sync/rules/rule_book.h"
#include "tests/bench/report.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::bench {
namespace {

using records::v1::DevelopmentCase;
using records::v1::DevelopmentStep;

std::shared_ptr<const RuleBook> RulesOf(const rules::Book& book) {
  return std::make_shared<const RuleBook>(CatalogueSchema(), book);
}

class Phone {
 public:
  Phone(const std::string& file, int edits, std::shared_ptr<const RuleBook> rules)
      : edits_(edits),
        store_(Must(client::Store::Open({.file = file,
                                         .rules = std::move(rules),
                                         .environment = SystemEnvironment(),
                                         .key = std::string(Seal::kKeySize, 'k')}),
                    "open")) {
    client::Draft draft = store_->New<DevelopmentCase>();
    auto& one = draft.message<DevelopmentCase>();
    one.set_member_id(member_);
    one.set_lead_branch_id(branch_);
    one.set_stage(DevelopmentCase::ACTIVIST);
    one.set_activist_since("2020-01-01");
    one.add_sponsors(std::string(16, 's'));
    one.add_sponsors(std::string(16, 't'));
    Commit(&draft);
    case_ = draft.id();
  }

  // Each a step of another attempt; the reviews that they need are made before.
  double Decide() {
    std::vector<uint32_t> attempts;
    for (int i = 0; i < edits_; ++i) {
      attempts.push_back(++attempt_);
      Take(DevelopmentStep::POLITICAL_REVIEW, attempt_);
    }
    const Stopwatch watch;
    for (const uint32_t attempt : attempts) Take(DevelopmentStep::ACCEPTANCE_MEETING, attempt);
    return watch.seconds();
  }

 private:
  void Take(DevelopmentStep::Step which, uint32_t attempt) {
    client::Draft draft = store_->New<DevelopmentStep>();
    auto& step = draft.message<DevelopmentStep>();
    step.set_case_id(case_.str());
    step.set_attempt(attempt);
    step.set_step(which);
    step.set_member_id(member_);
    step.set_branch_id(branch_);
    step.set_done_on(DateAt(SystemEnvironment().now_ms()));
    step.set_result(DevelopmentStep::PASSED);
    step.set_state(DevelopmentStep::RECORDED);
    step.mutable_vote()->set_entitled(31);
    step.mutable_vote()->set_present(20);
    step.mutable_vote()->set_in_favour(19);
    Commit(&draft);
  }
  void Commit(client::Draft* draft) { bench::Check(store_->Commit({draft}).status(), "commit"); }

  const int edits_;
  const std::string branch_ = std::string(16, 'b');
  const std::string member_ = std::string(16, 'm');
  const std::unique_ptr<client::Store> store_;
  Id case_;
  uint32_t attempt_ = 0;
};

}  // namespace

void MeasureChecks(const Options& options, Report* report) {
  const int edits = options.quick ? 5 : 300;
  const std::string folder = absl::StrCat(options.folder, "/checks");
  std::filesystem::create_directory(folder);
  const auto none = Must(rules::Book::Compile({}, *CatalogueSchema()), "an empty book");
  Phone without(absl::StrCat(folder, "/without.db"), edits, RulesOf(*none));
  Phone with(absl::StrCat(folder, "/with.db"), edits, RulesOf(rules::ShippedBook()));
  const Times times = Alternate(
      options.rounds, [&] { return without.Decide(); }, [&] { return with.Decide(); });
  report->AddRatio("checks.commit", Aim{true, 0.8}, times, edits, "edits",
                   "floor: the same edit on a device without a rule book");
}

}  // namespace zhibu::bench
