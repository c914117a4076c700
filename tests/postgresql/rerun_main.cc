// Every transaction of every world (tests/support/world.h) is run twice, and the first time is
// undone: as where a database has run one again because another was in its way. What comes out is
// the same.
#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "server/store/sqlite/store.h"
#include "tests/support/world.h"

namespace zhibu::test {
namespace {

class RunsTwice : public server::Store {
 public:
  explicit RunsTwice(std::unique_ptr<server::Store> store) : store_(std::move(store)) {}

  void Watch(server::Watcher* watcher) override { store_->Watch(watcher); }
  void StopWatching(server::Watcher* watcher) override { store_->StopWatching(watcher); }
  absl::Status Read(absl::FunctionRef<absl::Status(server::Reader&)> body) override {
    return store_->Read(body);
  }
  absl::Status Write(absl::FunctionRef<absl::Status(server::Writer&)> body) override {
    bool good = false;
    const absl::Status undone = store_->Write([&](server::Writer& writer) {
      const absl::Status status = body(writer);
      good = status.ok();
      return good ? absl::AbortedError("again") : status;
    });
    return good ? store_->Write(body) : undone;
  }
  absl::Status Backup(const std::string& file) override { return store_->Backup(file); }

 private:
  const std::unique_ptr<server::Store> store_;
};

absl::StatusOr<std::unique_ptr<server::Store>> OpenTwice(const std::string& file,
                                                         server::Observer* observer) {
  auto store = server::OpenSqliteStore(file, {.key = kServerKey, .observer = observer});
  if (!store.ok()) return store.status();
  return std::make_unique<RunsTwice>(*std::move(store));
}

}  // namespace
}  // namespace zhibu::test

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  zhibu::test::World::open_store = zhibu::test::OpenTwice;
  return RUN_ALL_TESTS();
}
