// People who are not there, on a server that is: branches, their members with an office each, and
// a device for each of them, enrolled with a code as any other. What is made so stays.
#ifndef ZHIBU_TESTS_LOAD_SITE_H_
#define ZHIBU_TESTS_LOAD_SITE_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sync/base/types.h"
#include "sync/crypto/handshake.h"
#include "tests/load/call.h"
#include "tests/load/plan.h"

namespace zhibu::load {

struct Enrolled {
  DeviceNumber number;
  Id person;
  Id branch;
  size_t shows = 0;  // index of the device that shows its branch's codes for check-ins
  KeyPair keys;
  // How far its edits go, from one crowd to the next.
  uint64_t last_number = 0;
  uint64_t last_link = 0;
};

struct Site {
  ServerPlace server;
  std::string server_id;
  std::string incarnation;
  std::vector<Enrolled> devices;
};

// Where `address` (host:port) is; FAILED_PRECONDITION where there is nothing by that name.
absl::StatusOr<asio::ip::tcp::endpoint> Find(const std::string& address);

// Where devices are told that the server is, by the server's process.
absl::StatusOr<std::string> AddressOf(const std::shared_ptr<grpc::Channel>& admin);

// `admin` is to the server's process; `address`: where devices reach it.
absl::StatusOr<Site> Settle(const std::shared_ptr<grpc::Channel>& admin, const std::string& address,
                            const Plan& plan, const std::string& operator_name);

}  // namespace zhibu::load

#endif  // ZHIBU_TESTS_LOAD_SITE_H_
