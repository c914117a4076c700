// What the store keeps of devices, and of the codes by which they are enrolled.
#ifndef ZHIBU_SERVER_STORE_DEVICES_H_
#define ZHIBU_SERVER_STORE_DEVICES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/base/types.h"

namespace zhibu::server {

struct DeviceRow {
  // As numbers they are stored. Later ones take in what those before them say.
  enum class Standing { kActive = 0, kRevoked = 1, kLost = 2, kWiped = 3 };

  bool revoked() const { return standing != Standing::kActive; }
  bool lost() const { return standing >= Standing::kLost; }
  // A chain of what the server composes itself (server/ingest/own_chain.h), and nobody's device:
  // nobody has its key.
  bool of_server() const { return public_key.empty(); }

  DeviceNumber number;
  std::string public_key;  // Ed25519, 32 bytes
  Id person;
  Id record;  // its Device record
  std::string name;
  Standing standing = Standing::kActive;
  int64_t enrolled_ms = 0;
  int64_t last_seen_ms = 0;
  EditNumber last_number;  // highest edit that has been answered
  EditNumber safe_number;  // edits up to here are in a backup
};

struct EnrolmentCode {
  std::string code;  // as it was handed out
  Id person;
  int64_t expires_ms = 0;
};

class DeviceReader {
 public:
  virtual ~DeviceReader() = default;

  // A name that cannot be read is empty.
  virtual absl::StatusOr<std::optional<DeviceRow>> GetDevice(DeviceNumber number) = 0;
  virtual absl::StatusOr<std::vector<DeviceRow>> ListDevices() = 0;
  // Under each number, ascending, that a device with this key, or with this record, goes by.
  virtual absl::StatusOr<std::vector<DeviceRow>> DevicesWithKey(absl::string_view public_key) = 0;
  virtual absl::StatusOr<std::vector<DeviceRow>> DevicesWithRecord(const Id& record) = 0;
  // Whether it could be taken: whoever tries codes must not keep the writer busy.
  virtual absl::StatusOr<bool> HasCode(absl::string_view code, int64_t now_ms) = 0;
};

class DeviceWriter {
 public:
  virtual ~DeviceWriter() = default;

  virtual absl::Status PutDevice(const DeviceRow& device) = 0;
  // One above the highest ever given; the first is 2, after kServerDevice.
  virtual absl::StatusOr<DeviceNumber> NextDevice() = 0;
  // Only a digest of the code is kept.
  virtual absl::Status PutCode(const EnrolmentCode& code) = 0;
  // Those that ran out before.
  virtual absl::Status DropCodes(int64_t before_ms) = 0;
  // Takes the code, so that it works once. NOT_FOUND: unknown or already taken.
  virtual absl::StatusOr<EnrolmentCode> TakeCode(absl::string_view code) = 0;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_DEVICES_H_
