#include "tests/bench/floor.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <deque>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/bench/report.h"

namespace zhibu::bench {
namespace {

using grpc::ByteBuffer;

// Frames that wait while the disk is busy; as the syncer has it.
constexpr size_t kReceivedMax = 4;

ByteBuffer BufferOf(absl::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return ByteBuffer(&slice, 1);
}

// ---- The server --------------------------------------------------------------

class SendAll final : public grpc::ServerGenericBidiReactor {
 public:
  explicit SendAll(const std::vector<ByteBuffer>* chunks) : chunks_(*chunks) { SendNext(); }

 private:
  void SendNext() {
    if (next_ == chunks_.size()) return Finish(grpc::Status::OK);
    StartWrite(&chunks_[next_++]);
  }
  void OnWriteDone(bool ok) override { ok ? SendNext() : Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

  const std::vector<ByteBuffer>& chunks_;
  size_t next_ = 0;
};

// The next chunk is on its way in while one is taken and its acknowledgement
// goes out.
class TakeAll final : public grpc::ServerGenericBidiReactor {
 public:
  explicit TakeAll(OnChunk on_chunk) : on_chunk_(on_chunk), ack_(BufferOf("taken")) {
    StartRead(&in_);
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    on_chunk_(index_++);
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](bool* writing) { return !*writing; }, &writing_));
      writing_ = true;
    }
    StartWrite(&ack_);
    StartRead(&in_);
  }
  void OnWriteDone(bool /*ok*/) override {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
  }
  void OnDone() override { delete this; }

  OnChunk on_chunk_;
  ByteBuffer in_;
  ByteBuffer ack_;
  size_t index_ = 0;
  absl::Mutex mutex_;
  bool writing_ = false;
};

class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(absl::FunctionRef<grpc::ServerGenericBidiReactor*()> make) : make_(make) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* /*context*/) override {
    return make_();
  }

 private:
  absl::FunctionRef<grpc::ServerGenericBidiReactor*()> make_;
};

class Server {
 public:
  Server(const Tls& tls, absl::FunctionRef<grpc::ServerGenericBidiReactor*()> make)
      : service_(make) {
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back({tls.key_pem, tls.certificate_pem});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    Check(server_ != nullptr && port_ != 0, "the floor's server does not start");
  }
  ~Server() {
    server_->Shutdown();
    server_->Wait();
  }
  int port() const { return port_; }

 private:
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// ---- The device --------------------------------------------------------------

// One stream of bytes; everything that is started is waited for with Await.
class Client {
 public:
  enum Tag { kStarted = 1, kRead, kWritten, kFinished };

  Client(const Tls& tls, int port) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetSslTargetNameOverride("zhibu");
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
        absl::StrCat("127.0.0.1:", port),
        grpc::SslCredentials({.pem_root_certs = tls.certificate_pem}), arguments));
    stream_ = stub_->PrepareCall(&context_, "/floor/Stream", &queue_);
    stream_->StartCall(ToTag(kStarted));
    bool ok = false;
    Check(Await(&ok) == kStarted && ok, "the floor's stream does not start");
  }
  ~Client() {
    queue_.Shutdown();
    bool ok = false;
    void* tag = nullptr;
    while (queue_.Next(&tag, &ok)) continue;
  }

  void StartRead() { stream_->Read(&in_, ToTag(kRead)); }
  void StartWrite(const ByteBuffer& bytes) { stream_->Write(bytes, ToTag(kWritten)); }
  void StartWritesDone() { stream_->WritesDone(ToTag(kWritten)); }
  Tag Await(bool* ok) {
    void* tag = nullptr;
    Check(queue_.Next(&tag, ok), "the floor's queue has ended");
    return static_cast<Tag>(reinterpret_cast<intptr_t>(tag));
  }
  ByteBuffer& in() { return in_; }
  void Finish() {
    grpc::Status status;
    bool ok = false;
    stream_->Finish(&status, ToTag(kFinished));
    while (Await(&ok) != kFinished) continue;
    Check(status.ok(), absl::StrCat("the floor's stream: ", status.error_message()));
  }

 private:
  static void* ToTag(Tag tag) { return reinterpret_cast<void*>(static_cast<intptr_t>(tag)); }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericStub> stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  ByteBuffer in_;
};

}  // namespace

