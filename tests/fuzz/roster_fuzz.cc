// Any file in place of a roster. What must hold: rows ascend, say who and where, and can be
// sent; and what is said of a bad row or cell repeats no long number.
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "server/exchange/roster.h"

namespace zhibu::server {
namespace {

// Digits that stand together, which may be a phone or an identity number.
size_t LongestNumber(absl::string_view text) {
  size_t longest = 0;
  size_t now = 0;
  for (const char c : text) {
    now = absl::ascii_isdigit(static_cast<unsigned char>(c)) ? now + 1 : 0;
    longest = std::max(longest, now);
  }
  return longest;
}

void CheckWords(const Words& said) {
  Words words;
  EXPECT_TRUE(words.ParseFromString(said.SerializeAsString()));
  EXPECT_FALSE(words.zh().empty() || words.en().empty());
  EXPECT_LE(LongestNumber(words.zh()), 8) << words.zh();
  EXPECT_LE(LongestNumber(words.en()), 8) << words.en();
}

void Check(const Roster& roster) {
  uint32_t line = 0;
  for (const RosterRow& row : roster.rows) {
    EXPECT_GT(row.line, line);
    line = row.line;
    EXPECT_FALSE(row.branch.empty());
    EXPECT_FALSE(row.member.name().empty());
    records::v1::Member member;
    records::v1::PrivateDetail detail;
    EXPECT_TRUE(member.ParseFromString(row.member.SerializeAsString()));
    EXPECT_TRUE(detail.ParseFromString(row.detail.SerializeAsString()));
    for (const DoubtfulCell& cell : row.cells) CheckWords(cell.reason);
  }
  line = 0;
  for (const BadRow& bad : roster.bad_rows) {
    EXPECT_GT(bad.line, line);
    line = bad.line;
    CheckWords(bad.reason);
  }
}

}  // namespace
}  // namespace zhibu::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace zhibu::server;
  const auto roster = ParseRoster({reinterpret_cast<const char*>(data), size}, {.rows_max = 1000});
  if (roster.ok()) {
    Check(*roster);
  } else {
    EXPECT_FALSE(zhibu::WordsOf(roster.status()).zh().empty()) << roster.status();
  }
  return 0;
}
