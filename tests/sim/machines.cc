#include "tests/sim/machines.h"

#include <sqlite3.h>

#include "proto/old_policies.pb.h"
#include "proto/policies.pb.h"
#include "server/store/sqlite_store.h"
#include "sync/status.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {
namespace {

constexpr char kDeviceFile[] = "device.db";
constexpr char kServerFile[] = "server.db";

// Through SQLite itself, not through the store.
std::string Integrity(const std::string& file, const std::string& vfs) {
  sqlite3* database = nullptr;
  std::string answer;
  if (sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, vfs.c_str()) != SQLITE_OK) {
    answer = sqlite3_errmsg(database);
  } else {
    const auto keep = [](void* out, int, char** values, char**) {
      *static_cast<std::string*>(out) = values[0];
      return 0;
    };
    if (sqlite3_exec(database, "PRAGMA integrity_check", keep, &answer, nullptr) != SQLITE_OK) {
      answer = sqlite3_errmsg(database);
    }
  }
  sqlite3_close(database);
  return answer;
}

Environment EnvironmentOf(Dice* dice, std::function<int64_t()> now_ms) {
  return {.now_ms = std::move(now_ms),
          .random_bytes = [dice](size_t size) { return dice->Bytes(size); }};
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

Device::Device(int index_in, uint64_t seed, const int64_t* now_ms_in)
    : index(index_in), now_ms(now_ms_in), dice(seed), disk(seed + 1) {}

Environment Device::environment() {
  return EnvironmentOf(&dice, [this] { return clock.Now(*now_ms); });
}

absl::Status Device::Open() {
  store.reset();
  auto opened = client::Store::Open({.file = kDeviceFile,
                                     .schema = old ? OldSchema() : TodaysSchema(),
                                     .environment = environment(),
                                     .vfs = disk.vfs()});
  RETURN_IF_ERROR(opened.status());
  store = *std::move(opened);
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

std::string Device::CheckIntegrity() { return Integrity(kDeviceFile, disk.vfs()); }

Server::Server(uint64_t seed, const int64_t* now_ms_in)
    : now_ms(now_ms_in), dice(seed), disk(seed + 1) {
  ingest = std::make_unique<server::Ingest>(TodaysSchema(), environment());
}

Environment Server::environment() {
  return EnvironmentOf(&dice, [this] { return *now_ms; });
}

absl::Status Server::Open() {
  store.reset();
  ASSIGN_OR_RETURN(store, server::OpenSqliteStore(kServerFile, {.vfs = disk.vfs()}));
  return absl::OkStatus();
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
      device(*device_in),
      client(device_in->store.get()),
      server(server_in->store.get(), TodaysSchema().get(), server_in->environment(), limits) {}

}  // namespace zhibu::sim
