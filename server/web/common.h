// What all connections of a web server have in common. This header has Boost in it, and is for
// the files of this folder.
#ifndef ZHIBU_SERVER_WEB_COMMON_H_
#define ZHIBU_SERVER_WEB_COMMON_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <set>
#include <string>

#include "server/net/calls.h"
#include "server/net/doors.h"
#include "server/sessions/hub.h"
#include "server/sessions/limits.h"
#include "server/web/budget.h"
#include "server/web/visitors.h"
#include "server/web/worth.h"

namespace zhibu::server {

// Each works on a strand of its own.
using TcpStream =
    boost::beast::basic_stream<boost::asio::ip::tcp, boost::asio::any_io_executor, Worth>;
using TlsStream = boost::beast::ssl_stream<TcpStream>;

// Of anything that stands on such a connection.
template <typename Stream>
Worth& WorthOf(Stream& stream) {
  return boost::beast::get_lowest_layer(stream).rate_policy();
}

// Taken of the network at once.
inline constexpr size_t kPieceBytes = 64 << 10;

struct WebCommon {
  WebCommon(Hub* the_hub, Calls* the_calls, Doors* the_doors, const Limits& the_limits,
            std::set<std::string> the_origins);

  Hub& hub;
  Calls& calls;
  Doors& doors;
  const Limits limits;
  const std::set<std::string> origins;  // of the pages that may come
  Budget budget;
  Visitors visitors;
  boost::asio::ssl::context tls{boost::asio::ssl::context::tls_server};
  boost::asio::thread_pool moving;   // bytes
  boost::asio::thread_pool calling;  // what blocks until the writer is done
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_WEB_COMMON_H_
