#include "server/store/postgresql/transaction.h"
#include "sync/base/status.h"

namespace zhibu::server::postgresql {
namespace {

#define ZHIBU_DEVICE_COLUMNS                                                                   \
  "number, public_key, person, record, name, revoked, enrolled_ms, last_seen_ms, last_number," \
  " safe_number"
constexpr char kGetDevice[] = "SELECT " ZHIBU_DEVICE_COLUMNS " FROM device WHERE number = $1";
constexpr char kListDevices[] = "SELECT " ZHIBU_DEVICE_COLUMNS " FROM device ORDER BY number";
constexpr char kWithKey[] =
    "SELECT " ZHIBU_DEVICE_COLUMNS " FROM device WHERE public_key = $1 ORDER BY number";
constexpr char kWithRecord[] =
    "SELECT " ZHIBU_DEVICE_COLUMNS " FROM device WHERE record = $1 ORDER BY number";
constexpr char kPutDevice[] =
    "INSERT INTO device (" ZHIBU_DEVICE_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (number) DO UPDATE SET"
    " public_key = excluded.public_key, person = excluded.person, record = excluded.record,"
    " name = excluded.name, revoked = excluded.revoked, enrolled_ms = excluded.enrolled_ms,"
    " last_seen_ms = excluded.last_seen_ms, last_number = excluded.last_number,"
    " safe_number = excluded.safe_number";
// Also above devices that were put without a number having been asked for.
constexpr char kNextDevice[] =
    "INSERT INTO counter (name, value) VALUES ('device', 1 + greatest($1,"
    " coalesce((SELECT value FROM counter WHERE name = 'device'), 0),"
    " coalesce((SELECT max(number) FROM device), 0)))"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING value";

constexpr char kPutCode[] =
    "INSERT INTO code (digest, person, expires_ms) VALUES ($1, $2, $3) ON CONFLICT (digest)"
    " DO UPDATE SET person = excluded.person, expires_ms = excluded.expires_ms";
constexpr char kHasCode[] = "SELECT 1 FROM code WHERE digest = $1 AND expires_ms >= $2";
constexpr char kDropCodes[] = "DELETE FROM code WHERE expires_ms < $1";
constexpr char kTakeCode[] = "DELETE FROM code WHERE digest = $1 RETURNING person, expires_ms";

}  // namespace

// The name is shown to people, and nothing depends on it.
DeviceRow Transaction::DeviceOf(const Rows& rows, int row) {
  DeviceRow device;
  device.number = rows.Number<DeviceNumber>(row, 0);
  device.public_key = rows.Bytes(row, 1);
  device.person = rows.IdAt(row, 2);
  device.record = rows.IdAt(row, 3);
  const auto name = Open(rows, row, 4, layout::Name(device.number));
  if (!name) observer_.OnDamage({.what = Damage::What::kName, .device = device.number});
  device.name = name.value_or("");
  device.standing = static_cast<DeviceRow::Standing>(rows.Int(row, 5));
  device.enrolled_ms = rows.Int(row, 6);
  device.last_seen_ms = rows.Int(row, 7);
  device.last_number = rows.Number<EditNumber>(row, 8);
  device.safe_number = rows.Number<EditNumber>(row, 9);
  return device;
}

absl::StatusOr<std::optional<DeviceRow>> Transaction::GetDevice(DeviceNumber number) {
  if (!broken_.ok()) return broken_;
  if (const auto known = devices_.find(number); known != devices_.end()) {
    ++work_;
    return known->second;
  }
  ASSIGN_OR_RETURN(const Rows rows, Ask(kGetDevice, number));
  std::optional<DeviceRow> device;
  if (!rows.empty()) device = DeviceOf(rows, 0);
  devices_.try_emplace(number, device);
  return device;
}

absl::StatusOr<std::vector<DeviceRow>> Transaction::DevicesIn(const absl::StatusOr<Rows>& rows) {
  RETURN_IF_ERROR(rows.status());
  std::vector<DeviceRow> devices;
  for (int row = 0; row < rows->size(); ++row) devices.push_back(DeviceOf(*rows, row));
  return devices;
}

absl::StatusOr<std::vector<DeviceRow>> Transaction::ListDevices() {
  return DevicesIn(Ask(kListDevices));
}

absl::StatusOr<std::vector<DeviceRow>> Transaction::DevicesWithKey(absl::string_view public_key) {
  return DevicesIn(Ask(kWithKey, public_key));
}

absl::StatusOr<std::vector<DeviceRow>> Transaction::DevicesWithRecord(const Id& record) {
  return DevicesIn(Ask(kWithRecord, record));
}

absl::Status Transaction::PutDevice(const DeviceRow& device) {
  Remember(devices_, device.number, std::optional<DeviceRow>(device));
  return Queue(kPutDevice, device.number, device.public_key, device.person, device.record,
               Close(layout::Name(device.number), device.name),
               static_cast<int64_t>(device.standing), device.enrolled_ms, device.last_seen_ms,
               device.last_number, device.safe_number);
}

absl::StatusOr<DeviceNumber> Transaction::NextDevice() {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kNextDevice, kServerDevice));
  return rows.Number<DeviceNumber>(0, 0);
}

absl::Status Transaction::PutCode(const EnrolmentCode& code) {
  return Queue(kPutCode, layout::DigestOfCode(code.code), code.person, code.expires_ms);
}

absl::StatusOr<bool> Transaction::HasCode(absl::string_view code, int64_t now_ms) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kHasCode, layout::DigestOfCode(code), now_ms));
  return !rows.empty();
}

absl::Status Transaction::DropCodes(int64_t before_ms) { return Queue(kDropCodes, before_ms); }

absl::StatusOr<EnrolmentCode> Transaction::TakeCode(absl::string_view code) {
  ASSIGN_OR_RETURN(const Rows rows, Ask(kTakeCode, layout::DigestOfCode(code)));
  if (rows.empty()) return absl::NotFoundError("the code is unknown or has been used");
  return EnrolmentCode{std::string(code), rows.IdAt(0, 0), rows.Int(0, 1)};
}

}  // namespace zhibu::server::postgresql
