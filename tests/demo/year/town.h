// The people of a township, made from a seed: as many branches and members as are asked for, a
// person on the way to become one in each branch, and the roster that an office would hand in.
// None of them exists.
//
//   Town town(2026, 30, 700, first_day);
//   Import(town.Roster());
//
// `id`s are empty until the roster has been imported.
#ifndef ZHIBU_TESTS_DEMO_YEAR_TOWN_H_
#define ZHIBU_TESTS_DEMO_YEAR_TOWN_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "sync/base/types.h"
#include "tests/sim/dice.h"
#include "zhibu/records/v1/funds.pb.h"
#include "zhibu/records/v1/member.pb.h"

namespace zhibu::year {

struct Person {
  std::string name;
  bool woman = false;
  absl::CivilDay born;
  std::string identity_number;
  records::v1::Member::Stage stage = records::v1::Member::FULL;
  std::optional<absl::CivilDay> joined;
  // From which their dues are reckoned.
  records::v1::DuesBase::Kind kind = records::v1::DuesBase::WAGE;
  int64_t base_fen = 0;
  bool away = false;  // at work elsewhere
  bool lost = false;  // nobody knows where
  Id id;
};

// What is due each month: the rate in hundredths of a per cent, and the sum in fen.
struct Dues {
  uint32_t rate_basis_points = 0;
  int64_t monthly_fen = 0;
};
Dues DuesOf(const Person& person);

struct Village {
  size_t index = 0;
  std::string short_name;  // 青石村
  std::string name;        // of its branch
  Id id;
  // The secretary first, then the deputy and the rest of the committee.
  std::vector<Person> members;
  Person applicant;
  // Days before the year at which the applicant asked to join; below zero, within it.
  int applied_before = 0;

  const Person& secretary() const { return members[0]; }
  const Person& deputy() const { return members[1]; }
};

inline constexpr char kTownCommittee[] = "中共云溪镇委员会";
inline constexpr char kHostCommittee[] = "中共滨海市临港街道工作委员会";

class Town {
 public:
  Town(uint64_t seed, size_t branches, size_t members, absl::CivilDay first_day);

  std::vector<Village>& villages() { return villages_; }
  const Person& leader() const { return leader_; }  // who acts for the township's committee
  // CSV, as an office hands it in. Who asks to join within the year is not in it yet.
  std::string Roster() const;

 private:
  Person NewPerson(int youngest, int oldest);
  std::string NewName(bool woman);
  void GiveWork(Person* person);
  void AddApplicant(Village* village, size_t branches);

  sim::Dice dice_;
  const absl::CivilDay first_day_;
  std::vector<std::string> names_;  // given out
  std::vector<Village> villages_;
  Person leader_;
};

}  // namespace zhibu::year

#endif  // ZHIBU_TESTS_DEMO_YEAR_TOWN_H_
