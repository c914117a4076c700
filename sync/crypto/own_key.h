// A database's own key, which lies in it sealed with the operator's or the app's: so that that one
// can be changed without writing everything anew.
//
//   const OwnKey own(key, random_bytes);
//   Seal seal = own.Make(&sealed);                       // a new database: `sealed` is kept in it
//   ASSIGN_OR_RETURN(seal, own.Unlock(sealed, file));    // each time that it is opened
#ifndef ZHIBU_SYNC_CRYPTO_OWN_KEY_H_
#define ZHIBU_SYNC_CRYPTO_OWN_KEY_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sync/crypto/seal.h"

namespace zhibu {

class OwnKey {
 public:
  // `outer` is empty where there is no key, or has Seal::kKeySize bytes.
  OwnKey(const std::string& outer, std::function<std::string(size_t)> random_bytes);

  bool has_outer() const { return outer_.has_key(); }

  // With has_outer().
  Seal Make(std::string* sealed) const;
  // WRONG_KEY, of the database of this name: without the outer key, or with another.
  absl::StatusOr<Seal> Unlock(absl::string_view sealed, absl::string_view database) const;
  // The same key, sealed with another outer one. WRONG_KEY as above.
  absl::StatusOr<std::string> SealedFor(const OwnKey& other, absl::string_view sealed,
                                        absl::string_view database) const;

 private:
  absl::StatusOr<std::string> Open(absl::string_view sealed, absl::string_view database) const;

  const std::function<std::string(size_t)> random_bytes_;
  const Seal outer_;
};

}  // namespace zhibu

#endif  // ZHIBU_SYNC_CRYPTO_OWN_KEY_H_
