#include "server/store/published.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "sync/base/status.h"

namespace zhibu::server {
namespace {

absl::Status SyncToDisk(const std::string& path, int flags) {
  int fd = ::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    int failed = ::fsync(fd);
    int error = errno;
    ::close(fd);
    errno = error;
    if (failed == 0) return absl::OkStatus();
  }
  return absl::UnavailableError(
      absl::StrCat("The disk reported an error. The store is safe; the "
                   "backup is not complete. Try again (",
                   path, ": ", std::strerror(errno), ")"));
}

// A journal that outlived its copy would be played into the next one.
void RemovePartial(const std::string& partial) {
  std::error_code ignored;
  std::filesystem::remove(partial, ignored);
  std::filesystem::remove(absl::StrCat(partial, "-journal"), ignored);
}

// Half a backup never bears the name.
absl::Status GiveName(const std::string& partial, const std::string& file) {
  RETURN_IF_ERROR(SyncToDisk(partial, 0));
  std::error_code error;
  std::filesystem::rename(partial, file, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("The backup could not be given its name. The store "
                     "is safe. Try again (",
                     file, ": ", error.message(), ")"));
  }
  std::string directory = std::filesystem::path(file).parent_path().string();
  return SyncToDisk(directory.empty() ? "." : directory, O_DIRECTORY);
}

}  // namespace

absl::Status Publish(const std::string& file,
                     absl::FunctionRef<absl::Status(const std::string& partial)> make) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    return absl::AlreadyExistsError(
        absl::StrCat(file, " is there already and has not been touched. Give another name"));
  }
  const std::string partial = absl::StrCat(file, ".partial");
  RemovePartial(partial);
  absl::Status status = make(partial);
  if (status.ok()) status = GiveName(partial, file);
  if (!status.ok()) RemovePartial(partial);
  return status;
}

}  // namespace zhibu::server
