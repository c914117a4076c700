// Parcels as files: where people put them, and where a device keeps those that it
// carries for others until it meets the server.
//
//   HOME/courier/NAME.bundles    to be delivered
//   HOME/courier/NAME.receipts   what came back, for the author
#ifndef ZHIBU_CLIENT_CORE_CLI_SATCHEL_H_
#define ZHIBU_CLIENT_CORE_CLI_SATCHEL_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zhibu::client {

// NOT_FOUND; TOO_LARGE: it is larger than any parcel.
absl::StatusOr<std::string> ReadParcel(const std::string& path);
// Whole or not at all, in place of what is there.
absl::Status WriteParcel(const std::string& path, absl::string_view bytes);

class Satchel {
 public:
  explicit Satchel(const std::string& home);

  // The same parcel twice is one. Gives where its receipts will be.
  absl::StatusOr<std::string> Put(absl::string_view bundles);
  // Paths of the parcels that are to be delivered.
  std::vector<std::string> Carried() const;
  // It has been delivered. Gives where its receipts are.
  static absl::StatusOr<std::string> Delivered(const std::string& bundles,
                                               absl::string_view receipts);

 private:
  const std::string folder_;
};

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_CLI_SATCHEL_H_
