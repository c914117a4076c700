#include "server/store/postgresql/pool.h"

namespace zhibu::server::postgresql {

absl::StatusOr<Pool::Lease> Pool::Take() {
  std::unique_ptr<Connection> connection;
  {
    const auto any = +[](int* free) { return *free > 0; };
    absl::MutexLock lock(&mutex_, absl::Condition(any, &free_));
    --free_;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (connection != nullptr && connection->Alive()) return Lease(this, std::move(connection));
  absl::StatusOr<std::unique_ptr<Connection>> made = Connection::Open(where_);
  if (made.ok()) return Lease(this, *std::move(made));
  Return(nullptr);
  return made.status();
}

void Pool::Return(std::unique_ptr<Connection> connection) {
  const bool good = connection != nullptr && connection->Reset();
  absl::MutexLock lock(&mutex_);
  ++free_;
  if (good) idle_.push_back(std::move(connection));
}

}  // namespace zhibu::server::postgresql
