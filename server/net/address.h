// HOST:PORT, as an operator says where to listen and as tickets tell it to devices.
#ifndef ZHIBU_SERVER_NET_ADDRESS_H_
#define ZHIBU_SERVER_NET_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zhibu::server {

struct Address {
  std::string host;  // IPv6 without its brackets; empty: any
  uint16_t port = 0;

  // A machine listens there on all that it has; no other finds it by that.
  bool IsAny() const;
};

// INVALID_ARGUMENT: not HOST:PORT, [IPV6]:PORT or :PORT, with a port up to 65535.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// INVALID_ARGUMENT: not where a device could reach a server.
absl::Status CheckReachable(absl::string_view text);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_NET_ADDRESS_H_
