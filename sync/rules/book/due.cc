#include "sync/rules/book/due.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/date.h"
#include "sync/base/environment.h"
#include "sync/base/status.h"
#include "sync/rules/book/functions.h"
#include "sync/rules/book/periods.h"
#include "sync/rules/book/same.h"
#include "sync/rules/book/shelf.h"

namespace zhibu::rules {
namespace {

using cel::Activation;
using cel::Program;
using cel::Value;
using google::protobuf::Message;

// Periods that ended longer ago are nobody's work any more.
constexpr int kLookBackMonths = 12;
constexpr cel::Budget kBudget{.steps = 10'000};
// What nobody counts in.
constexpr int64_t kMonthsMax = 1'200;
constexpr int64_t kTimesMax = 1'000;
// Of one obligation that somebody has added, and what looking at one record costs it.
constexpr size_t kItemsMax = 1'000;
constexpr uint64_t kStepsOfASubject = 100;

// What may meet an obligation of one record, by one of its ways.
struct Candidates {
  const MetBy* by = nullptr;
  std::vector<const Message*> records;
};

absl::StatusOr<Candidates> CandidatesOf(const MetBy& met_by, const Id& id, const Message& self,
                                        Shelf* shelf) {
  ASSIGN_OR_RETURN(const Shelf::Index* index, shelf->By(*met_by.type, *met_by.via));
  Candidates candidates{.by = &met_by};
  const auto found = index->find(
      met_by.is == nullptr ? id.str() : self.GetReflection()->GetString(self, met_by.is));
  if (found == index->end()) return candidates;
  const Shelf::Index* undone = nullptr;
  if (met_by.undone_by != nullptr) {
    ASSIGN_OR_RETURN(undone, shelf->By(*met_by.type, *met_by.undone_by));
  }
  for (const Shelved* entry : found->second) {
    if (undone != nullptr && undone->count(entry->id.str()) > 0) continue;
    candidates.records.push_back(entry->record.get());
  }
  return candidates;
}

// One obligation of one record.
class Case {
 public:
  Case(const Obligation& obligation, const Id& subject, const Message& self,
       const std::vector<Candidates>& met, absl::CivilDay today, cel::Purse* purse, DueList* list)
      : obligation_(obligation),
        subject_(subject),
        met_(met),
        today_(today),
        purse_(purse),
        list_(*list) {
    activation_.Set(obligation.self, Value::OfMessage(&self));
    activation_.Set(obligation.registered, RegisteredOn());
    activation_.Set(obligation.today, ValueOf(today));
  }

  // ---- Of one of those that say the same

  bool IsOfThem() { return Holds(obligation_.where, today_); }

  // The day from which it is asked of it; nothing: it is a fact of its own.
  std::optional<absl::CivilDay> AskedFrom() {
    const std::optional<absl::CivilDay> from = Day(*obligation_.counts_from, today_);
    if (!from || Before(*from)) return std::nullopt;
    activation_.Set(obligation_.from, ValueOf(*from));
    const std::optional<absl::CivilDay> last = Day(*obligation_.due_on, *from);
    if (!last || MetIn({*from, absl::CivilDay::max()}) > 0) return std::nullopt;
    return std::min(*last, today_);
  }

  // It, and so many in all, say the same as that one.
  void Ask(absl::CivilDay from, const Id& same_as, int64_t many) {
    same_as_ = same_as;
    Tell(from, "", many);
  }

  // ---- Of any other

  void WorkOut() {
    if (!Holds(obligation_.where, today_)) return;
    std::optional<absl::CivilDay> from = absl::CivilDay::min();
    if (obligation_.counts_from) {
      from = Day(*obligation_.counts_from, today_);
      if (!from) return;
      activation_.Set(obligation_.from, ValueOf(*from));
    }
    if (obligation_.text.every() != rules::v1::PERIOD_UNSPECIFIED) return Periods(*from);
    if (Before(*from)) return;
    if (obligation_.every_months) return Again(*from);
    const std::optional<absl::CivilDay> last = Day(*obligation_.due_on, *from);
    if (last && MetIn({*from, absl::CivilDay::max()}) == 0) Tell(*last, "", 1);
  }

 private:
  // The day on which the record was made here, which may be long after what it tells of.
  Value RegisteredOn() const {
    if (!obligation_.each->id_from.empty()) return Value::Unknown("registered");
    return ValueOf(DayAt(MadeAtMs(subject_)));
  }

  // Whether the obligation was not there on that day.
  bool Before(absl::CivilDay day) const {
    const std::optional<absl::CivilDay> begun = DayFrom(obligation_.text.from());
    return begun && day < *begun;
  }

  void Periods(absl::CivilDay from) {
    const rules::v1::Period kind = obligation_.text.every();
    const absl::CivilDay oldest = AddMonths(today_, -kLookBackMonths);
    for (PeriodDays period = PeriodOf(kind, std::max(from, oldest)); period.first <= today_;
         period = Next(kind, period)) {
      // One that had begun before the branch, or the rule, asks for nothing yet.
      if (period.first < from || Before(period.first)) continue;
      const std::optional<int64_t> times = Number(obligation_.times, period.last);
      if (!times || !IsCounted("times", *times, kTimesMax)) continue;
      const int64_t missing = *times - MetIn(period);
      if (missing > 0) Tell(period.last, NameOf(kind, period), missing);
    }
  }

  // The spans of so many months that nothing has met. What comes in the grace of a span that was
  // not met counts for that one, and not for the next as well.
  void Again(absl::CivilDay from) {
    const std::optional<int64_t> months = Number(obligation_.every_months, from);
    if (!months || *months <= 0 || !IsCounted("every_months", *months, kMonthsMax)) return;
    const auto grace = static_cast<int64_t>(obligation_.text.grace_days());
    const auto warning = static_cast<int64_t>(obligation_.text.warn_days());
    const std::vector<absl::CivilDay> met = MetOn(from);
    auto next = met.begin();
    for (int64_t span = 1;; ++span) {
      const absl::CivilDay last = AddMonths(from, span * *months);
      if (last > today_ + warning || !MayGoOn()) return;
      const auto within = std::upper_bound(next, met.end(), last);
      const bool late = within == next && next != met.end() && *next <= last + grace;
      const bool is_met = within != next || late;
      next = late ? next + 1 : within;
      if (!is_met && last >= AddMonths(today_, -kLookBackMonths)) Tell(last, "", 1);
    }
  }

  // What counts, from its day to its last, each by its first day. Read once, however many periods
  // there are: in these expressions the parameters are today's.
  struct Covered {
    PeriodDays days;
    bool spans = false;  // it covers every period that ends in it
  };
  const std::vector<Covered>& AllCovered() {
    if (covered_) return *covered_;
    covered_.emplace();
    for (const Candidates& met : met_) {
      for (const Message* record : met.records) {
        if (!MayGoOn()) return *covered_;
        const std::optional<PeriodDays> days = CoveredBy(*met.by, *record, today_);
        if (days) covered_->push_back({*days, met.by->until.has_value()});
      }
    }
    return *covered_;
  }

  // The days from `from` on that count, in order.
  std::vector<absl::CivilDay> MetOn(absl::CivilDay from) {
    std::vector<absl::CivilDay> days;
    for (const Covered& one : AllCovered()) {
      if (one.days.first >= from) days.push_back(one.days.first);
    }
    std::sort(days.begin(), days.end());
    return days;
  }

  int64_t MetIn(const PeriodDays& days) {
    const std::vector<Covered>& all = AllCovered();
    return std::count_if(all.begin(), all.end(), [&](const Covered& one) {
      return one.spans ? one.days.Has(days.last) : days.Has(one.days.first);
    });
  }

  // From its day to its last; nothing where the record does not count.
  std::optional<PeriodDays> CoveredBy(const MetBy& by, const Message& record,
                                      absl::CivilDay judged) {
    activation_.Set(by.met, Value::OfMessage(&record));
    if (!Holds(by.when, judged)) return std::nullopt;
    const std::optional<absl::CivilDay> on = Day(*by.on, judged);
    const std::optional<absl::CivilDay> until = by.until ? Day(*by.until, judged) : on;
    if (!on || !until) return std::nullopt;
    return PeriodDays{*on, *until};
  }

  void Tell(absl::CivilDay last, std::string period, int64_t missing) {
    const rules::v1::Obligation& text = obligation_.text;
    DueItem item{.obligation = &obligation_,
                 .subject = subject_,
                 .period = std::move(period),
                 .last = last,
                 .missing = missing,
                 .same_as = same_as_};
    if (text.question()) {
      if (today_ < last) return;
      item.standing = Standing::kQuestion;
    } else if (today_ > last + static_cast<int64_t>(text.grace_days())) {
      item.standing = Standing::kOverdue;
    } else if (today_ > last) {
      item.standing = Standing::kDue;
    } else if (item.period.empty() && today_ < last - static_cast<int64_t>(text.warn_days())) {
      return;
    }
    list_.items.push_back(std::move(item));
  }

  // Unknown is nothing, and an error is told of.
  std::optional<Value> Evaluate(const Program& program, absl::CivilDay judged) {
    const JudgedDay host(judged);
    activation_.set_host(&host);
    cel::Meter meter(purse_ == nullptr ? kBudget : purse_->ForOne(kBudget));
    Value value = program.Evaluate(activation_, &meter);
    activation_.set_host(nullptr);
    if (purse_ != nullptr) purse_->Pay(meter.spent());
    if (!MayGoOn()) return std::nullopt;  // the list says so once
    if (value.is_error()) Fault(value.ToText());
    if (!value.is_proper()) return std::nullopt;
    return value;
  }
  bool Holds(const std::optional<Program>& program, absl::CivilDay judged) {
    if (!program) return true;
    const std::optional<Value> value = Evaluate(*program, judged);
    return value && value->is_bool(true);
  }
  std::optional<absl::CivilDay> Day(const Program& program, absl::CivilDay judged) {
    const std::optional<Value> value = Evaluate(program, judged);
    return value ? DayOf(*value) : std::nullopt;
  }
  // Not said: once.
  std::optional<int64_t> Number(const std::optional<Program>& program, absl::CivilDay judged) {
    if (!program) return 1;
    const std::optional<Value> value = Evaluate(*program, judged);
    return value ? std::optional(value->int_value()) : std::nullopt;
  }

  bool MayGoOn() const { return purse_ == nullptr || !purse_->empty(); }

  bool IsCounted(absl::string_view what, int64_t number, int64_t most) {
    if (-most <= number && number <= most) return true;
    Fault(absl::StrCat(what, ": ", number, " is more than can be"));
    return false;
  }

  void Fault(const std::string& what) {
    std::string fault = absl::StrCat(obligation_.text.key(), ": ", what);
    auto& faults = list_.faults;
    if (std::find(faults.begin(), faults.end(), fault) == faults.end()) {
      faults.push_back(std::move(fault));
    }
  }

  const Obligation& obligation_;
  const Id& subject_;
  const std::vector<Candidates>& met_;
  const absl::CivilDay today_;
  cel::Purse* const purse_;
  DueList& list_;
  Activation activation_;
  std::optional<Id> same_as_;
  std::optional<std::vector<Covered>> covered_;
};

void Sort(DueList* list) {
  std::stable_sort(list->items.begin(), list->items.end(), [](const DueItem& a, const DueItem& b) {
    return std::tie(a.standing, a.last) < std::tie(b.standing, b.last);
  });
}

}  // namespace

void Add(DueList more, DueList* list) {
  std::move(more.items.begin(), more.items.end(), std::back_inserter(list->items));
  std::move(more.faults.begin(), more.faults.end(), std::back_inserter(list->faults));
  Sort(list);
}

namespace {

using Concerns = absl::FunctionRef<bool(const Obligation&, const Id&, const Message&)>;

// All obligations of a book, one after the other.
class WorkingOut {
 public:
  WorkingOut(Records& records, absl::CivilDay today, Concerns concerns, cel::Purse* purse)
      : shelf_(records), today_(today), concerns_(concerns), purse_(purse) {}

