// Who may read and write what: one model, in words in docs/authority.md, from what the
// record types declare, the grants, the placements and the stays.
//
//   offices(p, s) = SELF where s is p's own, the grants that p holds for s, MEMBER where p
//                   is placed in s
//   eyes(p, r)    = offices(p, s) over the places s of r: SELF counts at PERSON only, the
//                   others everywhere else; as a host at GUEST (sync/merge/audience.h)
//   sees(p, r)    = eyes(p, r) meet the readers of r
//   writes(p, r)  = sees(p, r) and eyes(p, r) meet the writers of r, and of its fields
//
// An edit is judged in two steps, for each record that it touches:
//
//   MayTouch  before anything is merged: is it theirs to write, as it is?
//   MayLeave  once all of the edit is merged: may it be as it is now? In this order: the
//             right to write it there, the consent of those in whose places it is put,
//             belonging, what is kept together, steps and what is written with them, and
//             what nobody says in somebody else's name
//
// What is there and not theirs to see is answered as what is not there. What was theirs
// once is held (GRANT_ENDED, MOVED_AWAY). What the server writes is not judged.
#ifndef ZHIBU_SERVER_AUTHORITY_AUTHORITY_H_
#define ZHIBU_SERVER_AUTHORITY_AUTHORITY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/store.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"
#include "sync/rules/offices.h"
#include "sync/rules/rule.h"
#include "sync/schema/schema.h"
#include "sync/wire/record.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {

// Moves whenever the offices of these may have changed.
absl::StatusOr<Version> OfficesVersion(Reader& reader, const std::vector<Id>& persons);

// Whether they have, or ever had, any office in the scope.
absl::StatusOr<bool> EverHadOffice(Reader& reader, const Id& person, const Id& scope);

// Whoever an edit is judged as: its author, or who takes it over (a held one).
struct Author {
  const Id& person;
  const Offices& offices;
  // They decide about an edit of somebody else: that its person belonged once is enough.
  bool decides = false;
  // The entries of whoever made it: in their own name they may speak, whoever decides.
  std::vector<Id> wrote;
};

// The records as the edit leaves them: those that it touches, and else those stored.
using RecordsNow = absl::FunctionRef<absl::StatusOr<RecordState>(const RecordKey&)>;

// May they see the record as it is?
bool MaySee(const Schema& schema, const RecordType& type, const Offices& offices, const Id& id,
            absl::string_view body);

// May they change the record, that is as `before` says? SERVER_ONLY: nobody makes or
// deletes one; NO_SUCH_RECORD: it is not there, or not theirs to see; NOT_ENTITLED;
// GRANT_ENDED, MOVED_AWAY: it was theirs once.
absl::Status MayTouch(Reader& reader, const Schema& schema, const Author& author,
                      const RecordType& type, const Id& id, const sync::v1::Change& change,
                      const RecordState& before);

// Of somebody who may not write there: might they, had neither they nor the record been
// moved to another organisation? `written`: restricted fields (WrittenBy); `at_host`: how
// much of it a host sees.
absl::StatusOr<bool> MightOnce(Reader& reader, const RecordType& type, uint64_t written,
                               HostSight at_host, const Id& id, const Id& person,
                               const Offices& offices, const std::vector<Placed>& before,
                               const std::vector<Placed>& after);

// Could a secretary there make the change of the record that is as `before` says, by all
// that is declared? `placed`: how it lies, or is to lie, in their organisation.
bool SecretaryMight(const RecordType& type, const sync::v1::Change& change,
                    const RecordState& before, const Placed& placed);

// May they leave the record so? `step.change` is all that the edit does to it. As MayTouch;
// BAD_VALUE: a place is of the wrong kind, or another organisation keeps what it is kept
// with; NOT_OF_BRANCH: the person does not belong; NOT_YOUR_STEP, STEP_NOT_ALLOWED: by
// others, or not now; OTHERS_TO_SAY: in somebody else's name.
absl::Status MayLeave(Reader& reader, const Author& author, const Step& step,
                      const std::optional<Loan>& loan, RecordsNow now);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_AUTHORITY_AUTHORITY_H_
