// Data of others that lies beside the project and is no part of it: in a folder "shared" of any
// folder above. A test that needs it says so where it is not there.
//
//   const auto file = FindBeside("data/cel/conformance.jsonl");
//   if (!file.has_value()) GTEST_SKIP() << "…";
#ifndef ZHIBU_TESTS_SUPPORT_BESIDE_H_
#define ZHIBU_TESTS_SUPPORT_BESIDE_H_

#include <filesystem>
#include <optional>
#include <string>

namespace zhibu::test {

inline std::optional<std::filesystem::path> FindBeside(const std::string& name) {
  namespace fs = std::filesystem;
  for (fs::path folder = ZHIBU_SOURCE; folder != folder.parent_path();
       folder = folder.parent_path()) {
    if (fs::exists(folder / "shared" / name)) return folder / "shared" / name;
  }
  return std::nullopt;
}

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_BESIDE_H_
