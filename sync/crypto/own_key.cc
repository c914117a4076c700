#include "sync/crypto/own_key.h"

#include <optional>
#include <utility>

#include "sync/base/reason.h"
#include "sync/base/require.h"
#include "sync/base/status.h"

namespace zhibu {
namespace {

// What names the place of the database's own key: see sync/crypto/seal.h.
constexpr char kKeyPlace[] = "seal.key";

}  // namespace

OwnKey::OwnKey(const std::string& outer, std::function<std::string(size_t)> random_bytes)
    : random_bytes_(std::move(random_bytes)),
      outer_(outer.empty() ? Seal() : Seal(outer, random_bytes_)) {}

Seal OwnKey::Make(std::string* sealed) const {
  REQUIRE(has_outer());
  const std::string key = random_bytes_(Seal::kKeySize);
  *sealed = outer_.Close(kKeyPlace, key);
  return Seal(key, random_bytes_);
}

absl::StatusOr<Seal> OwnKey::Unlock(absl::string_view sealed, absl::string_view database) const {
  ASSIGN_OR_RETURN(const std::string key, Open(sealed, database));
  return Seal(key, random_bytes_);
}

absl::StatusOr<std::string> OwnKey::SealedFor(const OwnKey& other, absl::string_view sealed,
                                              absl::string_view database) const {
  ASSIGN_OR_RETURN(const std::string key, Open(sealed, database));
  return other.outer_.Close(kKeyPlace, key);
}

absl::StatusOr<std::string> OwnKey::Open(absl::string_view sealed,
                                         absl::string_view database) const {
  std::optional<std::string> key = outer_.Open(kKeyPlace, sealed);
  if (!has_outer() || !key) return Refuse(sync::v1::WRONG_KEY, std::string(database));
  return *std::move(key);
}

}  // namespace zhibu
