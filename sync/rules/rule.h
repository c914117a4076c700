// What a type's declaration cannot say of it: one subject, one file, one Rule.
//
//   Judge      may this be done? The device asks before it commits, the server when it
//              has merged: both refuse in the same words. JudgeAll: what is asked of an edit once
//   Lend       an office for this one record, on a proof that lies in it
//   Follow     what the server composes because of a record; FollowAll: because of an edit
//   Mark       by what a record can be found that lies in no scope for it
//
// Which types a rule concerns it is asked once, at start (sync/rules/rule_book.h); ingest
// names none. When each is asked stands in server/ingest/ingest.h.
//
//   class Fees : public Rule {
//    public:
//     bool Concerns(const RecordType& type) const override { return IsA<Fee>(type); }
//     absl::Status Judge(const Case&, const Step& step) const override {
//       return Parse<Fee>(step.after.body).fen() < 0 ? Refuse(BAD_VALUE, "fen") : absl::OkStatus();
//     }
//   };
//
// Pure: what a rule is told, and what it looks up, is all it knows. It has no state, so any
// thread may ask it.
#ifndef ZHIBU_SYNC_RULES_RULE_H_
#define ZHIBU_SYNC_RULES_RULE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"
#include "sync/rules/lookup.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu {

// A record as one edit finds and leaves it. An edit changes a record once.
struct Step {
  const RecordType& type;
  Id id;
  const sync::v1::Change& change;
  const RecordState& before;  // not written: a new one
  const RecordState& after;
  Version seen;  // up to which the author can have seen the record
  // A time of the author's, by a clock that is not far ahead, and not before that at which
  // the record was changed last.
  int64_t at_ms = 0;

  // Empty where there was no living record.
  absl::string_view body_before() const {
    return before.alive() ? absl::string_view(before.body) : absl::string_view();
  }
};

// One edit. While it is judged nothing of it is written: Lookup gives records as they were.
// When something follows from it, all of it is.
struct Case {
  Lookup& lookup;
  Id author;            // the person; empty: the server composed it
  Id decider;           // whose authority counts: the author, or who takes what was held
  int64_t made_ms = 0;  // by the stamp that it came with, whatever clock that was
  int64_t now_ms = 0;
  absl::Span<const Step> steps;  // by record; none while one of them is lent for
};

// The author counts as an ordinary member of the organisation, for this one record
// (FieldRule::by_code).
struct Loan {
  Id scope;
  sync::v1::Edit proved;  // what the server writes into the record because of the proof
};

struct Consequences {
  sync::v1::Edit edit;  // no record twice
  // For the operator's log; nothing personal.
  std::vector<std::string> warnings;
};

class Rule {
 public:
  virtual ~Rule() = default;

  virtual bool Concerns(const RecordType& type) const = 0;

  // Asked of authors' edits only. A refusal (Refuse) sends the edit back; any other error is
  // the lookup's, or a fault, which sends it back as SERVER_FAULT.
  virtual absl::StatusOr<std::optional<Loan>> Lend(const Case& /*of*/, const Step& /*step*/) const {
    return std::nullopt;
  }
  virtual absl::Status Judge(const Case& /*of*/, const Step& /*step*/) const {
    return absl::OkStatus();
  }

  // The same of the edit as a whole, once every step has been judged.
  virtual absl::Status JudgeAll(const Case& /*of*/) const { return absl::OkStatus(); }

  // Asked of every edit, the server's own too: nothing is to follow where all is as it must
  // be. A refusal sends the edit back that it follows from, whole.
  virtual absl::Status Follow(const Case& /*of*/, const Step& /*step*/,
                              Consequences* /*follows*/) const {
    return absl::OkStatus();
  }
  // Once the edit is written, before anything follows from it. What follows is an edit of its own,
  // with its own marks.
  virtual absl::Status Mark(const Case& /*of*/, const Step& /*step*/, Marks* /*marks*/) const {
    return absl::OkStatus();
  }
  // Asked once what follows from each record is written.
  virtual absl::Status FollowAll(const Case& /*of*/, Consequences* /*follows*/) const {
    return absl::OkStatus();
  }
};

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_RULE_H_
