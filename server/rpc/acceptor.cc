#include "server/rpc/acceptor.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc/address.h"
#include "sync/base/status.h"

namespace zhibu::server {
namespace {

using asio::ip::tcp;

// The store, the admin socket, pipes: files that the process needs besides.
constexpr int kOwnFiles = 128;
// Until some connections may have ended.
constexpr std::chrono::milliseconds kPause{100};

// As many files as the process may have at most.
int RaiseFileLimit(int wanted) {
  rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < static_cast<rlim_t>(wanted)) {
    files.rlim_cur = std::min(files.rlim_max, static_cast<rlim_t>(wanted));
    setrlimit(RLIMIT_NOFILE, &files);
  }
  return static_cast<int>(std::min(files.rlim_cur, static_cast<rlim_t>(wanted)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(const std::string& listen) {
  std::unique_ptr<Acceptor> made(new Acceptor());
  ASSIGN_OR_RETURN(const Address address, ParseAddress(listen));
  std::error_code error;
  tcp::resolver resolver(made->context_);
  const auto found =
      resolver.resolve(address.host, absl::StrCat(address.port), tcp::resolver::passive, error);
  const auto failed = [&] {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", listen, ": ", error.message()));
  };
  if (error) return failed();
  const tcp::endpoint endpoint = found.begin()->endpoint();
  tcp::acceptor& acceptor = made->acceptor_;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return failed();
  return made;
}

Acceptor::~Acceptor() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

int Acceptor::port() const { return acceptor_.local_endpoint().port(); }

void Acceptor::Start(std::unique_ptr<Connections> connections, int connections_max, Doors* doors) {
  connections_ = std::move(connections);
  doors_ = doors;
  const int files = RaiseFileLimit(connections_max + kOwnFiles);
  doors_->Open(files - kOwnFiles);
  file_max_ = files - kOwnFiles / 2;
  Accept();
  thread_ = std::thread([this] { context_.run(); });
}

void Acceptor::Accept() {
  acceptor_.async_accept([this](const std::error_code& error, tcp::socket socket) {
    if (!error) {
      Take(std::move(socket));
      return Accept();
    }
    pause_.expires_after(kPause);
    pause_.async_wait([this](const std::error_code&) { Accept(); });
  });
}

void Acceptor::Take(tcp::socket socket) {
  // A file gets the lowest number that is free, so the number says how many are open:
  // those that have just been ended, too.
  if (socket.native_handle() >= file_max_) return;
  std::error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error || !doors_->Arrive(PeerOf(peer), socket.native_handle())) return;
  socket.native_non_blocking(true, error);
  if (!error) socket.set_option(tcp::no_delay(true), error);
  Connections::NewConnectionParameters parameters;
  parameters.listener_fd = acceptor_.native_handle();
  if (!error) parameters.fd = socket.release(error);
  if (!error) connections_->HandleNewConnection(&parameters);
}

}  // namespace zhibu::server
