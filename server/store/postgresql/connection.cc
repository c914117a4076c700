#include "server/store/postgresql/connection.h"

#include <endian.h>
#include <poll.h>

#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "sync/base/require.h"
#include "sync/base/status.h"

namespace zhibu::server::postgresql {
namespace {

// As pg_type.dat has them.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kText = 25;
constexpr Oid kByteaArray = 1001;
constexpr Oid kInt8Array = 1016;

// How long an answer may take: more than the database gives a statement, so that it is the one that
// says what was too slow.
constexpr absl::Duration kPatience = absl::Seconds(75);
constexpr char kConnectSeconds[] = "10";

// Once for each connection. Where the operator says otherwise (in `options` of the connection
// string, or of the role), it stays so. No statement is to read a whole table because the database
// has not counted its rows yet; under SERIALIZABLE it would conflict with every write to it. Where
// one must be read whole, that is no reason to compile the statement.
constexpr char kSetUp[] =
    "SELECT set_config(name, mine, false) FROM (VALUES"
    " ('statement_timeout', '60000'), ('idle_in_transaction_session_timeout', '120000'),"
    " ('lock_timeout', '30000'), ('enable_seqscan', 'off'), ('jit', 'off'))"
    " AS wanted (name, mine) WHERE name IN ('enable_seqscan', 'jit') OR current_setting(name) IN "
    "('0', '')";

constexpr absl::string_view kSafe =
    "Nothing of this was written, and what was there before is safe";

template <typename T>
void AppendBigEndian(T value, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// One dimension, counted from 1, without nulls.
std::string ArrayOf(Oid element, size_t count, absl::string_view elements) {
  std::string bytes;
  for (const uint32_t number : {uint32_t{count > 0}, uint32_t{0}, uint32_t{element}}) {
    AppendBigEndian(htobe32(number), &bytes);
  }
  if (count == 0) return bytes;
  AppendBigEndian(htobe32(static_cast<uint32_t>(count)), &bytes);
  AppendBigEndian(htobe32(1), &bytes);
  bytes.append(elements.data(), elements.size());
  return bytes;
}

void AppendElement(absl::string_view element, std::string* elements) {
  AppendBigEndian(htobe32(static_cast<uint32_t>(element.size())), elements);
  elements->append(element.data(), element.size());
}

std::string BytesOf(int64_t value) {
  std::string bytes;
  AppendBigEndian(htobe64(static_cast<uint64_t>(value)), &bytes);
  return bytes;
}

// By the SQLSTATE, which PostgreSQL's appendix A lists.
Failure FailureOf(absl::string_view state) {
  // Another transaction, or one that has just put what this one found missing.
  for (const char* again : {"40001", "40P01", "23505", "55P03"}) {
    if (state == again) return Failure::kAgain;
  }
  // It ends, or starts, or is no primary any more.
  const bool gone = absl::StartsWith(state, "08") || absl::StartsWith(state, "57P") ||
                    state == "25006" || state.empty();
  return gone ? Failure::kLost : Failure::kOther;
}

absl::Status StatusOf(absl::string_view state, absl::string_view said) {
  const std::string why = absl::StrCat(" (", state, ": ", said, ")");
  if (FailureOf(state) == Failure::kLost) {
    return absl::UnavailableError(
        absl::StrCat("The database cannot be reached. Try again when it runs", why));
  }
  if (FailureOf(state) == Failure::kAgain) {
    return absl::UnavailableError(
        absl::StrCat("Others write the same. ", kSafe, ". Try again", why));
  }
  if (absl::StartsWith(state, "53")) {
    return absl::UnavailableError(
        absl::StrCat("The database has no room, memory or connection "
                     "left. ",
                     kSafe, ". Make room and try again", why));
  }
  if (state == "57014") {
    return absl::UnavailableError(
        absl::StrCat("The database took too long. ", kSafe, ". Try again", why));
  }
  if (absl::StartsWith(state, "28") || absl::StartsWith(state, "3D")) {
    return absl::FailedPreconditionError(
        absl::StrCat("The database does not let this server in. Check the connection string", why));
  }
  if (absl::StartsWith(state, "XX00") && state != "XX000") {
    return absl::DataLossError(
        absl::StrCat("The database is damaged. Nothing was changed. Restore a backup", why));
  }
  return absl::InternalError(absl::StrCat("The database refused. ", kSafe, why));
}

// A COMMIT that was cancelled while it waited for a standby is told as done, with a warning.
void NoteWarning(void* warned, const PGresult* notice) {
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity != nullptr && absl::string_view(severity) == "WARNING") {
    *static_cast<bool*>(warned) = true;
  }
}

}  // namespace

// ---- Values ----------------------------------------------------------------------

Value::Value(int64_t value) : type_(kInt8), bytes_(BytesOf(value)) {}
Value::Value(bool value) : type_(kBool), bytes_(1, value ? '\1' : '\0') {}
Value::Value(Text text) : type_(kText), bytes_(text.value) {}
Value::Value(absl::string_view blob) : type_(kBytea), bytes_(blob) {}

Value::Value(const std::vector<int64_t>& values) : type_(kInt8Array) {
  std::string elements;
  for (const int64_t value : values) AppendElement(BytesOf(value), &elements);
  bytes_ = ArrayOf(kInt8, values.size(), elements);
}

Value::Value(const std::vector<std::string>& values) : type_(kByteaArray) {
  std::string elements;
  for (const std::string& value : values) AppendElement(value, &elements);
  bytes_ = ArrayOf(kBytea, values.size(), elements);
}

int64_t Rows::Int(int row, int column) const {
  const absl::string_view bytes = View(row, column);
  uint64_t value = 0;
  REQUIRE(bytes.size() == sizeof(value));
  std::memcpy(&value, bytes.data(), sizeof(value));
  return static_cast<int64_t>(be64toh(value));
}

// ---- A connection -----------------------------------------------------------------

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& where) {
  // What libpq says of one that it cannot read may quote the password.
  char* unread = nullptr;
  PQconninfoOption* const options = PQconninfoParse(where.c_str(), &unread);
  PQfreemem(unread);
  if (options == nullptr) {
    return absl::InvalidArgumentError(
        "The connection string cannot be read; it is written as "
        "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full");
  }
  PQconninfoFree(options);
  // The later word counts, and what `dbname` is expanded to is the operator's.
  const char* const keywords[] = {"connect_timeout",
                                  "application_name",
                                  "keepalives_idle",
                                  "tcp_user_timeout",
                                  "dbname",
                                  "client_encoding",
                                  nullptr};
  const char* const values[] = {kConnectSeconds, "zhibu", "30",   "60000",
                                where.c_str(),   "UTF8",  nullptr};
  std::unique_ptr<Connection> connection(new Connection(PQconnectdbParams(keywords, values, 1)));
  if (PQstatus(connection->raw()) != CONNECTION_OK) {
    return absl::UnavailableError(absl::StrCat(
        "The database cannot be reached. Check that it runs, and the connection string (",
        PQerrorMessage(connection->raw()), ")"));
  }
  RETURN_IF_ERROR(connection->SetUp());
  return connection;
}

