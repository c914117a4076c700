#include "tests/sim/machines.h"

#include <sqlite3.h>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client-core/store/tables.h"
#include "proto/old_policies.pb.h"
#include "proto/policies.pb.h"
#include "server/store/sqlite/store.h"
#include "sync/base/status.h"
#include "sync/crypto/seal.h"
#include "sync/rules/rule_book.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {
namespace {

constexpr char kDeviceFile[] = "device.db";
constexpr char kServerFile[] = "server.db";
// Of every device: a copy of a file is opened by another one.
const std::string kDeviceKey(Seal::kKeySize, 'k');
const std::string kServerKey(Seal::kKeySize, 's');

// The first column, through SQLite itself and not through the store; or what is
// wrong.
std::vector<std::string> Select(const std::string& file, const std::string& vfs, const char* sql) {
  sqlite3* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  std::vector<std::string> found;
  int result = sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, vfs.c_str());
  if (result == SQLITE_OK) result = sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);
  while (result == SQLITE_OK || result == SQLITE_ROW) {
    result = sqlite3_step(statement);
    if (result != SQLITE_ROW) break;
    found.emplace_back(static_cast<const char*>(sqlite3_column_blob(statement, 0)),
                       sqlite3_column_bytes(statement, 0));
  }
  if (result != SQLITE_DONE) found = {sqlite3_errmsg(database)};
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return found;
}

std::string Integrity(const std::string& file, const std::string& vfs) {
  return absl::StrJoin(Select(file, vfs, "PRAGMA integrity_check"), "; ");
}

Environment EnvironmentOf(Dice* dice, const Clock* clock, const int64_t* true_ms) {
  return {.now_ms = [clock, true_ms] { return clock->Now(*true_ms); },
          .random_bytes = [dice](size_t size) { return dice->Bytes(size); },
          .steady_ms = [true_ms] { return *true_ms; }};
}

}  // namespace

std::shared_ptr<const Schema> TodaysSchema() {
  static const auto schema = Schema::Compile({records::v1::Catalogue::descriptor()->file(),
                                              zhibu::testing::Sampler::descriptor()->file()})
                                 .value();
  return schema;
}

std::shared_ptr<const Schema> OldSchema() {
  static const auto schema = Schema::Compile({records::v1::Catalogue::descriptor()->file(),
                                              zhibu::testing::old::Sampler::descriptor()->file()})
                                 .value();
  return schema;
}

server::Certificate CertificateOf(const std::string& der) {
  return {.key_pem = "key",
          .certificate_pem = absl::StrCat("-----BEGIN CERTIFICATE-----\n", absl::Base64Escape(der),
                                          "\n-----END CERTIFICATE-----\n")};
}

Device::Device(int index_in, uint64_t seed, const int64_t* now_ms_in)
    : index(index_in), now_ms(now_ms_in), dice(seed), disk(seed + 1) {}

Environment Device::environment() { return EnvironmentOf(&dice, &clock, now_ms); }

absl::StatusOr<std::unique_ptr<client::Store>> Device::OpenWith(const std::string& key) {
  begun.reset();
  store.reset();
  return client::Store::Open({.file = kDeviceFile,
                              .schema = old ? OldSchema() : TodaysSchema(),
                              // Of others the server judges by itself.
                              .rules = index % 2 == 0 && !old ? CatalogueRules() : nullptr,
                              .environment = environment(),
                              .key = key,
                              .vfs = disk.vfs()});
}

absl::Status Device::Open() {
  ASSIGN_OR_RETURN(store, OpenWith(kDeviceKey));
  return absl::OkStatus();
}

void Device::Kill(bool power_lost) {
  disk.Die();
  store.reset();
  disk.Restart(power_lost);
}

std::optional<DeviceNumber> Device::Number() {
  const auto identity = disk.Quietly([&] { return store->GetIdentity(); });
  if (!identity.ok()) return std::nullopt;
  return identity->device;
}

std::vector<std::string> Device::Kept() {
  return disk.Quietly([&] {
    const auto tables = client::Tables::Open(
        {.file = kDeviceFile, .environment = environment(), .key = kDeviceKey, .vfs = disk.vfs()});
    std::vector<std::string> edits;
    for (auto& [device, kept] : (*tables)->ListKept()) {
      if (!kept.withdrawn) edits.push_back(std::move(kept.edit));
    }
    return edits;
  });
}

bool Device::Stale() {
  return disk.Quietly(
      [&] { return !Select(kDeviceFile, disk.vfs(), "SELECT type FROM stale").empty(); });
}

std::string Device::CheckIntegrity() { return Integrity(kDeviceFile, disk.vfs()); }

Server::Server(uint64_t seed, const int64_t* now_ms_in)
    : now_ms(now_ms_in), dice(seed), disk(seed + 1) {}

Environment Server::environment() { return EnvironmentOf(&dice, &clock, now_ms); }

absl::Status Server::Open() {
  store.reset();
  ingest = std::make_unique<server::Ingest>(schema(), environment(), observer);
  ASSIGN_OR_RETURN(store,
                   server::OpenSqliteStore(kServerFile, {.key = kServerKey,
                                                         .random_bytes = environment().random_bytes,
                                                         .vfs = disk.vfs(),
                                                         .observer = observer}));
  store->Watch(&moved);
  return absl::OkStatus();
}

std::optional<test::Damaged> Server::Damage(const std::string& table, const std::string& column,
                                            Dice* dice) {
  const auto rows =
      Select(kServerFile, disk.vfs(), absl::StrCat("SELECT max(rowid) FROM ", table).c_str());
  uint64_t last = 0;
  if (rows.empty() || !absl::SimpleAtoi(rows[0], &last) || last == 0) return std::nullopt;
  return test::FlipBit(kServerFile, disk.vfs(), table, column,
                       absl::StrCat("rowid >= ", 1 + dice->Below(last)), dice->Below(4096));
}

void Server::PutBack(const test::Damaged& damaged) {
  test::PutBack(kServerFile, disk.vfs(), damaged);
}

void Server::Kill(bool power_lost) {
  disk.Die();
  store.reset();
  disk.Restart(power_lost);
}

std::string Server::CheckIntegrity() { return Integrity(kServerFile, disk.vfs()); }

Stream::Stream(uint64_t id_in, Device* device_in, Server* server_in,
               const server::SessionLimits& limits)
    : id(id_in),
      began_ms(*device_in->now_ms),
      device(*device_in),
      client(device_in->store.get()),
      server(server_in->store.get(), server_in->ingest.get(), server_in->environment(), limits,
             server_in->observer) {}

}  // namespace zhibu::sim
