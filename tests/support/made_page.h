// A page of docs/ of which all that comes after a marker is made from the declarations. With
// ZHIBU_WRITE_DOCS in the environment the test writes it anew.
#ifndef ZHIBU_TESTS_SUPPORT_MADE_PAGE_H_
#define ZHIBU_TESTS_SUPPORT_MADE_PAGE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace zhibu::test {

inline void ExpectMade(const std::string& page, const std::string& marker,
                       const std::string& declared) {
  const std::string file = absl::StrCat(ZHIBU_DOCS, "/", page);
  std::stringstream read;
  read << std::ifstream(file).rdbuf();
  const std::string text = read.str();
  const size_t at = text.find(marker);
  ASSERT_NE(at, std::string::npos) << file;
  const std::string by_hand = text.substr(0, at + marker.size());
  if (std::getenv("ZHIBU_WRITE_DOCS") != nullptr) std::ofstream(file) << by_hand << declared;
  const std::vector<std::string> is = absl::StrSplit(text.substr(by_hand.size()), '\n');
  const std::vector<std::string> should_be = absl::StrSplit(declared, '\n');
  for (size_t i = 0; i < std::max(is.size(), should_be.size()); ++i) {
    ASSERT_EQ(i < is.size() ? is[i] : "(nothing)",
              i < should_be.size() ? should_be[i] : "(nothing)")
        << "write it anew: ZHIBU_WRITE_DOCS=1";
  }
}

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_MADE_PAGE_H_
