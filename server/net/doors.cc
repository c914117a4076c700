#include "server/net/doors.h"

#include <sys/socket.h>

#include <algorithm>
#include <asio/ip/address.hpp>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace zhibu::server {
namespace {

using asio::ip::address_v6;
using asio::ip::tcp;

// 0: it is no socket any more.
uint64_t CookieOf(int socket) {
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

}  // namespace

Peer PeerOf(const tcp::endpoint& endpoint) {
  const asio::ip::address address = endpoint.address();
  if (address.is_v4()) {
    const std::string text = address.to_string();
    return {text, absl::StrCat(text, ":", endpoint.port())};
  }
  address_v6::bytes_type bytes = address.to_v6().to_bytes();
  if (address.to_v6().is_v4_mapped()) {
    const auto v4 = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return PeerOf(tcp::endpoint(v4, endpoint.port()));
  }
  Peer peer;
  // Without the scope, which each spells in its own way.
  peer.endpoint = absl::StrCat("[", address_v6(bytes).to_string(), "]:", endpoint.port());
  std::fill(bytes.begin() + bytes.size() / 2, bytes.end(), 0);
  peer.address = address_v6(bytes).to_string();
  return peer;
}

Peer PeerOf(absl::string_view peer) {
  const std::string plain = absl::StrReplaceAll(peer, {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}});
  absl::string_view rest = plain;
  if (!absl::ConsumePrefix(&rest, "ipv4:") && !absl::ConsumePrefix(&rest, "ipv6:")) return {};
  const size_t colon = rest.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(rest.substr(colon + 1), &port))
    return {};
  absl::string_view host = rest.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  std::error_code error;
  const auto address = asio::ip::make_address(std::string(host.substr(0, host.find('%'))), error);
  if (error) return {};
  return PeerOf(tcp::endpoint(address, static_cast<uint16_t>(port)));
}

void Doors::Open(int connections_max) {
  absl::MutexLock lock(&mutex_);
  connections_max_ = connections_max;
}

bool Doors::Arrive(const Peer& peer, int socket) {
  absl::MutexLock lock(&mutex_);
  // The same port again: the earlier one has ended.
  if (const auto known = by_endpoint_.find(peer.endpoint); known != by_endpoint_.end()) {
    Forget(known->second);
  }
  const Place arrived = unproven_.insert(unproven_.end(), {peer, socket, CookieOf(socket)});
  by_endpoint_[peer.endpoint] = arrived;
  ++unproven_of_[peer.address];
  const Place ends = TooMuch(peer.address);
  if (ends == unproven_.end()) return true;
  const bool itself = ends == arrived;
  // Only whoever calls this opens sockets for strangers, so none has taken the number since.
  if (!itself && CookieOf(ends->socket) == ends->cookie) shutdown(ends->socket, SHUT_RDWR);
  Forget(ends);
  return !itself;
}

Doors::Place Doors::TooMuch(const std::string& address) {
  if (unproven_of_[address] > std::max(1, connections_max_ / 2)) {
    return std::find_if(unproven_.begin(), unproven_.end(),
                        [&](const Connection& one) { return one.peer.address == address; });
  }
  const size_t all = unproven_.size() + proven_.size();
  return all > static_cast<size_t>(connections_max_) ? unproven_.begin() : unproven_.end();
}

void Doors::Prove(const Peer& peer) {
  absl::MutexLock lock(&mutex_);
  const auto it = by_endpoint_.find(peer.endpoint);
  if (it == by_endpoint_.end()) return;
  if (it->second->streams++ > 0) return;
  if (--unproven_of_[peer.address] == 0) unproven_of_.erase(peer.address);
  proven_.splice(proven_.end(), unproven_, it->second);
}

void Doors::Leave(const Peer& peer) {
  absl::MutexLock lock(&mutex_);
  const auto it = by_endpoint_.find(peer.endpoint);
  if (it == by_endpoint_.end() || it->second->streams == 0) return;
  if (--it->second->streams > 0) return;
  ++unproven_of_[peer.address];
  unproven_.splice(unproven_.end(), proven_, it->second);
}

void Doors::Forget(Place connection) {
  by_endpoint_.erase(connection->peer.endpoint);
  if (connection->streams > 0) {
    proven_.erase(connection);
    return;
  }
  if (--unproven_of_[connection->peer.address] == 0) unproven_of_.erase(connection->peer.address);
  unproven_.erase(connection);
}

}  // namespace zhibu::server
