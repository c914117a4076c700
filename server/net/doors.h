// Which connections there are, and which of them may stay.
//
//   proven             = a device has proved that a stream on it is its own
//   unproven(address)  ≤ half of connections_max; one more ends the oldest of the address
//   all                ≤ connections_max; one more ends the oldest that is unproven,
//                        and is closed itself where all others are proven
//
// So strangers push out strangers, and never a device. An address is a share and no wall:
// behind one there may be hundreds of phones.
//
// A connection is gRPC's once it is here. It is known by its socket's number and by the cookie
// that the kernel gives to no other; one that has ended meanwhile is found out by that.
#ifndef ZHIBU_SERVER_NET_DOORS_H_
#define ZHIBU_SERVER_NET_DOORS_H_

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <list>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace zhibu::server {

struct Peer {
  std::string address;  // whose share it has: an IPv4 address, or 64 bits of an IPv6 one
  std::string endpoint;
};

Peer PeerOf(const asio::ip::tcp::endpoint& endpoint);
// As gRPC spells it: "ipv4:10.0.0.7:40000", "ipv6:%5B2001:db8::7%5D:40000"; empty where
// it is something else.
Peer PeerOf(absl::string_view peer);

// Any thread may call.
class Doors {
 public:
  void Open(int connections_max);

  // False where there is no room for it. Ends another where that makes room.
  bool Arrive(const Peer& peer, int socket);
  // A stream of a device is on the connection; and is no more.
  void Prove(const Peer& peer);
  void Leave(const Peer& peer);

 private:
  struct Connection {
    Peer peer;
    int socket = -1;
    uint64_t cookie = 0;
    int streams = 0;  // proven ones
  };
  using Connections = std::list<Connection>;  // oldest first
  using Place = Connections::iterator;

  // The oldest that must end for the others to stay; end() where none must.
  Place TooMuch(const std::string& address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(Place connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  int connections_max_ ABSL_GUARDED_BY(mutex_) = 0;
  Connections unproven_ ABSL_GUARDED_BY(mutex_);
  Connections proven_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Place> by_endpoint_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, int> unproven_of_ ABSL_GUARDED_BY(mutex_);  // by address
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_NET_DOORS_H_
