// Everything else that a branch records in a year, as a table: on which day of the year, by whom,
// of what, in protobuf's text form.
//
//   {9, kSecretary, 1, "Visit", "visit", R"(branch_id: $branch visited_on: $day state: OPEN)"},
//   {19, kSecretary, 1, "", "visit", "state: DONE"},
//
// An act without a type goes on with the record of that name, as soon as it is on that device.
// Words that begin with $ are filled in; acts.cc says which there are.
#ifndef ZHIBU_TESTS_DEMO_YEAR_ACTS_H_
#define ZHIBU_TESTS_DEMO_YEAR_ACTS_H_

#include "absl/types/span.h"

namespace zhibu::year {

enum Actor { kSecretary, kTown, kMember };

struct Act {
  int day = 0;  // of the year, from 0
  Actor actor = kSecretary;
  size_t every = 1;  // so many branches one does, from the first on
  const char* type = "";
  const char* name = "";
  const char* text = "";
};

absl::Span<const Act> Acts();

}  // namespace zhibu::year

#endif  // ZHIBU_TESTS_DEMO_YEAR_ACTS_H_
