// One connection to PostgreSQL, over libpq in pipeline mode: what is queued travels with the next
// question, so that a transaction costs as many round trips as it has questions.
//
//   ASSIGN_OR_RETURN(auto connection, Connection::Open("postgresql://zhibu@db/zhibu"));
//   connection->Queue(kBegin);
//   ASSIGN_OR_RETURN(const Rows row, connection->Ask(kGetSetting, {Text{"id"}}));   // one round
//   trip if (row.size() > 0) … row.Bytes(0, 0) …
//
// A statement is a constant, known by its address, prepared when it first travels. Values go as
// bytes in both directions. One thread at a time may use a connection; it is not copied.
//
// Where anything fails that has travelled, so does the Ask or Flush that it travelled with, and the
// transaction is lost. `failure` then says whether it may be run again:
//
//   kAgain   another transaction was in the way: run it again, all of it
//   kLost    the connection is gone; whether what travelled last was done is not known
//   kOther   as the status says
//
// UNAVAILABLE: the database cannot be reached, is full, or is starting or ending. No status holds
// the connection string, which may hold a password.
#ifndef ZHIBU_SERVER_STORE_POSTGRESQL_CONNECTION_H_
#define ZHIBU_SERVER_STORE_POSTGRESQL_CONNECTION_H_

#include <libpq-fe.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sync/base/types.h"

namespace zhibu::server::postgresql {

// Of what is unsigned in the program, the highest that keeps its order in a bigint.
inline constexpr uint64_t kHighest = std::numeric_limits<int64_t>::max();
// Past the highest that is stored there is nothing, whatever the bits of `after`.
template <typename T>
T Bounded(T after) {
  return T(std::min(after.value, kHighest));
}

struct Text {
  absl::string_view value;
};

// One value to a statement: bigint, boolean, text, bytea, or an array of bigint or bytea.
class Value {
 public:
  Value(int64_t value);  // NOLINT: a list of values is what is meant
  Value(uint64_t value) : Value(static_cast<int64_t>(value)) {}       // NOLINT
  Value(uint32_t value) : Value(static_cast<int64_t>(value)) {}       // NOLINT
  Value(bool value);                                                  // NOLINT
  Value(Text text);                                                   // NOLINT
  Value(absl::string_view blob);                                      // NOLINT
  Value(const std::string& blob) : Value(absl::string_view(blob)) {}  // NOLINT
  Value(const char*) = delete;
  Value(const Id& id) : Value(id.bytes()) {}  // NOLINT
  template <typename Tag, typename T>
  Value(Strong<Tag, T> value) : Value(static_cast<int64_t>(value.value)) {}  // NOLINT
  template <typename T>
  Value(const std::optional<T>& value)  // NOLINT
      : Value(value ? Value(*value) : Value(T())) {
    null_ = !value;
  }
  Value(const std::vector<int64_t>& values);      // NOLINT
  Value(const std::vector<std::string>& values);  // NOLINT

  Oid type() const { return type_; }
  const char* data() const { return null_ ? nullptr : bytes_.data(); }
  int size() const { return static_cast<int>(bytes_.size()); }

 private:
  Oid type_;
  std::string bytes_;
  bool null_ = false;
};

// What a statement gave.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result, &PQclear) {}

  int size() const { return PQntuples(result_.get()); }
  bool empty() const { return size() == 0; }
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  int64_t Int(int row, int column) const;
  bool Bool(int row, int column) const { return View(row, column) != absl::string_view("\0", 1); }
  uint32_t Small(int row, int column) const { return static_cast<uint32_t>(Int(row, column)); }
  template <typename T>
  T Number(int row, int column) const {
    return T(static_cast<decltype(T::value)>(Int(row, column)));
  }
  // Valid as long as this is.
  absl::string_view View(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<size_t>(PQgetlength(result_.get(), row, column))};
  }
  std::string Bytes(int row, int column) const { return std::string(View(row, column)); }
  // "COMMIT", "ROLLBACK", …: what was done.
  absl::string_view Tag() const { return PQcmdStatus(result_.get()); }
  // Empty where the bytes are no id, which nothing has then.
  Id IdAt(int row, int column) const { return Id::FromBytes(View(row, column)).value_or(Id()); }

 private:
  friend class Connection;
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

enum class Failure { kNone, kAgain, kLost, kOther };

class Connection {
 public:
  // `where`: a connection string or URI of libpq's.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& where);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Queue(const char* sql, std::vector<Value> values = {}) {
    queue_.push_back({sql, std::move(values)});
  }
  // What is queued, and this, which must be the last of it.
  absl::StatusOr<Rows> Ask(const char* sql, std::vector<Value> values = {});
  // Of what was queued from `from` on, what each gave.
  absl::StatusOr<std::vector<Rows>> AskFrom(size_t from);
  absl::Status Flush();

  // How many have not travelled yet.
  size_t queued() const { return queue_.size(); }
  // Forgets those queued from `to` on, or one of them.
  void DropFrom(size_t to) {
    queue_.erase(queue_.begin() + static_cast<ptrdiff_t>(to), queue_.end());
  }
  void DropOne(size_t at) { queue_.erase(queue_.begin() + static_cast<ptrdiff_t>(at)); }

  Failure failure() const { return failure_; }
  // Ends whatever transaction there is; false where the connection is of no more use.
  bool Reset();
  // As far as can be told without asking.
  bool Alive();

  // Whether the database has warned of what travelled last.
  bool warned() const { return *warned_; }
  // Since it was opened.
  uint64_t round_trips() const { return round_trips_; }

  // ---- For whoever listens, or copies -----------------------------------------------

  // Waits so long for a notification; the payload of each that has come.
  absl::StatusOr<std::vector<std::string>> WaitForNotices(absl::Duration patience, int wake);
  // Statements by themselves, as text; what they give is text too.
  absl::StatusOr<Rows> AskPlain(const std::string& sql);
  // The same, between `begin` and COMMIT, or ROLLBACK where `body` fails; however long it takes.
  absl::Status RunPlain(const char* begin, absl::FunctionRef<absl::Status()> body);
  // After COPY: what became of it.
  absl::Status EndCopy();
  PGconn* raw() { return connection_.get(); }

 private:
  struct Query {
    const char* sql;
    std::vector<Value> values;
  };

  explicit Connection(PGconn* connection) : connection_(connection, &PQfinish) {}

  absl::Status SetUp();
  absl::Status Travel(std::vector<Rows>* rows);
  absl::Status Send(const Query& query, std::vector<const char*>* fresh);
  absl::StatusOr<PGresult*> NextResult();
  absl::Status Wait(bool writing, absl::Time deadline);
  absl::Status Lost();
  absl::Status Fail(const PGresult* result);

  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
  std::vector<Query> queue_;
  absl::flat_hash_map<const char*, std::string> prepared_;  // names of statements
  int statements_ = 0;
  uint64_t round_trips_ = 0;
  Failure failure_ = Failure::kNone;
  const std::unique_ptr<bool> warned_ = std::make_unique<bool>(false);  // libpq has its address
};

}  // namespace zhibu::server::postgresql

#endif  // ZHIBU_SERVER_STORE_POSTGRESQL_CONNECTION_H_