double RawDownload(const Tls& tls, const std::vector<std::string>& chunks, OnChunk on_chunk) {
  std::vector<ByteBuffer> buffers;
  for (const std::string& chunk : chunks) buffers.push_back(BufferOf(chunk));
  const auto make = [&]() -> grpc::ServerGenericBidiReactor* { return new SendAll(&buffers); };
  Server server(tls, make);

  const Stopwatch watch;
  Client client(tls, server.port());
  absl::Mutex mutex;
  std::deque<ByteBuffer> received;
  bool ended = false;
  std::thread listener([&] {
    bool ok = true;
    while (true) {
      client.StartRead();
      Check(client.Await(&ok) == Client::kRead, "the floor reads something else");
      absl::MutexLock lock(&mutex);
      if (!ok) {
        ended = true;
        return;
      }
      const auto room = [&] { return received.size() < kReceivedMax; };
      mutex.Await(absl::Condition(&room));
      received.push_back(std::move(client.in()));
      client.in().Clear();
    }
  });
  size_t taken = 0;
  while (true) {
    ByteBuffer chunk;
    {
      absl::MutexLock lock(&mutex);
      const auto something = [&] { return ended || !received.empty(); };
      mutex.Await(absl::Condition(&something));
      if (received.empty()) break;
      chunk.Swap(&received.front());
      received.pop_front();
    }
    Check(taken < chunks.size() && chunk.Length() == chunks[taken].size(), "the floor lost bytes");
    on_chunk(taken++);
  }
  const double seconds = watch.seconds();
  listener.join();
  client.Finish();
  Check(taken == chunks.size(), "the floor lost chunks");
  return seconds;
}

double RawPush(const Tls& tls, const std::vector<std::string>& chunks, bool one_at_a_time,
               OnChunk on_chunk) {
  std::vector<ByteBuffer> buffers;
  for (const std::string& chunk : chunks) buffers.push_back(BufferOf(chunk));
  const auto make = [&]() -> grpc::ServerGenericBidiReactor* { return new TakeAll(on_chunk); };
  Server server(tls, make);

  const Stopwatch watch;
  Client client(tls, server.port());
  size_t sent = 0;
  size_t acknowledged = 0;
  bool writing = false;
  client.StartRead();
  while (acknowledged < chunks.size()) {
    if (!writing && sent < chunks.size() && (!one_at_a_time || sent == acknowledged)) {
      client.StartWrite(buffers[sent++]);
      writing = true;
    }
    bool ok = false;
    const Client::Tag tag = client.Await(&ok);
    Check(ok, "the floor's stream has broken");
    if (tag == Client::kWritten) {
      writing = false;
    } else {
      ++acknowledged;
      client.StartRead();
    }
  }
  const double seconds = watch.seconds();
  client.StartWritesDone();
  client.Finish();
  return seconds;
}

// ---- RawTable ----------------------------------------------------------------

RawTable::RawTable(const std::string& file, Layout layout) : layout_(layout) {
  Check(sqlite3_open(file.c_str(), &database_) == SQLITE_OK, "the floor's file does not open");
  Run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
  const bool append = layout == Layout::kAppend;
  Run(append ? "CREATE TABLE row (no INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"
             : "CREATE TABLE row (type INTEGER NOT NULL, id BLOB NOT NULL, confirmed BLOB,"
               " view BLOB, PRIMARY KEY (type, id)) WITHOUT ROWID");
  const char* insert = append ? "INSERT INTO row (bytes) VALUES (?)"
                              : "INSERT INTO row (confirmed, type, id) VALUES (?, ?, ?)";
  Check(sqlite3_prepare_v2(database_, insert, -1, &insert_, nullptr) == SQLITE_OK, insert);
}

RawTable::~RawTable() {
  sqlite3_finalize(insert_);
  sqlite3_close(database_);
}

void RawTable::Run(const char* sql) {
  Check(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
}

void RawTable::Insert(absl::Span<const Row> rows) {
  Run("BEGIN");
  for (const Row& row : rows) {
    sqlite3_bind_blob(insert_, 1, row.bytes.data(), static_cast<int>(row.bytes.size()),
                      SQLITE_STATIC);
    if (layout_ == Layout::kRecord) {
      sqlite3_bind_int64(insert_, 2, row.type);
      sqlite3_bind_blob(insert_, 3, row.id.data(), static_cast<int>(row.id.size()), SQLITE_STATIC);
    }
    Check(sqlite3_step(insert_) == SQLITE_DONE, "the floor cannot insert");
    sqlite3_reset(insert_);
  }
  Run("COMMIT");
}

void RawTable::Remove(absl::Span<const Row> rows) {
  sqlite3_stmt* remove = nullptr;
  Check(sqlite3_prepare_v2(database_, "DELETE FROM row WHERE type = ? AND id = ?", -1, &remove,
                           nullptr) == SQLITE_OK,
        "the floor cannot delete");
  Run("BEGIN");
  for (const Row& row : rows) {
    sqlite3_bind_int64(remove, 1, row.type);
    sqlite3_bind_blob(remove, 2, row.id.data(), static_cast<int>(row.id.size()), SQLITE_STATIC);
    Check(sqlite3_step(remove) == SQLITE_DONE, "the floor cannot delete");
    sqlite3_reset(remove);
  }
  Run("COMMIT");
  sqlite3_finalize(remove);
}

uint64_t RawTable::Count() {
  uint64_t count = 0;
  const auto take = [](void* out, int, char** values, char**) {
    *static_cast<uint64_t*>(out) = std::strtoull(values[0], nullptr, 10);
    return 0;
  };
  Check(sqlite3_exec(database_, "SELECT count(*) FROM row", take, &count, nullptr) == SQLITE_OK,
        "the floor cannot count");
  return count;
}

}  // namespace zhibu::bench
