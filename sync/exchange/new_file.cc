#include "sync/exchange/new_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "sync/base/environment.h"
#include "sync/base/status.h"
#include "sync/exchange/sheet.h"

namespace zhibu {
namespace {

namespace fs = std::filesystem;

absl::Status IsThere(const std::string& path) {
  return Unusable(absl::StrCat(path, " 已经存在，没有改动。请换一个文件名"),
                  absl::StrCat(path, " is there already and was not touched; name another"));
}

bool Sync(const std::string& path, int flags) {
  const int file = open(path.c_str(), flags | O_CLOEXEC);
  const bool synced = file >= 0 && fsync(file) == 0;
  if (file >= 0) close(file);
  return synced;
}

}  // namespace

absl::StatusOr<NewFile> NewFile::Begin(const std::string& path) {
  std::error_code error;
  if (fs::symlink_status(path, error).type() != fs::file_type::not_found) return IsThere(path);
  NewFile file(path, absl::StrCat(path, ".", Hex(SystemEnvironment().random_bytes(4)), ".part"));
  const int made = open(file.part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0) {
    absl::Status status = file.CannotWrite();
    file.part_.clear();
    return status;
  }
  close(made);
  return file;
}

NewFile::~NewFile() {
  if (!part_.empty()) unlink(part_.c_str());
}

std::string NewFile::folder() const {
  const std::string folder = fs::path(path_).parent_path().string();
  return folder.empty() ? "." : folder;
}

absl::Status NewFile::CannotWrite() const {
  const char* why = std::strerror(errno);
  return Unusable(absl::StrCat("无法写入 ", path_, "（", why, "），没有写出任何内容"),
                  absl::StrCat("cannot write ", path_, " (", why, "); nothing was written"));
}

absl::Status NewFile::Write(absl::string_view bytes) const {
  const int file = open(part_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  bool written = file >= 0;
  while (written && !bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    written = count > 0;
    if (written) bytes.remove_prefix(static_cast<size_t>(count));
  }
  absl::Status status = written ? absl::OkStatus() : CannotWrite();
  if (file >= 0) close(file);
  return status;
}

absl::Status NewFile::Finish() {
  if (!Sync(part_, O_RDONLY)) return CannotWrite();
  std::ifstream file(part_, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  if (!file) return CannotWrite();
  digest_ = Hex(Digest(bytes));
  return absl::OkStatus();
}

absl::Status NewFile::Keep() {
  int failed = renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
  // Some file systems of sticks cannot promise it.
  if (failed != 0 && (errno == EINVAL || errno == ENOSYS) && access(path_.c_str(), F_OK) != 0) {
    failed = rename(part_.c_str(), path_.c_str());
  } else if (failed != 0 && errno == EEXIST) {
    return IsThere(path_);
  }
  if (failed != 0) return CannotWrite();
  part_.clear();
  Sync(folder(), O_RDONLY | O_DIRECTORY);
  return absl::OkStatus();
}

}  // namespace zhibu
