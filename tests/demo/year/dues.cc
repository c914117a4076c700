// 党费: the base of each member, what they pay each month, a slip that is reversed, somebody who
// does not pay, and what the branch hands up by the quarter.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/demo/year/story.h"
#include "zhibu/records/v1/dues.pb.h"
#include "zhibu/records/v1/funds.pb.h"

namespace zhibu::year {
namespace {

using records::v1::DuesBase;
using records::v1::DuesHandedUp;
using records::v1::DuesPayment;

constexpr int kPayDay = 20, kHandUpDay = 25, kBaseDay = 4;
// Months that somebody has not paid when the year ends, and the branch where they are.
constexpr int kArrears = 2;

class DuesOfAYear final : public Story {
 public:
  using Story::Story;

  void OnDay() override {
    const bool quarter = today().month() % 3 == 0;
    // The first sheet when the branch begins with the program, then one each January.
    const bool sheet = year_.days() == 1 ||
                       (today().month() == 1 && today().day() == kBaseDay && year_.days() > 5);
    for (Village& village : town_.villages()) {
      if (sheet) SignBases(village);
      // The month in which the year begins, too, where its day is over.
      const bool begun = year_.days() == 0 && today().day() > kPayDay;
      if (begun || today().day() == kPayDay) Pay(village);
      if (today().day() == kHandUpDay && quarter) HandUp(village);
    }
    if (year_.days() % 7 == 0) Receive();
  }

  void End() override {
    year_.ending.numbers["duesFen"] = paid_fen_;
    year_.ending.numbers["handedUpFen"] = handed_up_fen_;
    year_.ending.numbers["payments"] = payments_;
    const Village& first = town_.village(0);
    year_.ending.words["debtor"] = town_.debtor().owner().name;
    year_.ending.words["duesBranch"] = first.name;
    year_.ending.numbers["duesFenOfFirst"] = paid_fen_of_[0];
    year_.ending.words["unpaidFrom"] = absl::FormatCivilTime(LastPaid() - (kArrears - 1));
    year_.ending.words["unpaidUntil"] = absl::FormatCivilTime(LastPaid());
  }

 private:
  void SignBases(Village& village) {
    Edit edit(&town_.secretary(village.index));
    for (const Person& person : village.members) SignBase(village, person, &edit);
    edit.Commit();
  }

  void SignBase(const Village& village, const Person& person, Edit* edit) {
    const Dues dues = DuesOf(person);
    edit->Make<DuesBase>([&](DuesBase& base) {
      base.set_member_id(person.id.str());
      base.set_from(MonthOf(today()));
      base.set_branch_id(village.id.str());
      base.set_kind(person.kind);
      base.set_base_fen(person.base_fen);
      base.set_rate_basis_points(dues.rate_basis_points);
      base.set_monthly_due_fen(dues.monthly_fen);
      base.set_state(DuesBase::PROPOSED);
    });
  }

  // The last month of which anybody has paid when the year ends.
  absl::CivilMonth LastPaid() const {
    return absl::CivilMonth(year_.last.day() > kPayDay ? year_.last : AddMonths(year_.last, -1));
  }
  bool IsLate(const Person& person) const {
    return person.id == town_.debtor().me() && LastPaid() - absl::CivilMonth(today()) < kArrears;
  }

  Id PayOne(const Village& village, const Person& person, int64_t fen, Edit* edit,
            const Id& reverses = Id()) {
    ++payments_;
    paid_fen_ += fen;
    paid_fen_of_[village.index] += fen;
    return edit->Make<DuesPayment>([&](DuesPayment& payment) {
      payment.set_member_id(person.id.str());
      payment.set_branch_id(village.id.str());
      payment.set_amount_fen(fen);
      payment.set_month(MonthOf(today()));
      payment.set_paid_on(date());
      payment.set_method(town_.dice.OneIn(3) ? DuesPayment::CASH : DuesPayment::ONLINE);
      payment.set_payer(DuesPayment::THEMSELVES);
      payment.set_receiver(village.deputy().name);
      if (!reverses.empty()) payment.set_reverses_id(reverses.str());
    });
  }

  void Pay(Village& village) {
    Edit edit(&town_.secretary(village.index));
    const bool slip = village.index == 0 && ++months_ == 3;
    for (const Person& person : village.members) {
      if (IsLate(person) || person.lost) continue;
      const int64_t fen = DuesOf(person).monthly_fen;
      if (slip && &person == &village.members[7]) {
        const Id wrong = PayOne(village, person, fen + 900, &edit);
        PayOne(village, person, -fen - 900, &edit, wrong);
        year_.ending.words["slip"] = person.name;
      }
      PayOne(village, person, fen, &edit);
    }
    // From the month of the meeting that admitted them.
    const Person& admitted = village.applicant;
    if (admitted.joined.has_value()) {
      if (admitted_.insert(village.index).second) SignBase(village, admitted, &edit);
      PayOne(village, admitted, DuesOf(admitted).monthly_fen, &edit);
    }
    edit.Commit();
  }

  void HandUp(Village& village) {
    const int64_t fen = paid_fen_of_[village.index] - handed_up_of_[village.index];
    if (fen <= 0) return;
    Edit edit(&town_.secretary(village.index));
    handed_up_.push_back(edit.Make<DuesHandedUp>([&](DuesHandedUp& sum) {
      sum.set_branch_id(village.id.str());
      sum.set_from(MonthOf(std::max(AddMonths(today(), -2), year_.first)));
      sum.set_until(MonthOf(today()));
      sum.set_amount_fen(fen);
      sum.set_handed_up_on(date());
      sum.set_state(DuesHandedUp::HANDED_UP);
    }));
    edit.Commit();
    handed_up_of_[village.index] += fen;
    handed_up_fen_ += fen;
  }

  // The township says that it has come, as far as it has heard of it.
  void Receive() {
    Device& leader = town_.leader();
    const RecordType& type = *leader.store().schema().Find(DuesHandedUp::descriptor());
    Edit edit(&leader);
    const auto heard = std::partition(handed_up_.begin(), handed_up_.end(),
                                      [&](const Id& id) { return !leader.Has(type, id); });
    for (auto at = heard; at != handed_up_.end(); ++at) {
      edit.Change<DuesHandedUp>(*at, [&](DuesHandedUp& sum) {
        sum.set_state(DuesHandedUp::RECEIVED);
        sum.set_receipt_number(absl::StrCat("云党费收", ++receipts_));
      });
    }
    handed_up_.erase(heard, handed_up_.end());
    edit.Commit();
  }

  std::set<size_t> admitted_;  // branches whose applicant has a base
  std::map<size_t, int64_t> paid_fen_of_;
  std::map<size_t, int64_t> handed_up_of_;
  std::vector<Id> handed_up_;  // and the township has not said that it has them
  int64_t paid_fen_ = 0;
  int64_t handed_up_fen_ = 0;
  int64_t payments_ = 0;
  int receipts_ = 0;
  int months_ = 0;
};

}  // namespace

std::unique_ptr<Story> DuesStory(Year* year) { return std::make_unique<DuesOfAYear>(year); }

}  // namespace zhibu::year
