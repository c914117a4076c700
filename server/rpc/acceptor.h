// Takes in connections and hands them to gRPC. Its own listener, in the version we
// build with, never accepts again once the process has run out of files; and it
// takes as many connections as are made, from whom it may be (server/rpc/doors.h).
#ifndef ZHIBU_SERVER_RPC_ACCEPTOR_H_
#define ZHIBU_SERVER_RPC_ACCEPTOR_H_

#include <grpcpp/server_builder.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "server/rpc/doors.h"

namespace zhibu::server {

class Acceptor {
 public:
  using Connections = grpc::experimental::ExternalConnectionAcceptor;

  // UNAVAILABLE: `listen` (HOST:PORT; port 0: any) is taken or is none of this machine.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Listen(const std::string& listen);
  ~Acceptor();

  int port() const;
  // Once the server that `connections` belongs to has started.
  void Start(std::unique_ptr<Connections> connections, int connections_max, Doors* doors);

 private:
  Acceptor() : acceptor_(context_), pause_(context_) {}
  void Accept();
  void Take(asio::ip::tcp::socket socket);

  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::unique_ptr<Connections> connections_;
  Doors* doors_ = nullptr;
  int file_max_ = 0;
  std::thread thread_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_RPC_ACCEPTOR_H_
