// The web's way in, beside gRPC's: frames over a WebSocket and single calls by POST, over TLS
// under the same certificate. docs/wire.md says how ("Over the web").
//
//   Doors, Hub and Calls are those that gRPC has: what a stranger, an address or a device may
//   take is counted once, whichever way it comes.
//
//   connection ─TLS→ Request ─POST→ Calls
//                      └─upgrade→ WebStream ─frames→ Connection (server/sessions/hub.h)
#ifndef ZHIBU_SERVER_WEB_SERVER_H_
#define ZHIBU_SERVER_WEB_SERVER_H_

#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "server/net/calls.h"
#include "server/net/doors.h"
#include "server/sessions/hub.h"
#include "server/sessions/limits.h"

namespace zhibu::server {

struct WebOptions {
  std::string certificate;  // PEM
  std::string private_key;
  // "https://app.example": pages from there may come. Who names no origin is no page.
  std::set<std::string> origins;
};

struct WebCommon;

class WebServer {
 public:
  static absl::StatusOr<std::unique_ptr<WebServer>> Make(Hub* hub, Calls* calls, Doors* doors,
                                                         const Limits& limits,
                                                         const WebOptions& options);
  // Ends every stream, and waits for the calls that are being answered. Nothing is taken any more.
  ~WebServer();

  // Owns the socket. Any thread may call.
  void Take(int socket, const Peer& peer);

 private:
  explicit WebServer(std::unique_ptr<WebCommon> common);

  const std::unique_ptr<WebCommon> common_;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_WEB_SERVER_H_
