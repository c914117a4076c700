#include "server/web/server.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/web/common.h"
#include "server/web/request.h"

namespace zhibu::server {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

// How long streams have to end by themselves when the server stops.
constexpr absl::Duration kGrace = absl::Milliseconds(200);
// Enrolments and deliveries at once: each waits for the writer.
constexpr size_t kCallsMax = 16;

size_t Processors() { return std::max(2u, std::thread::hardware_concurrency()); }

// Of an open socket.
tcp ProtocolOf(int socket) {
  int domain = AF_INET;
  socklen_t size = sizeof(domain);
  getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  return domain == AF_INET6 ? tcp::v6() : tcp::v4();
}

}  // namespace

WebCommon::WebCommon(Hub* the_hub, Calls* the_calls, Doors* the_doors, const Limits& the_limits,
                     std::set<std::string> the_origins)
    : hub(*the_hub),
      calls(*the_calls),
      doors(*the_doors),
      limits(the_limits),
      origins(std::move(the_origins)),
      budget(static_cast<size_t>(the_limits.network_bytes_max)),
      moving(Processors()),
      calling(kCallsMax) {}

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Make(Hub* hub, Calls* calls, Doors* doors,
                                                           const Limits& limits,
                                                           const WebOptions& options) {
  auto common = std::make_unique<WebCommon>(hub, calls, doors, limits, options.origins);
  boost::asio::ssl::context& tls = common->tls;
  error_code error;
  tls.use_certificate_chain(boost::asio::buffer(options.certificate), error);
  if (!error) {
    tls.use_private_key(boost::asio::buffer(options.private_key), boost::asio::ssl::context::pem,
                        error);
  }
  if (error) return absl::InternalError(absl::StrCat("certificate: ", error.message()));
  // Nothing is kept of a connection that has ended, and none begins its handshake anew.
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_num_tickets(tls.native_handle(), 0);
  SSL_CTX_set_session_cache_mode(tls.native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(tls.native_handle(),
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  return std::unique_ptr<WebServer>(new WebServer(std::move(common)));
}

WebServer::WebServer(std::unique_ptr<WebCommon> common) : common_(std::move(common)) {}

WebServer::~WebServer() {
  common_->visitors.EndAll(kGrace);
  common_->calling.join();
  common_->moving.join();
}

void WebServer::Take(int socket, const Peer& peer) {
  tcp::socket taken(boost::asio::make_strand(common_->moving.get_executor()));
  error_code error;
  taken.assign(ProtocolOf(socket), socket, error);
  if (error) return;
  const auto request = std::make_shared<Request>(common_.get(), std::move(taken), peer);
  common_->visitors.Enter(request);
  request->Start();
}

}  // namespace zhibu::server
