#include "server/rpc/node.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/base/log.h"
#include "server/feed/incarnation.h"
#include "server/figures/making.h"
#include "server/identity/certificate.h"
#include "server/identity/marks.h"
#include "server/identity/named.h"
#include "server/identity/registration.h"
#include "server/identity/whereabouts.h"
#include "server/ingest/own_chain.h"
#include "server/net/acceptor.h"
#include "server/net/calls.h"
#include "server/rpc/services.h"
#include "server/sessions/courier.h"
#include "server/store/postgresql/store.h"
#include "server/store/sqlite/store.h"
#include "server/web/server.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/cli/key_file.h"

namespace zhibu::server {
namespace {

// How long streams have to end by themselves when the server stops.
constexpr absl::Duration kGrace = absl::Milliseconds(200);
// How long the process that serves has to take a call.
constexpr absl::Duration kSocketPatience = absl::Milliseconds(500);
// How long a database's servers have to be gone, and how often that is looked at.
constexpr absl::Duration kLeavePatience = absl::Seconds(3);
constexpr absl::Duration kLeaveLook = absl::Milliseconds(200);
// A roster comes in one admin call.
constexpr int kAdminBytesMax = 80 << 20;
// Enrolments and deliveries at once: each waits for the writer, and a stranger may
// ask for one.
constexpr int kCallsMax = 16;
// On one connection, beyond the streams of one device.
constexpr int kStreamsMore = 16;

std::string StoreOf(const std::string& folder) { return absl::StrCat(folder, "/zhibu.db"); }

std::string SocketOf(const std::string& folder) {
  return absl::StrCat("unix:", std::filesystem::absolute(folder).string(), "/admin.sock");
}

void SetLimits(const Limits& limits, grpc::ServerBuilder* builder) {
  grpc::ResourceQuota quota;
  quota.Resize(static_cast<size_t>(limits.network_bytes_max)).SetMaxThreads(kCallsMax);
  builder->SetResourceQuota(quota);
  builder->SetMaxReceiveMessageSize(limits.message_bytes_max);
  // A compressed message is inflated before its size is checked.
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  // A connection is one device's. It is there for a stream, and soon has one. What the hub
  // allows a device must be less than gRPC does, which would let one more wait without a word.
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                              std::min(limits.streams_per_device_max, 1'000'000) + kStreamsMore);
  const int handshake_ms = std::min(limits.handshake_seconds_max, 1'000'000) * 1000;
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, handshake_ms);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, handshake_ms);
}

// Whatever is accepted is gRPC's, once the server that `builder` builds has started.
Acceptor::OnConnection HandTo(grpc::ServerBuilder* builder,
                              const grpc::SslServerCredentialsOptions& tls) {
  std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor> connections =
      builder->experimental().AddExternalConnectionAcceptor(
          grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
          grpc::SslServerCredentials(tls));
  return [connections](int socket, const Peer&) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.fd = socket;
    connections->HandleNewConnection(&parameters);
  };
}

// Held while it lives; the kernel lets go of it even after kill -9.
class FolderLock {
 public:
  static absl::StatusOr<FolderLock> Take(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot make ", folder));
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    const std::string path = absl::StrCat(folder, "/lock");
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
      close(file);
      return absl::UnavailableError(absl::StrCat(folder, " is in use by another process"));
    }
    return FolderLock(file);
  }
  FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock() {
    if (file_ >= 0) close(file_);
  }

 private:
  explicit FolderLock(int file) : file_(file) {}
  int file_;
};

std::string KeyFileOf(const DataPlace& place) {
  return place.key_file.empty() ? absl::StrCat(place.folder, "/zhibu.key") : place.key_file;
}

