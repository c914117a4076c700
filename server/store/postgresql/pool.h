// So many connections to one database, and no more; each is made when it is first needed, and again
// after it has broken.
#ifndef ZHIBU_SERVER_STORE_POSTGRESQL_POOL_H_
#define ZHIBU_SERVER_STORE_POSTGRESQL_POOL_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/store/postgresql/connection.h"

namespace zhibu::server::postgresql {

class Pool {
 public:
  // Gives its connection back at the end of its life.
  class Lease {
   public:
    Lease(Pool* pool, std::unique_ptr<Connection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), connection_(std::move(other.connection_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_ != nullptr) pool_->Return(std::move(connection_));
    }
    Connection& operator*() { return *connection_; }
    Connection* operator->() { return connection_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  Pool(std::string where, int most) : where_(std::move(where)), free_(most) {}

  // Waits until one is free. UNAVAILABLE: the database cannot be reached.
  absl::StatusOr<Lease> Take();

 private:
  // Ends whatever it was at.
  void Return(std::unique_ptr<Connection> connection);

  const std::string where_;
  absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zhibu::server::postgresql

#endif  // ZHIBU_SERVER_STORE_POSTGRESQL_POOL_H_
