// A file that is whole, or not there under its name.
#ifndef ZHIBU_SERVER_STORE_PUBLISHED_H_
#define ZHIBU_SERVER_STORE_PUBLISHED_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace zhibu::server {

// `make` writes a backup under another name, and it is given `file` once it is on the disk.
// ALREADY_EXISTS: `file` is there, and is not touched. Of two at once for one name one must wait.
absl::Status Publish(const std::string& file,
                     absl::FunctionRef<absl::Status(const std::string& partial)> make);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_STORE_PUBLISHED_H_