  absl::Status Add(const Obligation& obligation) {
    ASSIGN_OR_RETURN(const Shelf::All* subjects, shelf_.AllOf(*obligation.each));
    const size_t before = list_.items.size();
    if (!obligation.same.empty()) {
      RETURN_IF_ERROR(AddAlike(obligation, *subjects));
      Bound(obligation, before);
      return absl::OkStatus();
    }
    for (const Shelved& subject : *subjects) {
      RETURN_IF_ERROR(AddOf(obligation, subject));
      if (Bound(obligation, before)) break;
    }
    return absl::OkStatus();
  }

  DueList Done() {
    Sort(&list_);
    return std::move(list_);
  }

 private:
  absl::Status AddOf(const Obligation& obligation, const Shelved& subject) {
    if (purse_ != nullptr) purse_->Pay(kStepsOfASubject);
    if (!concerns_(obligation, subject.id, *subject.record)) return absl::OkStatus();
    return WithCase(obligation, subject, [](Case& one) { one.WorkOut(); });
  }

  absl::Status WithCase(const Obligation& obligation, const Shelved& subject,
                        absl::FunctionRef<void(Case&)> use) {
    std::vector<Candidates> met;
    for (const MetBy& met_by : obligation.met_by) {
      ASSIGN_OR_RETURN(Candidates some, CandidatesOf(met_by, subject.id, *subject.record, &shelf_));
      met.push_back(std::move(some));
    }
    Case one(obligation, subject.id, *subject.record, met, today_, purse_, &list_);
    use(one);
    return absl::OkStatus();
  }

