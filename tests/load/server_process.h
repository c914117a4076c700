// The server that is loaded, as a process: one of our own in a folder that goes with it, and what
// any of them on this machine takes.
#ifndef ZHIBU_TESTS_LOAD_SERVER_PROCESS_H_
#define ZHIBU_TESTS_LOAD_SERVER_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace zhibu::load {

// `zhibu serve` of this very program on a free port of this machine. Ends with it.
class OwnServer {
 public:
  // `where`: the folder in which that of its own is made; on the disk that is to be measured.
  static absl::StatusOr<std::unique_ptr<OwnServer>> Start(const std::string& where,
                                                          const std::vector<std::string>& options);
  OwnServer(const OwnServer&) = delete;  // it owns a process
  OwnServer& operator=(const OwnServer&) = delete;
  ~OwnServer();

  const std::string& folder() const { return folder_; }

 private:
  explicit OwnServer(std::string folder) : folder_(std::move(folder)) {}

  const std::string folder_;
  pid_t pid_ = -1;
};

// Who serves from the data folder. UNAVAILABLE: nobody does.
absl::StatusOr<pid_t> ServerOf(const std::string& folder);

struct Use {
  double cpu_seconds = 0;
  int64_t memory_bytes = 0;
  int64_t memory_bytes_max = 0;
};
// Nothing of a process that is no more. `self`: 0.
Use UseOf(pid_t pid);

}  // namespace zhibu::load

#endif  // ZHIBU_TESTS_LOAD_SERVER_PROCESS_H_
