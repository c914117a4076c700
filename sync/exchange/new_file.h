// A file that is written whole or not at all, and never over another.
//
//   ASSIGN_OR_RETURN(NewFile file, NewFile::Begin("名册.xlsx"));
//   … write to file.path(), which only its owner reads …
//   RETURN_IF_ERROR(file.Finish());      // on the disk, under a name of its own: Digest() is final
//   RETURN_IF_ERROR(file.Keep());        // there it is
//
// What is not kept is gone with the object. Between Finish and Keep stands whatever must have
// happened before anybody has the file.
#ifndef ZHIBU_SYNC_EXCHANGE_NEW_FILE_H_
#define ZHIBU_SYNC_EXCHANGE_NEW_FILE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zhibu {

class NewFile {
 public:
  // INVALID_ARGUMENT, in words (WordsOf in sheet.h): there is one already, or none can be made.
  static absl::StatusOr<NewFile> Begin(const std::string& path);
  ~NewFile();
  NewFile(NewFile&& other) noexcept
      : path_(std::move(other.path_)), part_(std::exchange(other.part_, "")) {}
  NewFile& operator=(NewFile&&) = delete;

  // Where to write meanwhile.
  const std::string& path() const { return part_; }
  // The folder of both.
  std::string folder() const;
  absl::Status Write(absl::string_view bytes) const;
  // INVALID_ARGUMENT, in words: it cannot be read again or brought to the disk.
  absl::Status Finish();
  // BLAKE2b of what was written, in hex. After Finish.
  const std::string& digest() const { return digest_; }
  absl::Status Keep();

 private:
  NewFile(std::string path, std::string part) : path_(std::move(path)), part_(std::move(part)) {}
  absl::Status CannotWrite() const;

  std::string path_;
  std::string part_;  // empty: kept, or moved from
  std::string digest_;
};

}  // namespace zhibu

#endif  // ZHIBU_SYNC_EXCHANGE_NEW_FILE_H_