  using Group = std::vector<const Shelved*>;

  // One item for all that say the same.
  absl::Status AddAlike(const Obligation& obligation, const Shelf::All& subjects) {
    ASSIGN_OR_RETURN(const std::vector<Group> groups, GroupsOf(obligation, subjects));
    for (Group group : groups) {
      RETURN_IF_ERROR(KeepThoseMeant(obligation, &group));
      const Shelved* asked = nullptr;
      absl::CivilDay from;
      int64_t many = 0;
      for (size_t i = 1; i < group.size(); ++i) {
        std::optional<absl::CivilDay> day;
        RETURN_IF_ERROR(WithCase(obligation, *group[i], [&](Case& one) { day = one.AskedFrom(); }));
        if (!day) continue;
        ++many;
        if (asked != nullptr) continue;
        asked = group[i];
        from = *day;
      }
      if (asked == nullptr) continue;
      RETURN_IF_ERROR(
          WithCase(obligation, *asked, [&](Case& one) { one.Ask(from, group.front()->id, many); }));
    }
    return absl::OkStatus();
  }

  // Those that say the same and were not taken back.
  absl::StatusOr<std::vector<Group>> GroupsOf(const Obligation& obligation,
                                              const Shelf::All& subjects) {
    const Shelf::Index* undone = nullptr;
    if (obligation.undone_by != nullptr) {
      ASSIGN_OR_RETURN(undone, shelf_.By(*obligation.each, *obligation.undone_by));
    }
    std::map<std::string, Group> by_what_they_say;
    for (const Shelved& subject : subjects) {
      if (purse_ != nullptr) purse_->Pay(kStepsOfASubject);
      if (undone != nullptr && undone->count(subject.id.str()) > 0) continue;
      if (!SaysAll(obligation.same, *subject.record)) continue;
      by_what_they_say[SaidIn(obligation.same, *subject.record)].push_back(&subject);
    }
    std::vector<Group> groups;
    for (auto& [said, group] : by_what_they_say) {
      if (group.size() > 1) groups.push_back(std::move(group));
    }
    return groups;
  }

