// What rosters have said before: the base of an import.
//
//   news = what the file says, and no roster has said
//
// Only news is written. What the last roster said as well is no news, whatever stands now; what
// an earlier one said and a later one corrected is an old file, and is told.
//
// Digests of the values are kept, among the settings of the store, which are encrypted.
#ifndef ZHIBU_SERVER_EXCHANGE_SAID_H_
#define ZHIBU_SERVER_EXCHANGE_SAID_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/store/store.h"
#include "sync/base/types.h"

namespace zhibu::server {

class Said {
 public:
  enum class Was { kNever, kEarlier, kLast };

  absl::Status Load(Reader& reader);
  Was Find(const Id& member, uint32_t type, uint32_t field, absl::string_view value) const;
  void Say(const Id& member, uint32_t type, uint32_t field, absl::string_view value);
  // Whom earlier rosters have made by this row, which said that they are new.
  std::vector<Id> FindMade(absl::string_view row) const;
  void SayMade(const Id& member, absl::string_view row);
  // What is new since Load.
  absl::Status Save(Writer& writer) const;

 private:
  struct Value {
    uint32_t type;
    uint32_t field;
    uint64_t digest;
  };

  absl::flat_hash_map<Id, std::vector<Value>> members_;
  absl::flat_hash_map<uint64_t, std::vector<Id>> made_;  // by the digest of the row, as loaded
  std::set<uint8_t> changed_;  // parts: a setting for each last byte of an id
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_EXCHANGE_SAID_H_