absl::StatusOr<std::string> KeyOf(const DataPlace& place) {
  if (place.store.empty()) {
    const std::string file = StoreOf(place.folder);
    return KeyFor(KeyFileOf(place), file, [&] { return OpenSqliteStore(file).status(); });
  }
  // The folder is there by now, whatever the database holds.
  return KeyFor(KeyFileOf(place), place.folder, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const FoundPostgres found, LookAtPostgres(place.store));
    return found.sealed ? Refuse(sync::v1::WRONG_KEY, KeyFileOf(place)) : absl::OkStatus();
  });
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const DataPlace& place, const std::string& key,
                                                 Log* log) {
  // As many as threads of sessions read at once.
  const int readers = std::max(2, static_cast<int>(std::thread::hardware_concurrency()));
  if (!place.store.empty()) {
    PostgresOptions options;
    options.key = key;
    options.readers = readers;
    options.observer = log;
    return OpenPostgresStore(place.store, options);
  }
  SqliteOptions options;
  options.key = key;
  options.readers = readers;
  options.observer = log;
  return OpenSqliteStore(StoreOf(place.folder), options);
}

absl::Status CheckThere(const DataPlace& place) {
  bool there = false;
  if (place.store.empty()) {
    std::error_code error;
    there = std::filesystem::exists(StoreOf(place.folder), error);
  } else {
    ASSIGN_OR_RETURN(const FoundPostgres found, LookAtPostgres(place.store));
    there = found.filled;
  }
  if (there) return absl::OkStatus();
  return absl::NotFoundError(InBoth(
      absl::StrCat(place.folder, " 不是服务器数据目录；新建请用 zhibu admin init"),
      absl::StrCat(place.folder, " is no data folder of a server; zhibu admin init makes one")));
}

// A file has the lock of its folder. Connections are there for a moment after they were closed.
absl::Status CheckNobodyServes(const DataPlace& place) {
  if (place.store.empty()) return absl::OkStatus();
  const absl::Time deadline = absl::Now() + kLeavePatience;
  while (true) {
    ASSIGN_OR_RETURN(const FoundPostgres found, LookAtPostgres(place.store));
    if (!found.in_use) return absl::OkStatus();
    if (absl::Now() >= deadline) break;
    absl::SleepFor(kLeaveLook);
  }
  return absl::UnavailableError(
      InBoth("还有服务器连着这个数据库；请先全部停止",
             "servers are connected to this database; stop all of them first"));
}

// Whoever serves from this folder has it, whenever it is.
absl::StatusOr<DeviceNumber> OwnChainOf(const DataPlace& place, Store& store,
                                        const Environment& environment) {
  const std::string file = absl::StrCat(place.folder, "/chain");
  DeviceNumber had;
  std::ifstream(file) >> had.value;
  ASSIGN_OR_RETURN(const DeviceNumber chain, EnsureOwnChain(store, environment, had));
  if (chain != had) std::ofstream(file, std::ios::trunc) << chain.value << std::endl;
  return chain;
}

}  // namespace

struct Node::Parts {
  Parts(std::string folder_path, FolderLock held, std::unique_ptr<Log> heard,
        std::unique_ptr<Store> opened, DeviceNumber chain, const Limits& limits_given,
        const Environment& environment)
      : folder(std::move(folder_path)),
        limits(limits_given),
        lock(std::move(held)),
        log(std::move(heard)),
        store(std::move(opened)),
        ingest(CatalogueSchema(), environment, log.get(), rules::ShippedBook(), chain),
        hub(store.get(), &ingest, environment, limits, log.get()),
        admin(&hub, log.get()),
        calls(&hub, &admin),
        admin_service(MakeAdminService(&admin)),
        sums(store.get(), &ingest.schema(), &ingest.book(), log.get()) {}

