#include "server/store/layout.h"
#include "server/store/sqlite/transaction.h"

namespace zhibu::server::sqlite {
namespace {

#define ZHIBU_DEVICE_COLUMNS                                                                   \
  "number, public_key, person, record, name, revoked, enrolled_ms, last_seen_ms, last_number," \
  " safe_number"
constexpr char kGetDevice[] = "SELECT " ZHIBU_DEVICE_COLUMNS " FROM device WHERE number = ?";
constexpr char kListDevices[] = "SELECT " ZHIBU_DEVICE_COLUMNS " FROM device ORDER BY number";
constexpr char kWithKey[] =
    "SELECT " ZHIBU_DEVICE_COLUMNS " FROM device WHERE public_key = ? ORDER BY number";
constexpr char kWithRecord[] =
    "SELECT " ZHIBU_DEVICE_COLUMNS " FROM device WHERE record = ? ORDER BY number";
constexpr char kPutDevice[] =
    "REPLACE INTO device (" ZHIBU_DEVICE_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
// Also above devices that were put without a number having been asked for.
constexpr char kNextDevice[] =
    "INSERT INTO counter (name, value) VALUES ('device', 1 + max(?,"
    " ifnull((SELECT value FROM counter WHERE name = 'device'), 0),"
    " ifnull((SELECT max(number) FROM device), 0)))"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING value";

constexpr char kPutCode[] = "REPLACE INTO code (digest, person, expires_ms) VALUES (?, ?, ?)";
constexpr char kHasCode[] = "SELECT 1 FROM code WHERE digest = ? AND expires_ms >= ?";
constexpr char kDropCodes[] = "DELETE FROM code WHERE expires_ms < ?";
constexpr char kTakeCode[] = "DELETE FROM code WHERE digest = ? RETURNING person, expires_ms";

}  // namespace

// The name is shown to people, and nothing depends on it.
DeviceRow Transaction::DeviceOf(const Statement& row) {
  DeviceRow device;
  device.number = row.Number<DeviceNumber>(0);
  device.public_key = row.Bytes(1);
  device.person = row.IdAt(2);
  device.record = row.IdAt(3);
  const auto name = row.TryOpen(4, seal_, layout::Name(device.number));
  if (!name) observer_.OnDamage({.what = Damage::What::kName, .device = device.number});
  device.name = name.value_or("");
  device.standing = static_cast<DeviceRow::Standing>(row.Int(5));
  device.enrolled_ms = row.Int(6);
  device.last_seen_ms = row.Int(7);
  device.last_number = row.Number<EditNumber>(8);
  device.safe_number = row.Number<EditNumber>(9);
  return device;
}

absl::StatusOr<std::optional<DeviceRow>> Transaction::GetDevice(DeviceNumber number) {
  return Reading([&]() -> absl::StatusOr<std::optional<DeviceRow>> {
    Statement row(connection_, kGetDevice, number);
    if (!row.Step()) return std::nullopt;
    return DeviceOf(row);
  });
}

absl::StatusOr<std::vector<DeviceRow>> Transaction::ListDevices() {
  return Reading([&]() -> absl::StatusOr<std::vector<DeviceRow>> {
    std::vector<DeviceRow> devices;
    Statement row(connection_, kListDevices);
    while (row.Step()) devices.push_back(DeviceOf(row));
    return devices;
  });
}

absl::StatusOr<std::vector<DeviceRow>> Transaction::DevicesWithKey(absl::string_view public_key) {
  return Reading([&]() -> absl::StatusOr<std::vector<DeviceRow>> {
    std::vector<DeviceRow> devices;
    Statement row(connection_, kWithKey, public_key);
    while (row.Step()) devices.push_back(DeviceOf(row));
    return devices;
  });
}

absl::StatusOr<std::vector<DeviceRow>> Transaction::DevicesWithRecord(const Id& record) {
  return Reading([&]() -> absl::StatusOr<std::vector<DeviceRow>> {
    std::vector<DeviceRow> devices;
    Statement row(connection_, kWithRecord, record);
    while (row.Step()) devices.push_back(DeviceOf(row));
    return devices;
  });
}

absl::Status Transaction::PutDevice(const DeviceRow& device) {
  return Writing([&] {
    const std::string name = seal_.Close(layout::Name(device.number), device.name);
    Statement(connection_, kPutDevice, device.number, device.public_key, device.person,
              device.record, name, static_cast<int64_t>(device.standing), device.enrolled_ms,
              device.last_seen_ms, device.last_number, device.safe_number)
        .Run();
    return absl::OkStatus();
  });
}

absl::StatusOr<DeviceNumber> Transaction::NextDevice() {
  return Writing([&]() -> absl::StatusOr<DeviceNumber> {
    Statement row(connection_, kNextDevice, kServerDevice);
    row.Step();
    return row.Number<DeviceNumber>(0);
  });
}

absl::Status Transaction::PutCode(const EnrolmentCode& code) {
  return Writing([&] {
    std::string digest = layout::DigestOfCode(code.code);
    Statement(connection_, kPutCode, digest, code.person, code.expires_ms).Run();
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> Transaction::HasCode(absl::string_view code, int64_t now_ms) {
  return Reading([&]() -> absl::StatusOr<bool> {
    std::string digest = layout::DigestOfCode(code);
    return Statement(connection_, kHasCode, digest, now_ms).Step();
  });
}

absl::Status Transaction::DropCodes(int64_t before_ms) {
  return Writing([&] {
    Statement(connection_, kDropCodes, before_ms).Run();
    return absl::OkStatus();
  });
}

absl::StatusOr<EnrolmentCode> Transaction::TakeCode(absl::string_view code) {
  return Writing([&]() -> absl::StatusOr<EnrolmentCode> {
    std::string digest = layout::DigestOfCode(code);
    Statement row(connection_, kTakeCode, digest);
    if (!row.Step()) return absl::NotFoundError("the code is unknown or has been used");
    return EnrolmentCode{std::string(code), row.IdAt(0), row.Int(1)};
  });
}

}  // namespace zhibu::server::sqlite
