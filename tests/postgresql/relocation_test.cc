// From the one store into the other, and back.
#include "server/store/relocation.h"

#include <gmock/gmock.h>

#include "server/store/postgresql/store.h"
#include "server/store/sqlite/store.h"
#include "tests/postgresql/server.h"
#include "tests/server/relocated.h"

namespace zhibu::server {
namespace {

TEST(PostgresRelocation, ThereAndBackAStoreIsTheSame) {
  const RelocationFolder folder;
  const std::string key(32, 'k');
  const auto in_file = [&](const std::string& name) {
    return *OpenSqliteStore(folder.File(name), {.key = key});
  };
  const auto source = FilledWithAllParts(in_file("source"));
  const std::string before = TellAll(*source);
  const auto database =
      *OpenPostgresStore(test::DatabaseServer::Shared().NewSchema(), {.key = key});
  absl::StatusOr<Relocated> there = absl::UnknownError("");
  for (int tries = 0; !there.ok() && tries < 100; ++tries) {
    BreaksAfter breaking(*database, 3);
    there = Relocate(*source, breaking, TestBytes);
  }
  ASSERT_TRUE(there.ok()) << there.status();
  EXPECT_EQ(TellAll(*database), before);
  EXPECT_EQ(TakeIntoService(*database, false), absl::OkStatus());
  EXPECT_EQ(TakeIntoService(*source, false).code(), absl::StatusCode::kFailedPrecondition);

  const auto target = in_file("target");
  const auto back = Relocate(*database, *target, TestBytes);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->digest, there->digest);
  EXPECT_EQ(back->rows, there->rows);
  EXPECT_EQ(TellAll(*target), before);
}

}  // namespace
}  // namespace zhibu::server
