#include "sync/rules/rule_book.h"

#include <algorithm>
#include <utility>

#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/rules/asked.h"
#include "sync/rules/check_in.h"
#include "sync/rules/checks.h"
#include "sync/rules/exports.h"
#include "sync/rules/flow.h"
#include "sync/rules/notice.h"
#include "sync/rules/persons.h"
#include "sync/rules/references.h"
#include "sync/rules/registration.h"
#include "sync/rules/sent.h"
#include "sync/rules/supplements.h"

namespace zhibu {

namespace {

// Whoever asks takes an error without a reason for trouble of the store, and asks again: that
// must not come from a fault in a rule.
absl::Status Checked(absl::Status status) {
  const bool of_store = absl::IsUnavailable(status) || absl::IsDataLoss(status);
  if (status.ok() || of_store || ReasonOf(status).reason != sync::v1::NO_REASON) return status;
  return Refuse(sync::v1::SERVER_FAULT, status.message());
}

}  // namespace

// In the order in which they are asked.
RuleBook::RuleBook(const std::shared_ptr<const Schema>& schema, const rules::Book& book) {
  rules_.push_back(CheckInRule());
  rules_.push_back(AskedRule());
  rules_.push_back(FlowRule(schema));
  rules_.push_back(NoticeRule(schema));
  rules_.push_back(ExportsRule(schema));
  rules_.push_back(RegistrationRule());
  rules_.push_back(SentRule(schema));
  rules_.push_back(PersonsRule());
  rules_.push_back(ReferencesRule());
  rules_.push_back(SupplementRule());
  rules_.push_back(CheckRule(book));
  for (const RecordType& type : schema->types()) {
    for (const auto& rule : rules_) {
      if (rule->Concerns(type)) by_type_[type.number].push_back(rule.get());
    }
  }
}

const RuleBook::Rules& RuleBook::For(const RecordType& type) const {
  static const Rules none;
  const auto it = by_type_.find(type.number);
  return it == by_type_.end() ? none : it->second;
}

absl::StatusOr<std::optional<Loan>> RuleBook::Lend(const Case& of, const Step& step) const {
  for (const Rule* rule : For(step.type)) {
    absl::StatusOr<std::optional<Loan>> loan = rule->Lend(of, step);
    if (!loan.ok()) return Checked(loan.status());
    if (*loan) return loan;
  }
  return std::nullopt;
}

absl::Status RuleBook::Judge(const Case& of) const {
  for (const Step& step : of.steps) {
    for (const Rule* rule : For(step.type)) RETURN_IF_ERROR(Checked(rule->Judge(of, step)));
  }
  for (const Rule* rule : Concerned(of)) RETURN_IF_ERROR(Checked(rule->JudgeAll(of)));
  return absl::OkStatus();
}

absl::Status RuleBook::JudgeWhatIsKnown(const Case& of) const {
  for (const Step& step : of.steps) {
    for (const Rule* rule : For(step.type)) {
      absl::Status status = rule->Judge(of, step);
      if (!status.ok() && !IsNotKnownHere(status)) return Checked(std::move(status));
    }
  }
  for (const Rule* rule : Concerned(of)) {
    absl::Status status = rule->JudgeAll(of);
    if (!status.ok() && !IsNotKnownHere(status)) return Checked(std::move(status));
  }
  return absl::OkStatus();
}

absl::Status RuleBook::Mark(const Case& of, Marks* marks) const {
  for (const Step& step : of.steps) {
    for (const Rule* rule : For(step.type)) RETURN_IF_ERROR(Checked(rule->Mark(of, step, marks)));
  }
  return absl::OkStatus();
}

absl::Status RuleBook::Follow(const Case& of, const Step& step, Compose compose) const {
  for (const Rule* rule : For(step.type)) {
    Consequences follows;
    RETURN_IF_ERROR(Checked(rule->Follow(of, step, &follows)));
    RETURN_IF_ERROR(compose(std::move(follows)));
  }
  return absl::OkStatus();
}

RuleBook::Rules RuleBook::Concerned(const Case& of) const {
  Rules concerned;
  for (const Step& step : of.steps) {
    for (const Rule* rule : For(step.type)) {
      if (std::count(concerned.begin(), concerned.end(), rule) == 0) concerned.push_back(rule);
    }
  }
  return concerned;
}

absl::Status RuleBook::FollowAll(const Case& of, Compose compose) const {
  for (const Rule* rule : Concerned(of)) {
    Consequences follows;
    RETURN_IF_ERROR(Checked(rule->FollowAll(of, &follows)));
    RETURN_IF_ERROR(compose(std::move(follows)));
  }
  return absl::OkStatus();
}

std::shared_ptr<const RuleBook> CatalogueRules() {
  static const auto rules = std::make_shared<const RuleBook>(CatalogueSchema());
  return rules;
}

}  // namespace zhibu
