// What is due in several organisations, told by rule and by organisation.
//
//   DueReporter reporter(as_of);
//   for (organisation …) reporter.Add(organisation, list, damaged);   // WorkOutDue, by all books
//   const v1::DueReport report = reporter.Tell();            // names are for the caller to fill in
#ifndef ZHIBU_SYNC_RULES_BOOK_DUE_REPORT_H_
#define ZHIBU_SYNC_RULES_BOOK_DUE_REPORT_H_

#include <map>
#include <set>
#include <string>

#include "absl/time/civil_time.h"
#include "sync/base/types.h"
#include "sync/base/words.h"
#include "sync/rules/book/due.h"
#include "zhibu/rules/v1/due.pb.h"

namespace zhibu::rules {

class DueReporter {
 public:
  explicit DueReporter(absl::CivilDay as_of) : as_of_(as_of) {}

  // Each organisation once. The books of the list may end afterwards. `damaged`: something of the
  // organisation's could not be read.
  void Add(const Id& organisation, const DueList& list, bool damaged);
  v1::DueReport Tell() const;

 private:
  struct Part {
    v1::DueReport::Count count;
    absl::CivilDay oldest = absl::CivilDay::max();
  };
  struct Told {
    v1::DueReport::Rule rule;
    std::map<Id, Part> parts;
  };

  const absl::CivilDay as_of_;
  uint32_t organisations_ = 0;
  bool incomplete_ = false;
  // By key and all of its text: two organisations may add different ones under one key.
  std::map<std::string, Told> rules_;
  std::set<std::string> faults_;
};

// As people read it.
std::string TextOf(const v1::DueReport& report, Language language);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_DUE_REPORT_H_
