// A device's pages on this machine, from the process that has its store open: for a laptop, and for
// tests. On a phone the same pages run in the app's own WebView over zhibu.h, and no port is open.
//
//   Screen screen(&store, Pages(), {.on_address = [](const std::string& address) { … }});
//   RETURN_IF_ERROR(screen.Run());   // until Stop; in step with the server all the while
//
//   GET  /…            the pages; nothing of the device is in them
//   POST /token        the token of the address, for a cookie (access.h)
//   POST /core/NAME    a function of the C interface (functions.h): bytes for bytes. 200, or
//                      another status and a zhibu.api.v1.Error
//   GET  /events       text/event-stream of zhibu.api.v1.Events in base64: ask again
//
// and of what the process does beside the store: host_hurry (an attempt to sync, now) and host_log
// (zhibu.api.v1.SyncLog).
//
// Threads: Run on one, Stop on any.
#ifndef ZHIBU_CLIENT_CORE_SCREEN_SCREEN_H_
#define ZHIBU_CLIENT_CORE_SCREEN_SCREEN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client-core/screen/pages.h"
#include "client-core/store/store.h"

namespace zhibu::client {

struct ScreenOptions {
  int port = 0;                               // 0: any that is free
  int64_t idle_ms = int64_t{10} * 60 * 1000;  // without anybody there it locks; 0: never
  bool syncs = true;                          // false: of a test without a server
  // Where to open it, once it is served and again whenever it has locked.
  std::function<void(const std::string& address)> on_address;
};

class Screen {
 public:
  // `store` outlives it, and is suspended once the screen is gone.
  Screen(Store* store, absl::Span<const Page> pages, ScreenOptions options);
  ~Screen();

  // UNAVAILABLE: the port is taken.
  absl::Status Run();
  void Stop();

 private:
  class Server;
  const std::unique_ptr<Server> server_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_SCREEN_SCREEN_H_
