#include "client-core/screen/access.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace zhibu::client {
namespace {

constexpr size_t kSecretBytes = 32;

// Digests: how long it takes to compare them tells nothing of what was hoped for.
bool IsSecret(const std::string& secret, absl::string_view said) {
  return !secret.empty() && Digest(secret) == Digest(said);
}

}  // namespace

Access::Access(Environment environment, int port, int64_t idle_ms)
    : environment_(std::move(environment)),
      port_(port),
      idle_ms_(idle_ms),
      cookie_name_(absl::StrCat("zhibu-", port)),
      token_(NewSecret()) {}

std::string Access::NewSecret() const { return Hex(environment_.random_bytes(kSecretBytes)); }

std::string Access::Address() {
  absl::MutexLock lock(&mutex_);
  if (token_.empty()) token_ = NewSecret();
  return absl::StrCat("http://127.0.0.1:", port_, "/#", token_);
}

bool Access::ComesFromHere(absl::string_view host, absl::string_view origin, absl::string_view site,
                           bool changes) const {
  const auto is_here = [&](absl::string_view said, absl::string_view scheme) {
    return said == absl::StrCat(scheme, "127.0.0.1:", port_) ||
           said == absl::StrCat(scheme, "localhost:", port_);
  };
  if (!is_here(host, "")) return false;
  if (changes || !origin.empty()) {
    if (!is_here(origin, "http://") || origin != absl::StrCat("http://", host)) return false;
  }
  return site.empty() || site == "same-origin" || (site == "none" && !changes);
}

std::optional<std::string> Access::Exchange(absl::string_view token) {
  absl::MutexLock lock(&mutex_);
  if (!IsSecret(token_, token)) return std::nullopt;
  token_.clear();
  cookie_ = NewSecret();
  last_ms_ = environment_.SteadyMs();
  return cookie_;
}

bool Access::MayAsk(absl::string_view cookie, bool by_hand) {
  absl::MutexLock lock(&mutex_);
  LockIfIdle();
  if (!IsSecret(cookie_, cookie)) return false;
  if (by_hand) last_ms_ = environment_.SteadyMs();
  return true;
}

bool Access::TakeLocked() {
  absl::MutexLock lock(&mutex_);
  LockIfIdle();
  return std::exchange(locked_, false);
}

void Access::LockIfIdle() {
  if (cookie_.empty() || idle_ms_ == 0) return;
  if (environment_.SteadyMs() - last_ms_ < idle_ms_) return;
  cookie_.clear();
  locked_ = true;
}

}  // namespace zhibu::client
