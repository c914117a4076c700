// A bit flips on the server's disk, and is put back.
//
//   const Damaged damaged = FlipBit(world.server_file(), "", "record", "body", "type =
//   31").value(); … PutBack(world.server_file(), "", damaged);
//
// The store may be open meanwhile. What has been written anew since is left as it is.
#ifndef ZHIBU_TESTS_SUPPORT_DAMAGE_H_
#define ZHIBU_TESTS_SUPPORT_DAMAGE_H_

#include <cstdint>
#include <optional>
#include <string>

namespace zhibu::test {

struct Damaged {
  std::string table;
  std::string column;
  int64_t row = 0;
  std::string was;
  std::string is;
};

// In the first row for which `where` holds and the value is not empty; nothing where there is
// none.
std::optional<Damaged> FlipBit(const std::string& file, const std::string& vfs,
                               const std::string& table, const std::string& column,
                               const std::string& where, uint64_t bit = 77);
void PutBack(const std::string& file, const std::string& vfs, const Damaged& damaged);

// Whatever else a disk may do.
void Execute(const std::string& file, const std::string& sql);

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_DAMAGE_H_
