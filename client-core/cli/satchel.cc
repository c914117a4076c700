#include "client-core/cli/satchel.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sync/base/environment.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/courier.h"

namespace zhibu::client {
namespace {

namespace fs = std::filesystem;

constexpr char kBundles[] = ".bundles";
constexpr char kReceipts[] = ".receipts";

std::string ReceiptsOf(absl::string_view bundles) {
  return absl::StrCat(absl::StripSuffix(bundles, kBundles), kReceipts);
}

}  // namespace

absl::StatusOr<std::string> ReadParcel(const std::string& path) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file)
    return Refuse(sync::v1::NOT_HERE, InBoth(absl::StrCat("能读取的文件 ", path),
                                             absl::StrCat("file to be read as ", path)));
  if (size > kParcelBytesMax) return TooLarge("parcel", size, kParcelBytesMax);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// On the disk when it returns: people pull sticks out.
absl::Status WriteParcel(const std::string& path, absl::string_view bytes) {
  const std::string part = absl::StrCat(path, ".part");
  const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool written = file >= 0;
  while (written && !bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    written = count > 0;
    if (written) bytes.remove_prefix(static_cast<size_t>(count));
  }
  written = written && fsync(file) == 0;
  if (file >= 0) close(file);
  if (written && rename(part.c_str(), path.c_str()) == 0) return absl::OkStatus();
  unlink(part.c_str());
  return absl::UnavailableError(absl::StrCat("cannot write ", path));
}

Satchel::Satchel(const std::string& home) : folder_(home + "/courier") {}

absl::StatusOr<std::string> Satchel::Put(absl::string_view bundles) {
  RETURN_IF_ERROR(FromFile(Cargo::kBundle, bundles).status());
  std::error_code error;
  fs::create_directories(folder_, error);
  const std::string name = Hex(Digest(bundles)).substr(0, 16);
  const std::string path = absl::StrCat(folder_, "/", name, kBundles);
  RETURN_IF_ERROR(WriteParcel(path, bundles));
  return ReceiptsOf(path);
}

std::vector<std::string> Satchel::Carried() const {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (entry.path().extension() == kBundles) found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

absl::StatusOr<std::string> Satchel::Delivered(const std::string& bundles,
                                               absl::string_view receipts) {
  const std::string path = ReceiptsOf(bundles);
  RETURN_IF_ERROR(WriteParcel(path, receipts));
  std::error_code error;
  fs::remove(bundles, error);
  return path;
}

}  // namespace zhibu::client