absl::Status Connection::SetUp() {
  PQsetNoticeReceiver(raw(), &NoteWarning, warned_.get());
  return Ask(kSetUp).status();
}

absl::StatusOr<Rows> Connection::Ask(const char* sql, std::vector<Value> values) {
  Queue(sql, std::move(values));
  std::vector<Rows> rows;
  RETURN_IF_ERROR(Travel(&rows));
  return std::move(rows.back());
}

absl::StatusOr<std::vector<Rows>> Connection::AskFrom(size_t from) {
  std::vector<Rows> rows;
  RETURN_IF_ERROR(Travel(&rows));
  rows.erase(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(from));
  return rows;
}

absl::Status Connection::Flush() {
  std::vector<Rows> rows;
  return Travel(&rows);
}

absl::Status Connection::Travel(std::vector<Rows>* rows) {
  const std::vector<Query> queue = std::exchange(queue_, {});
  if (failure_ != Failure::kNone) return Lost();
  if (queue.empty()) return absl::OkStatus();
  ++round_trips_;
  *warned_ = false;
  if (PQpipelineStatus(raw()) == PQ_PIPELINE_OFF) {
    PQsetnonblocking(raw(), 1);
    PQenterPipelineMode(raw());
  }
  std::vector<const char*> fresh;  // for each that comes back, the statement that it prepares
  for (const Query& query : queue) RETURN_IF_ERROR(Send(query, &fresh));
  if (PQpipelineSync(raw()) != 1) return Lost();
  absl::Status status;
  for (const char* prepares : fresh) {
    ASSIGN_OR_RETURN(PGresult* const result, NextResult());
    Rows got(result);
    switch (PQresultStatus(result)) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
        if (prepares == nullptr) rows->push_back(std::move(got));
        break;
      case PGRES_PIPELINE_ABORTED:
        if (prepares != nullptr) prepared_.erase(prepares);
        break;
      default:
        if (prepares != nullptr) prepared_.erase(prepares);
        status.Update(Fail(result));
    }
    if (failure_ == Failure::kLost) return status;
    ASSIGN_OR_RETURN(const PGresult* const end, NextResult());
    REQUIRE(end == nullptr);
  }
  ASSIGN_OR_RETURN(PGresult* const sync, NextResult());
  const Rows synced(sync);
  if (PQresultStatus(sync) != PGRES_PIPELINE_SYNC) return Lost();
  return status;
}