  // Of whom it is asked at all, the one that was made first before the others.
  absl::Status KeepThoseMeant(const Obligation& obligation, Group* group) {
    Group meant;
    for (const Shelved* one : *group) {
      if (!concerns_(obligation, one->id, *one->record)) continue;
      bool is_meant = false;
      RETURN_IF_ERROR(WithCase(obligation, *one, [&](Case& c) { is_meant = c.IsOfThem(); }));
      if (is_meant) meant.push_back(one);
    }
    std::sort(meant.begin(), meant.end(),
              [](const Shelved* a, const Shelved* b) { return a->id < b->id; });
    *group = std::move(meant);
    return absl::OkStatus();
  }

  static bool SaysAll(const std::vector<const google::protobuf::FieldDescriptor*>& fields,
                      const Message& record) {
    return std::all_of(fields.begin(), fields.end(), [&](const auto* field) {
      return record.GetReflection()->HasField(record, field);
    });
  }

  // Whether there is an end of it: what is too much is told, and cut.
  bool Bound(const Obligation& obligation, size_t before) {
    const std::string fault = TooMuch(before);
    if (fault.empty()) return false;
    list_.items.resize(std::min(list_.items.size(), before + kItemsMax));
    list_.faults.push_back(absl::StrCat(obligation.text.key(), ": ", fault));
    return true;
  }

  // Empty: it is not.
  std::string TooMuch(size_t before) const {
    if (purse_ == nullptr) return "";
    if (purse_->empty()) {
      return absl::StrCat("more than the ", purse_->steps(),
                          " steps that all added rules have together");
    }
    if (list_.items.size() - before <= kItemsMax) return "";
    return absl::StrCat("due more than ", kItemsMax, " times");
  }

  Shelf shelf_;
  const absl::CivilDay today_;
  const Concerns concerns_;
  cel::Purse* const purse_;
  DueList list_;
};

}  // namespace

bool SeesTo(const Obligation& obligation, Place place) {
  const auto& who = obligation.text.who();
  const auto& at = obligation.text.at();
  if (place == PERSON) return std::count(who.begin(), who.end(), SELF) > 0;
  if (at.empty()) return place == OWNER;
  return std::count(at.begin(), at.end(), place) > 0;
}

absl::StatusOr<DueList> WorkOutDue(const Book& book, Records& records, absl::CivilDay today,
                                   Concerns concerns, cel::Purse* purse) {
  WorkingOut working(records, today, concerns, purse);
  for (const Obligation& obligation : book.obligations()) {
    RETURN_IF_ERROR(working.Add(obligation));
  }
  return working.Done();
}

}  // namespace zhibu::rules
