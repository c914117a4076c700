// The key of sealed data, in a file of its own: for programs that have no key store
// of a platform. The one thing in sync/ that touches a disk; a target by itself, so
// that what is pure cannot link it.
//
//   ASSIGN_OR_RETURN(key, KeyFor(home + "/device.key", home + "/device.db", [&] {
//     return Store::Open({.file = home + "/device.db"}).status();
//   }));
#ifndef ZHIBU_SYNC_CLI_KEY_FILE_H_
#define ZHIBU_SYNC_CLI_KEY_FILE_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace zhibu {

// What `key_file` holds: the bytes of a key in hexadecimal, on one line. Where there
// is no such file one is made, readable by its owner only and on the disk before
// this returns; but not where `data` is there and cannot be opened without a key, as
// `open_plain` says: then its status is returned. Processes may call at once and get
// the same key. WRONG_KEY: what is in the file is no key.
absl::StatusOr<std::string> KeyFor(const std::string& key_file, const std::string& data,
                                   absl::FunctionRef<absl::Status()> open_plain);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_CLI_KEY_FILE_H_
