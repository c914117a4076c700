#include "sync/cli/key_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sync/base/environment.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/seal.h"

namespace zhibu {
namespace {

absl::Status Failed(absl::string_view what, const std::string& file) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, " the key file ", file, " (",
                                             std::strerror(errno), "); nothing was changed"));
}

bool Exists(const std::string& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored);
}

absl::StatusOr<std::string> Read(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Failed("read", file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const std::string hex(absl::StripAsciiWhitespace(text));
  const bool good =
      hex.size() == 2 * Seal::kKeySize &&
      std::all_of(hex.begin(), hex.end(), [](char c) { return absl::ascii_isxdigit(c); });
  if (!good) return Refuse(sync::v1::WRONG_KEY, file);
  return absl::HexStringToBytes(hex);
}

absl::Status WriteDurably(const std::string& file, absl::string_view text) {
  const int out = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) return Failed("make", file);
  const absl::Cleanup close_it = [out] { close(out); };
  if (write(out, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(out) != 0) {
    return Failed("write", file);
  }
  return absl::OkStatus();
}

// Under its name only once it is whole; another process may be first.
absl::Status Make(const std::string& file) {
  const std::string key = SystemEnvironment().random_bytes(Seal::kKeySize);
  const std::string partial = absl::StrCat(file, ".", getpid());
  const absl::Cleanup remove_it = [&] { unlink(partial.c_str()); };
  RETURN_IF_ERROR(WriteDurably(partial, absl::StrCat(Hex(key), "\n")));
  if (link(partial.c_str(), file.c_str()) != 0 && errno != EEXIST) return Failed("make", file);
  const std::string folder = std::filesystem::path(file).parent_path().string();
  const int directory = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (directory < 0) return Failed("make", file);
  const absl::Cleanup close_it = [directory] { close(directory); };
  return fsync(directory) == 0 ? absl::OkStatus() : Failed("make", file);
}

}  // namespace

absl::StatusOr<std::string> KeyFor(const std::string& key_file, const std::string& data,
                                   absl::FunctionRef<absl::Status()> open_plain) {
  if (!Exists(key_file)) {
    const absl::Status plain = Exists(data) ? open_plain() : absl::OkStatus();
    // Unless another process has made both meanwhile.
    if (!plain.ok() && !Exists(key_file)) return plain;
    RETURN_IF_ERROR(Make(key_file));
  }
  return Read(key_file);
}

}  // namespace zhibu
