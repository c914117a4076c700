// How it is noticed that one person may be registered as two members.
//
//   marks(member)  = keyed hashes of the identity number, and of name and birth date
//   suspected      = two who share a mark, and whose numbers do not say otherwise
//
// What one edit costs here grows with what it changes, whatever it says: a mark that more
// than kBearersMax have makes no pairs, and one edit no more than kPairsMax. The operator
// is told (Admin::Duplicates).
//
// The key of the marks is made at random and kept in the store's settings, which are
// sealed with the operator's key: without it nobody can try out identity numbers.
#ifndef ZHIBU_SYNC_RULES_DUPLICATES_H_
#define ZHIBU_SYNC_RULES_DUPLICATES_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"
#include "sync/rules/lookup.h"
#include "sync/rules/rule.h"
#include "zhibu/records/v1/duplicate.pb.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu {

// Of those who share one mark, and of the pairs that one edit makes.
inline constexpr size_t kBearersMax = 20;
inline constexpr int kPairsMax = 500;

// What a change of a Member or PrivateDetail does to the marks by which persons are known
// again. `key`: of the marks (kMarkKeySetting); empty: none are made. Adds to `persons` whom
// it may concern.
void MarkPersons(absl::string_view key, const RecordKey& record, const RecordState& before,
                 const RecordState& after, Marks* marks, std::set<Id>* persons);

// Adds to `own` a DuplicatePerson for everybody who has one of the persons' marks, be they
// new or old: a number that is taken back, or a pointer, makes others count. Call when the
// marks of all of an edit are stored, for all whom it may concern.
absl::Status FindDuplicates(Lookup& reader, absl::string_view key, const std::set<Id>& persons,
                            int64_t now_ms, Consequences* own);

// Adds the DuplicatePerson of the two, unless it is there.
absl::Status AddDuplicate(Lookup& reader, const Id& one, const Id& other,
                          records::v1::DuplicatePerson::By by, int64_t now_ms, sync::v1::Edit* own);
Id DuplicateId(const Id& one, const Id& other);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_DUPLICATES_H_