  const std::string folder;
  const Limits limits;
  FolderLock lock;
  std::unique_ptr<Log> log;
  std::unique_ptr<Store> store;
  Ingest ingest;
  Hub hub;
  Admin admin;
  Calls calls;
  std::unique_ptr<grpc::Service> admin_service;
  Doors doors;
  std::unique_ptr<grpc::Service> sync_service;
  std::unique_ptr<grpc::Server> admin_server;
  std::unique_ptr<grpc::Server> sync_server;
  std::unique_ptr<WebServer> web_server;
  std::unique_ptr<Acceptor> acceptor;
  SumsMaker sums;
};

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<Node>> Node::Open(const DataPlace& place, bool restored,
                                                 const Limits& limits,
                                                 const Environment& environment) {
  ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(place.folder));
  umask(0077);  // what is kept here is for its owner only
  ASSIGN_OR_RETURN(const std::string key, KeyOf(place));
  auto log = std::make_unique<Log>();
  ASSIGN_OR_RETURN(auto store, OpenStore(place, key, log.get()));
  RETURN_IF_ERROR(TakeIntoService(*store, restored));
  RETURN_IF_ERROR(EnsureIncarnation(*store, *CatalogueSchema(), environment, restored));
  RETURN_IF_ERROR(EnsureCourierKey(*store, environment));
  DeviceNumber chain = kServerDevice;
  if (!place.store.empty()) {
    ASSIGN_OR_RETURN(chain, OwnChainOf(place, *store, environment));
  }
  Ingest ingest(CatalogueSchema(), environment, log.get(), rules::ShippedBook(), chain);
  RETURN_IF_ERROR(EnsureRegistration(*store, ingest));
  RETURN_IF_ERROR(EnsureMarks(*store, ingest, environment));
  return std::unique_ptr<Node>(
      new Node(std::make_unique<Parts>(place.folder, std::move(lock), std::move(log),
                                       std::move(store), chain, limits, environment)));
}

absl::StatusOr<std::unique_ptr<Node>> Node::OpenThere(const DataPlace& place) {
  RETURN_IF_ERROR(CheckThere(place));
  return Open(place);
}

absl::Status Node::Restore(const DataPlace& place, const std::string& file) {
  if (place.store.empty()) {
    return absl::FailedPreconditionError(
        InBoth("请用 --store 写明要恢复到的空数据库；单文件的恢复见 docs/operating.md",
               "name the empty database with --store; a store in one file is put back by hand: "
               "docs/operating.md"));
  }
  ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(place.folder));
  const std::string key_file = KeyFileOf(place);
  // It is the key that the copy was made with: none is made.
  ASSIGN_OR_RETURN(const std::string key, KeyFor(key_file, place.folder, [&] {
                     return Refuse(sync::v1::WRONG_KEY, key_file);
                   }));
  return RestorePostgresBackup(file, place.store, {.key = key});
}

absl::StatusOr<Relocated> Node::Move(const DataPlace& place, const std::string& to) {
  const bool into_database = NamesPostgres(to);
  const DataPlace target{.folder = into_database ? place.folder : to,
                         .key_file = KeyFileOf(place),
                         .store = into_database ? to : ""};
  std::vector<FolderLock> locks;
  for (const std::string& folder : {place.folder, target.folder}) {
    std::error_code error;
    if (!locks.empty() && std::filesystem::equivalent(folder, place.folder, error)) continue;
    ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(folder));
    locks.push_back(std::move(lock));
  }
  umask(0077);
  RETURN_IF_ERROR(CheckThere(place));
  RETURN_IF_ERROR(CheckNobodyServes(place));
  ASSIGN_OR_RETURN(const std::string key, KeyOf(place));
  Log log;
  ASSIGN_OR_RETURN(const auto from, OpenStore(place, key, &log));
  ASSIGN_OR_RETURN(const auto into, OpenStore(target, key, &log));
  return Relocate(*from, *into, SystemEnvironment().random_bytes);
}

Node::~Node() {
  parts_->acceptor.reset();
  const auto deadline = absl::ToChronoTime(absl::Now() + kGrace);
  parts_->web_server.reset();
  if (parts_->sync_server != nullptr) parts_->sync_server->Shutdown(deadline);
  if (parts_->admin_server != nullptr) parts_->admin_server->Shutdown(deadline);
  parts_->hub.Stop();
}

