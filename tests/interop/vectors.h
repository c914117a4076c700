// Files of test vectors (tests/data): what the product says of given input, for whoever writes a
// client in another language. Each is made anew in its test and held to what lies there:
//
//   ExpectVectors("bytes.json", made);   // ZHIBU_WRITE_VECTORS=1 writes them
#ifndef ZHIBU_TESTS_INTEROP_VECTORS_H_
#define ZHIBU_TESTS_INTEROP_VECTORS_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace zhibu::interop {

using Json = nlohmann::ordered_json;

// Lists within it stand one entry a line, so that a change of one shows as one line.
inline std::string TextOf(const Json& json, int depth = 0) {
  const std::string indent(depth, ' ');
  const bool nests =
      json.is_structured() && !json.empty() &&
      (depth == 0 || json.contains("steps") || (json.is_array() && json.front().is_object()));
  if (!nests) return json.dump();
  std::string text;
  for (const auto& [key, value] : json.items()) {
    absl::StrAppend(&text, text.empty() ? "" : ",", "\n", indent, " ",
                    json.is_object() ? absl::StrCat(Json(key).dump(), ": ") : "",
                    TextOf(value, depth + 1));
  }
  const char* brackets = json.is_object() ? "{}" : "[]";
  return absl::StrCat(std::string(1, brackets[0]), text, "\n", indent, std::string(1, brackets[1]));
}

// Where the file says something else: its first line, and what it should be.
inline void ExpectFile(const std::string& file, const std::string& made, const char* variable) {
  if (std::getenv(variable) != nullptr) std::ofstream(file) << made;
  std::stringstream read;
  read << std::ifstream(file).rdbuf();
  const std::vector<std::string> is = absl::StrSplit(read.str(), '\n');
  const std::vector<std::string> is_to_be = absl::StrSplit(made, '\n');
  for (size_t i = 0; i < std::max(is.size(), is_to_be.size()); ++i) {
    ASSERT_EQ(i < is.size() ? is[i] : "(nothing)", i < is_to_be.size() ? is_to_be[i] : "(nothing)")
        << file << ", line " << i + 1 << "; where that is as it should be: " << variable << "=1";
  }
}

inline void ExpectVectors(const std::string& name, const Json& made) {
  ExpectFile(absl::StrCat(ZHIBU_TEST_DATA, "/", name), TextOf(made) + "\n", "ZHIBU_WRITE_VECTORS");
}

}  // namespace zhibu::interop

#endif  // ZHIBU_TESTS_INTEROP_VECTORS_H_
