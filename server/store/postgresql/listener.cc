#include "server/store/postgresql/listener.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "server/store/postgresql/schema.h"
#include "sync/base/environment.h"
#include "sync/base/require.h"
#include "sync/base/status.h"

namespace zhibu::server::postgresql {
namespace {

// NOTIFY takes 8,000 bytes.
constexpr size_t kPayloadBytes = 7'000;

// One for each schema: databases of several servers may lie in one.
constexpr char kChannel[] = "SELECT 'zhibu_' || left(md5(current_schema()), 16)";
constexpr char kNotify[] = "SELECT pg_notify($1, $2)";

}  // namespace

std::vector<std::string> PayloadsOf(const std::string& self, const Moves& moved) {
  std::vector<std::string> payloads;
  for (const auto& [scope, version] : moved) {
    if (payloads.empty() || payloads.back().size() > kPayloadBytes) payloads.push_back(self);
    absl::StrAppend(&payloads.back(), " ", Hex(scope.bytes()), ":", version.value);
  }
  return payloads;
}

Moves MovesIn(const std::string& payload, const std::string& self) {
  Moves moved;
  const std::vector<absl::string_view> words = absl::StrSplit(payload, ' ');
  if (words.front() == self) return moved;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> one =
        absl::StrSplit(words[i], absl::MaxSplits(':', 1));
    const auto scope = Id::FromBytes(absl::HexStringToBytes(one.first));
    uint64_t version = 0;
    if (scope && absl::SimpleAtoi(one.second, &version)) moved[*scope] = Version(version);
  }
  return moved;
}

Listener::Listener(Options options)
    : options_(std::move(options)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  REQUIRE(wake_ >= 0);
  thread_ = std::thread([this] { Run(); });
}

Listener::~Listener() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
  close(wake_);
}

void Listener::Told(const Moves& moved) {
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [scope, version] : moved) {
      untold_[scope] = version;
      if (const auto known = known_.find(scope); known != known_.end()) known->second = version;
    }
  }
  Wake();
}

void Listener::Wake() { eventfd_write(wake_, 1); }

void Listener::Run() {
  while (true) {
    const absl::Status status = ListenOnce();
    absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    if (status.ok()) continue;
    connection_ = nullptr;
    // It is tried again; whoever writes or reads is told what is wrong.
    mutex_.AwaitWithTimeout(absl::Condition(&stopping_), options_.look_every);
  }
}

absl::Status Listener::ListenOnce() {
  if (connection_ == nullptr) RETURN_IF_ERROR(Connect());
  const absl::Duration patience = looked_ + options_.look_every - absl::Now();
  ASSIGN_OR_RETURN(const std::vector<std::string> heard,
                   connection_->WaitForNotices(std::max(patience, absl::ZeroDuration()), wake_));
  eventfd_t ignored = 0;
  eventfd_read(wake_, &ignored);
  Hear(heard);
  RETURN_IF_ERROR(TellOthers());
  return absl::Now() - looked_ >= options_.look_every ? Look() : absl::OkStatus();
}

// What was said while nobody listened is found by looking.
absl::Status Listener::Connect() {
  ASSIGN_OR_RETURN(connection_, Connection::Open(options_.where));
  ASSIGN_OR_RETURN(const Rows channel, connection_->Ask(kChannel));
  channel_ = channel.Bytes(0, 0);
  RETURN_IF_ERROR(connection_->AskPlain(absl::StrCat("LISTEN ", channel_)).status());
  return Look();
}

absl::Status Listener::TellOthers() {
  Moves moved;
  {
    absl::MutexLock lock(&mutex_);
    moved.swap(untold_);
  }
  for (const std::string& payload : PayloadsOf(options_.self, moved)) {
    connection_->Queue(kNotify, {Text{channel_}, Text{payload}});
  }
  return connection_->Flush();
}

void Listener::Hear(const std::vector<std::string>& payloads) {
  absl::flat_hash_set<Id> moved;
  {
    absl::MutexLock lock(&mutex_);
    for (const std::string& payload : payloads) {
      for (const auto& [scope, version] : MovesIn(payload, options_.self)) {
        moved.insert(scope);
        if (const auto known = known_.find(scope); known != known_.end()) {
          known->second = std::max(known->second, version);
        }
      }
    }
  }
  if (!moved.empty()) options_.on_moved(moved);
}

absl::Status Listener::Look() {
  looked_ = absl::Now();
  std::vector<std::string> followed;
  for (const Id& scope : options_.followed()) followed.push_back(scope.str());
  if (followed.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Rows rows, connection_->Ask(kVersionsOfScopes, {followed}));
  absl::flat_hash_set<Id> moved;
  {
    absl::MutexLock lock(&mutex_);
    const Moves before = std::exchange(known_, {});
    for (int row = 0; row < rows.size(); ++row) {
      const Id scope = rows.IdAt(row, 0);
      const auto known = before.find(scope);
      const Version said = known == before.end() ? Version() : known->second;
      const Version is = rows.Number<Version>(row, 1);
      if (is > said) moved.insert(scope);
      known_[scope] = std::max(is, said);
    }
  }
  if (!moved.empty()) options_.on_moved(moved);
  return absl::OkStatus();
}

}  // namespace zhibu::server::postgresql
