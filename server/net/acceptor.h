// Takes in connections, by whichever way they come, and hands them on. gRPC's own listener, in
// the version we build with, never accepts again once the process has run out of files; and it
// takes as many connections as are made, from whom it may be (server/net/doors.h).
//
//   Acceptor acceptor(&doors);
//   ASSIGN_OR_RETURN(const int port, acceptor.Listen("0.0.0.0:7443", take));
//   acceptor.Start(limits.connections_max);
//
// One thread accepts for all ways: what has been looked at of a socket's number holds until
// the next is opened.
#ifndef ZHIBU_SERVER_NET_ACCEPTOR_H_
#define ZHIBU_SERVER_NET_ACCEPTOR_H_

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "server/net/doors.h"

namespace zhibu::server {

class Acceptor {
 public:
  // Owns the socket from then on, and returns at once.
  using OnConnection = std::function<void(int socket, const Peer& peer)>;

  explicit Acceptor(Doors* doors) : doors_(*doors) {}
  ~Acceptor();

  // Gives the port. UNAVAILABLE: `listen` (HOST:PORT; port 0: any) is taken or is none of this
  // machine. Before Start.
  absl::StatusOr<int> Listen(const std::string& listen, OnConnection take);
  void Start(int connections_max);

 private:
  struct Listener {
    explicit Listener(asio::io_context& context) : acceptor(context), pause(context) {}

    asio::ip::tcp::acceptor acceptor;
    asio::steady_timer pause;
    OnConnection take;
  };

  void Accept(Listener* listener);
  void Take(const Listener& listener, asio::ip::tcp::socket socket);

  Doors& doors_;
  asio::io_context context_;
  std::list<Listener> listeners_;
  int file_max_ = 0;
  std::thread thread_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_NET_ACCEPTOR_H_
