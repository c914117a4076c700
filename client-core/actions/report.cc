#include "client-core/actions/report.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "client-core/actions/checks.h"
#include "client-core/actions/held_here.h"
#include "client-core/actions/known.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/rules/offices.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rules::Balance;
using rules::Counted;
using rules::Figure;
using rules::Months;
using rules::v1::BalanceSheet;

// What this device holds: not all, and not all of it in full.
class SomeHere final : public rules::Whole {
 public:
  explicit SomeHere(Store& store) : around_(AroundHere(store)) {}
  bool IsAll() const override { return false; }
  bool Hides(const RecordType& type, const Id& id, const Message& of,
             const FieldDescriptor& field) const override {
    return around_->Hides(type, id, of, field);
  }

 private:
  const std::unique_ptr<rules::Surroundings> around_;
};

// By how much a balance is open for whom.
class OpenFor {
 public:
  OpenFor(const Balance& balance, const Months& period) : balance_(balance), period_(period) {}

  void Add(const Figure& figure, const Counted& counted, const SumKey& key, const Sum& sum) {
    const int64_t by = rules::OpenBy(balance_, figure, period_, key, sum);
    if (by == 0) return;
    for (const Id& person : counted.persons) open_[person] += by;
  }

  void Tell(Store& store, const Id& organisation, BalanceSheet* sheet) const {
    BalanceSheet::Open open;
    for (const auto& [person, by] : open_) {
      if (by != 0) open.add_persons(NameOfMember(store, person.bytes()));
    }
    if (open.persons().empty()) return;
    std::sort(open.mutable_persons()->begin(), open.mutable_persons()->end());
    open.set_organisation_id(organisation.str());
    open.set_organisation_name(NameOfRecord(
        store, *store.schema().Find(records::v1::Organisation::descriptor()), organisation));
    open.set_difference(sheet->difference());
    *sheet->add_open() = std::move(open);
  }

 private:
  const Balance& balance_;
  const Months period_;
  std::map<Id, int64_t> open_;
};

}  // namespace

bool MayReadHere(Store& store, const Figure& figure, const Id& organisation) {
  const auto identity = store.GetIdentity();
  const auto now_ms = store.ServerNow();
  if (!identity.ok() || !now_ms.ok()) return false;
  const uint32_t offices =
      OfficesKnownIn(organisation, identity->person, *now_ms, [&](const RecordKey& key) {
        const absl::StatusOr<Draft> draft = store.Edit(*store.schema().Find(key.type), key.id);
        return draft.ok() ? draft->message().SerializePartialAsString() : "";
      });
  return figure.MayBeReadBy({.at_home = offices, .as_host = offices}, store.schema());
}

absl::StatusOr<rules::v1::Report> ReportHere(Store& store, const Id& organisation,
                                             const Months& period, const rules::Book& book) {
  RETURN_IF_ERROR(store.GetIdentity().status());
  ASSIGN_OR_RETURN(const absl::CivilDay today, Today(store));
  rules::Tally tally(book, period, MonthOf(today));
  std::vector<OpenFor> open;
  for (const Balance& balance : book.balances()) open.emplace_back(balance, period);
  std::set<std::string> faults;
  HeldHere records(store);
  const SomeHere some(store);
  RETURN_IF_ERROR(rules::CountAll(
      book, records, some, [&](const Figure& figure, const Id&, const Counted& counted) {
        if (counted.organisation != organisation) return;
        if (!counted.fault.empty()) faults.insert(counted.fault);
        rules::AddShares(figure, counted, [&](const SumKey& key, const Sum& sum) {
          tally.Add(key, sum);
          for (OpenFor& one : open) one.Add(figure, counted, key, sum);
        });
      }));
  rules::v1::Report report = ReportOf(tally, [&](const Figure& figure) {
    return MayReadHere(store, figure, organisation) ? rules::Sight::kAll : rules::Sight::kUnknown;
  });
  report.set_organisations(1);
  report.mutable_faults()->Assign(faults.begin(), faults.end());
  for (int i = 0; i < report.balances_size(); ++i) {
    BalanceSheet& sheet = *report.mutable_balances(i);
    if (!sheet.not_known()) open[static_cast<size_t>(i)].Tell(store, organisation, &sheet);
  }
  return report;
}

sync::v1::Ask AskToSumUp(const Id& organisation, const std::string& period) {
  sync::v1::Ask ask;
  ask.set_organisation_id(organisation.str());
  ask.set_sum_up(period);
  return ask;
}

absl::StatusOr<rules::v1::Report> ReadReport(const sync::v1::Page& page) {
  if (page.has_refusal()) return Refuse(page.refusal().reason(), page.refusal().detail());
  // A server of before knows no such question, and refuses its type.
  return page.report();
}

absl::StatusOr<std::map<Id, int64_t>> PeopleBehind(Store& store, const Figure& figure,
                                                   const Months& period, rules::Records& records,
                                                   const std::optional<Id>& organisation) {
  ASSIGN_OR_RETURN(const absl::CivilDay today, Today(store));
  std::map<Id, int64_t> people;
  const SomeHere some(store);
  RETURN_IF_ERROR(rules::CountBehind(
      figure, records, some, [&](const Figure&, const Id&, const Counted& counted) {
        if (!counted.known || (organisation && counted.organisation != *organisation)) return;
        Sum sum;
        rules::AddShares(figure, counted, [&](const SumKey& key, const Sum& share) {
          sum += rules::ShareIn(period, MonthOf(today), figure, key, share);
        });
        if (sum.records == 0) return;
        // Of an amount that several share nobody has a part by themselves.
        const int64_t amount = counted.persons.size() > 1 ? 1 : sum.amount;
        for (const Id& person : counted.persons) people[person] += amount;
      }));
  return people;
}

}  // namespace zhibu::client