absl::StatusOr<Ports> Node::Serve(const NetworkOptions& options) {
  Store& store = *parts_->store;
  admin::v1::InitRequest init;
  init.set_operator_name(options.operator_name);
  if (auto initialised = parts_->admin.Init(init);
      !initialised.ok() && !absl::IsAlreadyExists(initialised.status())) {
    return initialised.status();
  }
  if (options.new_certificate)
    RETURN_IF_ERROR(parts_->admin.ChangeCertificate(options.operator_name));
  grpc::SslServerCredentialsOptions tls;
  auto& pair = tls.pem_key_cert_pairs.emplace_back();
  RETURN_IF_ERROR(store.Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(pair.private_key, reader.GetSetting(kServerKey));
    ASSIGN_OR_RETURN(pair.cert_chain, reader.GetSetting(kServerCertificate));
    return absl::OkStatus();
  }));
  parts_->sync_service = MakeSyncService(&parts_->hub, &parts_->calls, &parts_->doors);
  parts_->acceptor = std::make_unique<Acceptor>(&parts_->doors);
  Ports ports;
  grpc::ServerBuilder builder;
  ASSIGN_OR_RETURN(ports.grpc, parts_->acceptor->Listen(options.listen, HandTo(&builder, tls)));
  if (!options.web.empty()) {
    ASSIGN_OR_RETURN(parts_->web_server,
                     WebServer::Make(&parts_->hub, &parts_->calls, &parts_->doors, parts_->limits,
                                     {pair.cert_chain, pair.private_key, options.web_origins}));
    ASSIGN_OR_RETURN(
        ports.web, parts_->acceptor->Listen(
                       options.web, [web = parts_->web_server.get()](int socket, const Peer& peer) {
                         web->Take(socket, peer);
                       }));
  }
  builder.RegisterService(parts_->sync_service.get());
  SetLimits(parts_->limits, &builder);
  // A phone that went away without a word is noticed.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
  // And a phone that asks whether its path is alive, once a minute, is no nuisance.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 30'000);
  parts_->sync_server = builder.BuildAndStart();
  if (parts_->sync_server == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot serve on ", options.listen));
  }
  parts_->acceptor->Start(parts_->limits.connections_max);
  std::string address = options.address;
  if (address.empty()) {
    const size_t colon = options.listen.rfind(':');
    address = absl::StrCat(options.listen.substr(0, colon), ":", ports.grpc);
  }
  RETURN_IF_ERROR(parts_->hub.Write([&](Writer& writer) { return SetAddress(writer, address); }));
  // A socket left by a process that was killed.
  std::error_code ignored;
  std::filesystem::remove(absl::StrCat(parts_->folder, "/admin.sock"), ignored);
  grpc::ServerBuilder admin;
  admin.AddListeningPort(SocketOf(parts_->folder), grpc::InsecureServerCredentials());
  admin.RegisterService(parts_->admin_service.get());
  admin.SetMaxReceiveMessageSize(kAdminBytesMax);
  parts_->admin_server = admin.BuildAndStart();
  if (parts_->admin_server == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", parts_->folder,
                     "/admin.sock; is the path longer than 100 characters?"));
  }
  return ports;
}

std::shared_ptr<grpc::Channel> Node::AdminChannel() {
  if (parts_->admin_server == nullptr) {  // no socket: nobody else is served
    grpc::ServerBuilder builder;
    builder.RegisterService(parts_->admin_service.get());
    builder.SetMaxReceiveMessageSize(kAdminBytesMax);
    parts_->admin_server = builder.BuildAndStart();
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kAdminBytesMax);
  return parts_->admin_server->InProcessChannel(arguments);
}

bool NamesDatabase(absl::string_view store) { return NamesPostgres(store); }

std::shared_ptr<grpc::Channel> AdminSocketChannel(const std::string& folder) {
  if (access(absl::StrCat(folder, "/admin.sock").c_str(), F_OK) != 0) return nullptr;
  auto channel = grpc::CreateChannel(SocketOf(folder), grpc::InsecureChannelCredentials());
  const auto deadline = absl::ToChronoTime(absl::Now() + kSocketPatience);
  return channel->WaitForConnected(deadline) ? channel : nullptr;
}

}  // namespace zhibu::server
