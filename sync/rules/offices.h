// The offices of a person, as grants, placements and merged registrations give them.
//
//   offices(p, s) = SELF where s is p's own, the grants that p holds for s, MEMBER where p
//                   is placed in s
#ifndef ZHIBU_SYNC_RULES_OFFICES_H_
#define ZHIBU_SYNC_RULES_OFFICES_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/rules/lookup.h"

namespace zhibu {

// The offices of one person, by scope. What is theirs (SELF) is so under whatever entries of
// the register they go; grants are those of the one entry, and the kept one says where they
// are placed. Of an entry that was taken out of the register they are over.
struct Offices {
  std::vector<Id> persons;                  // those entries (sync/rules/persons.h)
  absl::flat_hash_map<Id, uint32_t> now;    // audience: bit n for office n
  absl::flat_hash_map<Id, uint32_t> ended;  // held once, and no longer
  int64_t at_ms = 0;                        // when this was so
  // When a grant begins or ends, so that this must be worked out again.
  int64_t valid_until_ms = std::numeric_limits<int64_t>::max();

  uint32_t In(const Id& scope) const;
};

// Of the record that says where the person belongs.
absl::StatusOr<RecordKey> PlacementKey(const Id& person);
// The branch that the person belongs to; empty where they are placed nowhere.
absl::StatusOr<std::string> HomeOf(Lookup& reader, absl::string_view person);

absl::StatusOr<Offices> OfficesOf(Lookup& reader, const Id& person, int64_t now_ms);

// As far as a device can tell of its owner: at least these. `body_of`: of a record that it holds;
// empty where it does not.
uint32_t OfficesKnownIn(const Id& scope, const Id& person, int64_t now_ms,
                        absl::FunctionRef<std::string(const RecordKey&)> body_of);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_OFFICES_H_