absl::Status Connection::Send(const Query& query, std::vector<const char*>* fresh) {
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> sizes;
  for (const Value& value : query.values) {
    types.push_back(value.type());
    values.push_back(value.data());
    sizes.push_back(value.size());
  }
  const std::vector<int> binary(values.size(), 1);
  const int count = static_cast<int>(values.size());
  const auto [name, unknown] = prepared_.try_emplace(query.sql);
  if (unknown) {
    name->second = absl::StrCat("s", ++statements_);
    if (PQsendPrepare(raw(), name->second.c_str(), query.sql, count, types.data()) != 1) {
      return Lost();
    }
    fresh->push_back(query.sql);
  }
  if (PQsendQueryPrepared(raw(), name->second.c_str(), count, values.data(), sizes.data(),
                          binary.data(), 1) != 1) {
    return Lost();
  }
  fresh->push_back(nullptr);
  return absl::OkStatus();
}

// Null at the end of what one statement gives.
absl::StatusOr<PGresult*> Connection::NextResult() {
  const absl::Time deadline = absl::Now() + kPatience;
  while (true) {
    const int unsent = PQflush(raw());
    if (unsent < 0) return Lost();
    if (unsent == 0 && PQisBusy(raw()) == 0) break;
    RETURN_IF_ERROR(Wait(unsent > 0, deadline));
    if (PQconsumeInput(raw()) != 1) return Lost();
  }
  PGresult* const result = PQgetResult(raw());
  if (result == nullptr && PQstatus(raw()) != CONNECTION_OK) return Lost();
  return result;
}

absl::Status Connection::Wait(bool writing, absl::Time deadline) {
  pollfd waited{PQsocket(raw()), static_cast<short>(POLLIN | (writing ? POLLOUT : 0)), 0};
  const int64_t ms = std::max<int64_t>(0, absl::ToInt64Milliseconds(deadline - absl::Now()));
  const int ready = poll(&waited, 1, static_cast<int>(ms));
  if (ready > 0 || (ready < 0 && errno == EINTR)) return absl::OkStatus();
  return Lost();
}

absl::Status Connection::Lost() {
  if (failure_ == Failure::kNone || PQstatus(raw()) != CONNECTION_OK) failure_ = Failure::kLost;
  return StatusOf("", PQerrorMessage(raw()));
}

absl::Status Connection::Fail(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const absl::string_view code = state == nullptr ? "" : state;
  failure_ = FailureOf(code);
  return StatusOf(code, said == nullptr ? PQerrorMessage(raw()) : said);
}

bool Connection::Reset() {
  queue_.clear();
  if (failure_ == Failure::kLost || PQstatus(raw()) != CONNECTION_OK) return false;
  failure_ = Failure::kNone;
  if (PQtransactionStatus(raw()) == PQTRANS_IDLE) return true;
  Queue("ROLLBACK");
  return Flush().ok();
}

bool Connection::Alive() {
  pollfd looked{PQsocket(raw()), POLLIN, 0};
  // What ends a session is said before anybody asks.
  if (poll(&looked, 1, 0) > 0 && PQconsumeInput(raw()) != 1) return false;
  if (looked.revents != 0) {
    PQisBusy(raw());
    return false;
  }
  return PQstatus(raw()) == CONNECTION_OK && failure_ == Failure::kNone;
}

absl::StatusOr<std::vector<std::string>> Connection::WaitForNotices(absl::Duration patience,
                                                                    int wake) {
  pollfd waited[] = {{PQsocket(raw()), POLLIN, 0}, {wake, POLLIN, 0}};
  poll(waited, 2, static_cast<int>(absl::ToInt64Milliseconds(patience)));
  if (waited[0].revents != 0 && PQconsumeInput(raw()) != 1) return Lost();
  std::vector<std::string> payloads;
  while (PGnotify* const notice = PQnotifies(raw())) {
    const absl::Cleanup free_it = [notice] { PQfreemem(notice); };
    payloads.emplace_back(notice->extra);
  }
  if (PQstatus(raw()) != CONNECTION_OK) return Lost();
  return payloads;
}

absl::StatusOr<Rows> Connection::AskPlain(const std::string& sql) {
  if (PQpipelineStatus(raw()) != PQ_PIPELINE_OFF) {
    PQexitPipelineMode(raw());
    PQsetnonblocking(raw(), 0);
  }
  PGresult* const result = PQexec(raw(), sql.c_str());
  Rows rows(result);
  if (PQresultStatus(result) == PGRES_FATAL_ERROR) return Fail(result);
  return rows;
}

absl::Status Connection::RunPlain(const char* begin, absl::FunctionRef<absl::Status()> body) {
  RETURN_IF_ERROR(AskPlain(begin).status());
  absl::Status status =
      AskPlain("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").status();
  if (status.ok()) status = body();
  if (status.ok()) return AskPlain("COMMIT").status();
  AskPlain("ROLLBACK").status().IgnoreError();
  return status;
}

absl::Status Connection::EndCopy() {
  absl::Status status;
  while (PGresult* const result = PQgetResult(raw())) {
    const Rows rows(result);
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) status.Update(Fail(result));
  }
  return status;
}

}  // namespace zhibu::server::postgresql
