// What the rules read. The server's store gives it (server/store/store.h), and the device's
// file gives the part that lies on it (client-core/store/confirmed_lookup.h).
//
//   server:  what is not found is not there
//   device:  what is not found may be there: it is answered with NotKnownHere
//
// A rule reads as though all were known, and hands on what it is answered. So a rule that
// meets what is not known here decides nothing (RuleBook::JudgeWhatIsKnown).
#ifndef ZHIBU_SYNC_RULES_LOOKUP_H_
#define ZHIBU_SYNC_RULES_LOOKUP_H_

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"

namespace zhibu {

// Settings of the server's that rules read.
// The key of the marks that persons are known again by (sync/rules/duplicates.h).
inline constexpr char kMarkKeySetting[] = "mark_key";
// The secret key of an Ed25519 pair: passes are signed with it, and bundles sealed for it.
inline constexpr char kCourierKeySetting[] = "courier_key";

inline absl::Status NotKnownHere() { return absl::UnknownError("not known on this device"); }
inline bool IsNotKnownHere(const absl::Status& status) { return absl::IsUnknown(status); }

// What the server knows of a device.
struct KnownDevice {
  std::string public_key;  // Ed25519, 32 bytes
  Id person;
  Id record;  // its Device record
  std::string name;
  bool revoked = false;
};

// To put on and take off (Lookup::FindMarked).
struct Marks {
  std::vector<std::pair<std::string, Id>> put;
  std::vector<std::pair<std::string, Id>> drop;
};

class Lookup {
 public:
  virtual ~Lookup() = default;

  // A record that was never written is a state with `exists` false.
  virtual absl::StatusOr<RecordState> GetRecord(const RecordKey& key) = 0;

  // A record as whoever asks sees it: on a device with what is unsent there, so of what people
  // have written in it, and not of what the server makes of that.
  virtual absl::StatusOr<RecordState> GetShown(const RecordKey& key) { return GetRecord(key); }

  // False: fields may be empty because they may not be read here.
  virtual bool ReadsAllFields() const { return true; }

  // Every living record of a type that lies in `scope`; in all scopes if none
  // is given. Ascending by id.
  virtual absl::Status ListRecords(
      uint32_t type, std::optional<Id> scope,
      absl::FunctionRef<void(const Id&, const RecordState&)> visit) = 0;

  // Those of them that whoever asks sees (GetShown): on a device all that it holds, in whatever
  // scope, which may be a part.
  virtual absl::Status ListShown(uint32_t type, const Id& scope,
                                 absl::FunctionRef<void(const Id&, const RecordState&)> visit) {
    return ListRecords(type, scope, visit);
  }

  // Whether the record lies in `scope`, or once lay there.
  virtual absl::StatusOr<bool> EverIn(const Id& scope, const RecordKey& key) = 0;

  // What a mark was put on (Rule::Mark; server/authority/notes.h, held.h), ascending; no more than
  // `most` of them.
  virtual absl::StatusOr<std::vector<Id>> FindMarked(
      absl::string_view mark, size_t most = std::numeric_limits<int64_t>::max()) = 0;

  virtual absl::StatusOr<std::optional<KnownDevice>> FindDevice(DeviceNumber number) = 0;

  // Small values by name: the server's id and the like. Empty if never set.
  virtual absl::StatusOr<std::string> GetSetting(absl::string_view name) = 0;
};

}  // namespace zhibu

#endif  // ZHIBU_SYNC_RULES_LOOKUP_H_
