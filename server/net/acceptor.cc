#include "server/net/acceptor.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/net/address.h"
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

Acceptor::~Acceptor() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

absl::StatusOr<int> Acceptor::Listen(const std::string& listen, OnConnection take) {
  ASSIGN_OR_RETURN(const Address address, ParseAddress(listen));
  std::error_code error;
  tcp::resolver resolver(context_);
  const auto found =
      resolver.resolve(address.host, absl::StrCat(address.port), tcp::resolver::passive, error);
  const auto failed = [&] {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", listen, ": ", error.message()));
  };
  if (error) return failed();
  const tcp::endpoint endpoint = found.begin()->endpoint();
  Listener& listener = listeners_.emplace_back(context_);
  listener.take = std::move(take);
  tcp::acceptor& acceptor = listener.acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return failed();
  return acceptor.local_endpoint().port();
}

void Acceptor::Start(int connections_max) {
  const int files = RaiseFileLimit(connections_max + kOwnFiles);
  doors_.Open(files - kOwnFiles);
  file_max_ = files - kOwnFiles / 2;
  for (Listener& listener : listeners_) Accept(&listener);
  thread_ = std::thread([this] { context_.run(); });
}

void Acceptor::Accept(Listener* listener) {
  listener->acceptor.async_accept(
      [this, listener](const std::error_code& error, tcp::socket socket) {
        if (!error) {
          Take(*listener, std::move(socket));
          return Accept(listener);
        }
        listener->pause.expires_after(kPause);
        listener->pause.async_wait([this, listener](const std::error_code&) { Accept(listener); });
      });
}

void Acceptor::Take(const Listener& listener, tcp::socket socket) {
  // A file gets the lowest number that is free, so the number says how many are open:
  // those that have just been ended, too.
  if (socket.native_handle() >= file_max_) return;
  std::error_code error;
  const tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (error) return;
  const Peer peer = PeerOf(endpoint);
  if (!doors_.Arrive(peer, socket.native_handle())) return;
  socket.native_non_blocking(true, error);
  if (!error) socket.set_option(tcp::no_delay(true), error);
  const int released = error ? -1 : socket.release(error);
  if (!error) listener.take(released, peer);
}

}  // namespace zhibu::server
