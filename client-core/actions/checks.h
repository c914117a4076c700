// What of the records on this device is not as the rule book has it (sync/rules/book/check.h),
// worked out anew each time.
//
//   ASSIGN_OR_RETURN(const IrregularHere found, WhatIsIrregular(*store));
//   for (const Irregular& one : found.records) …
//
// It has what a hard check says of what was done on paper and entered late with its reason, or was
// wrong before there was such a rule, and what a soft one says. Nothing follows from it: people
// look at the papers. What cannot be told here, because another record or a field of it is not on
// this device, is left out; what says no day, and would be judged if it did, is told apart.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_CHECKS_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_CHECKS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client-core/actions/books.h"
#include "client-core/store/store.h"
#include "sync/rules/book/check.h"

namespace zhibu::client {

struct Irregular {
  Id id;  // of the type finding.check->of
  rules::Finding finding;
  std::string because;  // as whoever entered it says; empty: nobody does, or it is soft
};

// One that no check has judged, because it does not say on which day it was.
struct Undated {
  Id id;
  const RecordType* type = nullptr;
};

struct IrregularHere {
  std::vector<BookHere> books;     // whose checks these name
  std::vector<Irregular> records;  // the latest acts first
  std::vector<Undated> undated;
  // Rules that went wrong, each once, for whoever keeps the rule book.
  std::vector<std::string> faults;
};

absl::StatusOr<IrregularHere> WhatIsIrregular(Store& store);

// What the checks in force here find of a record as somebody would have it, before it is committed.
struct FoundOfDraft {
  std::vector<BookHere> books;  // whose checks these name
  std::vector<rules::Finding> broken;
};
absl::StatusOr<FoundOfDraft> WhatIsWrongWith(Store& store, const Draft& draft);

// What is known on this device, to judge one record by (rules::JudgeByAll). `store` outlives it.
std::unique_ptr<rules::Surroundings> AroundHere(Store& store);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_CHECKS_H_
