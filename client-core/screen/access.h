// Who may ask a screen that is served on loopback. Any program of this machine, and any page that
// a browser has open, can send to a port there; only whoever was handed the address may.
//
//   Access access(environment, port, idle_ms);
//   access.Address()                        http://127.0.0.1:34567/#3f9c…   for one browser, once
//   access.Exchange(token)                  a cookie, and the token is spent
//   access.MayAsk(cookie, /*by_hand=*/true) until nobody has done anything for `idle_ms`
//
// What is asked about each request, whatever it wants:
//
//   Host     127.0.0.1:port or localhost:port: another name that leads here is somebody's trick
//   Origin   where it is said, the same; what changes anything must say it
//
// Once it is locked the cookie is worth nothing, and there is another address. The token stands in
// the address's fragment, which no browser sends and no log has.
//
// Threads: any.
#ifndef ZHIBU_CLIENT_CORE_SCREEN_ACCESS_H_
#define ZHIBU_CLIENT_CORE_SCREEN_ACCESS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "sync/base/environment.h"

namespace zhibu::client {

class Access {
 public:
  // `idle_ms`: 0 for never.
  Access(Environment environment, int port, int64_t idle_ms);

  // Where the pages are, with a token that has not been spent.
  std::string Address();

  // Whether a request may be looked at, by its headers; empty ones were not sent.
  bool ComesFromHere(absl::string_view host, absl::string_view origin, absl::string_view site,
                     bool changes) const;

  // A cookie's value for the token of the address. Nothing: it is another, or spent.
  std::optional<std::string> Exchange(absl::string_view token);
  // `by_hand`: somebody is there; else a page asks by itself.
  bool MayAsk(absl::string_view cookie, bool by_hand);
  // Whether it was locked since it was asked last: there is another address.
  bool TakeLocked();

  // Of its own for each port: browsers do not tell ports apart.
  const std::string& cookie_name() const { return cookie_name_; }

 private:
  std::string NewSecret() const;
  void LockIfIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Environment environment_;
  const int port_;
  const int64_t idle_ms_;
  const std::string cookie_name_;
  absl::Mutex mutex_;
  std::string token_ ABSL_GUARDED_BY(mutex_);   // empty: spent
  std::string cookie_ ABSL_GUARDED_BY(mutex_);  // empty: nobody may ask
  int64_t last_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  bool locked_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_SCREEN_ACCESS_H_
