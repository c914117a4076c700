// Who may read and write what, from grants and placements.
#ifndef ZHIBU_SERVER_AUTHORITY_H_
#define ZHIBU_SERVER_AUTHORITY_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "server/store/store.h"
#include "sync/record.h"
#include "sync/schema.h"

namespace zhibu::server {

// The offices of one person, by scope. What is theirs (SELF) is so under whatever entries of
// the register they go; grants are those of the one entry, and the kept one says where they
// are placed.
struct Offices {
  std::vector<Id> persons;                  // those entries (server/persons.h)
  absl::flat_hash_map<Id, uint32_t> now;    // audience: bit n for office n
  absl::flat_hash_map<Id, uint32_t> ended;  // held once, and no longer
  // When a grant begins or ends, so that this must be worked out again.
  int64_t valid_until_ms = std::numeric_limits<int64_t>::max();

  uint32_t In(const Id& scope) const;
};

absl::StatusOr<Offices> OfficesOf(Reader& reader, const Id& person, int64_t now_ms);

// Moves whenever the offices of these may have changed.
absl::StatusOr<Version> OfficesVersion(Reader& reader, const std::vector<Id>& persons);

// Whether they have, or ever had, any office in the scope.
absl::StatusOr<bool> EverHadOffice(Reader& reader, const Id& person, const Id& scope);

// May somebody with these offices take the steps that lead from one body to the
// other (taken_by)? `before` are the places where the record lay, or of a new one
// lies. NOT_YOUR_STEP, or GRANT_ENDED.
absl::Status MayStep(const RecordType& type, const Offices& offices,
                     const std::vector<Placed>& before, absl::string_view body_before,
                     absl::string_view body_after);

// May somebody with these offices change a record that lies in `before` so that
// it lies in `after`, and these of its restricted fields (WrittenBy)? An empty
// `before` makes a new one. NOT_ENTITLED, or GRANT_ENDED where the office that would
// have entitled them is over.
absl::Status MayWrite(const RecordType& type, uint64_t written, const Offices& offices,
                      const std::vector<Placed>& before, const std::vector<Placed>& after);

// Of somebody who may not write there: might they, had neither they nor the record
// been moved to another organisation?
absl::StatusOr<bool> MightOnce(Reader& reader, const RecordType& type, uint64_t written,
                               const Id& id, const Id& person, const Offices& offices,
                               const std::vector<Placed>& before, const std::vector<Placed>& after);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_AUTHORITY_H_
