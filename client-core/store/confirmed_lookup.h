// What the rules may read of this device's file (sync/rules/lookup.h).
//
//   known = confirmed, while nothing of the device is unsent and nothing is stale
//
// An own edit that is unsent may have consequences which only the server composes: after it
// nobody here can tell where somebody belongs. And of what lies in a scope a device has a
// part, so a list is never known. What people have written, and nothing follows from, is known
// as it is shown here (GetShown).
#ifndef ZHIBU_CLIENT_CORE_STORE_CONFIRMED_LOOKUP_H_
#define ZHIBU_CLIENT_CORE_STORE_CONFIRMED_LOOKUP_H_

#include "client-core/store/tables.h"
#include "sync/rules/lookup.h"

namespace zhibu::client {

// Within one transaction, which has not queued its own edit yet.
class ConfirmedLookup : public Lookup {
 public:
  explicit ConfirmedLookup(Tables& tables) : tables_(tables) {}

  absl::StatusOr<RecordState> GetRecord(const RecordKey& key) override;
  absl::StatusOr<RecordState> GetShown(const RecordKey& key) override;
  bool ReadsAllFields() const override { return false; }
  absl::Status ListRecords(uint32_t type, std::optional<Id> scope,
                           absl::FunctionRef<void(const Id&, const RecordState&)> visit) override;
  absl::Status ListShown(uint32_t type, const Id& scope,
                         absl::FunctionRef<void(const Id&, const RecordState&)> visit) override;
  absl::StatusOr<bool> EverIn(const Id& scope, const RecordKey& key) override;
  absl::StatusOr<std::vector<Id>> FindMarked(absl::string_view mark, size_t most) override;
  absl::StatusOr<std::optional<KnownDevice>> FindDevice(DeviceNumber number) override;
  absl::StatusOr<std::string> GetSetting(absl::string_view name) override;

 private:
  Tables& tables_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_STORE_CONFIRMED_LOOKUP_H_
