#include "tests/postgresql/worlds.h"

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <utility>

#include "server/store/postgresql/store.h"
#include "tests/postgresql/server.h"
#include "tests/support/world.h"

namespace zhibu::test {
namespace {

std::vector<uint64_t> journeys;

absl::StatusOr<std::unique_ptr<server::Store>> OpenInSchema(const std::string& file,
                                                            server::Observer* observer) {
  static std::map<std::string, std::string> schemas;
  std::string& where = schemas[file];
  if (where.empty()) where = DatabaseServer::Shared().NewSchema();
  return server::OpenPostgresStore(
      where, {.key = kServerKey, .observer = observer, .on_committed = [](uint64_t taken) {
                journeys.push_back(taken);
              }});
}

}  // namespace

std::vector<uint64_t> TakeJourneys() { return std::exchange(journeys, {}); }

}  // namespace zhibu::test

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  zhibu::test::World::open_store = zhibu::test::OpenInSchema;
  return RUN_ALL_TESTS();
}
