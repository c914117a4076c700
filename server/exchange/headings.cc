#include "server/exchange/headings.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "server/exchange/text.h"

namespace zhibu::server {

// server/exchange/headings.textproto, as the build found it (server/CMakeLists.txt).
extern const char kHeadingsText[];

namespace {

using Words = google::protobuf::RepeatedPtrField<std::string>;
using WordSet = absl::flat_hash_set<std::string>;

WordSet SetOf(const Words& words) {
  WordSet set;
  for (const std::string& word : words) set.insert(FoldWord(word));
  return set;
}

// The longest of the words with which the cell begins; what stands after it, of the folded cell.
std::string RestAfter(const Words& words, const std::string& folded, bool* found) {
  size_t longest = 0;
  for (const std::string& word : words) {
    const std::string start = FoldWord(word);
    if (absl::StartsWith(folded, start)) longest = std::max(longest, start.size());
  }
  *found = longest > 0;
  return folded.substr(longest);
}

}  // namespace

const exchange::v1::Headings& AllHeadings() {
  static const auto* all = [] {
    auto* headings = new exchange::v1::Headings;
    // It is part of the program: one that cannot be read was never tested.
    if (!google::protobuf::TextFormat::ParseFromString(kHeadingsText, headings)) std::abort();
    return headings;
  }();
  return *all;
}

bool IsBlankWord(absl::string_view cell) {
  static const auto& words = *new WordSet(SetOf(AllHeadings().blanks()));
  return cell.empty() || words.contains(FoldWord(cell));
}

bool IsErrorWord(absl::string_view cell) {
  static const auto& words = *new WordSet(SetOf(AllHeadings().errors()));
  const bool narrow = cell.size() >= 3 && cell.find_first_not_of('#') == absl::string_view::npos;
  return narrow || words.contains(FoldWord(cell));
}

bool IsDitto(absl::string_view cell) {
  static const auto& words = *new WordSet(SetOf(AllHeadings().dittos()));
  return words.contains(FoldWord(cell));
}

bool IsSum(absl::string_view first_cell) {
  bool found = false;
  const std::string rest = RestAfter(AllHeadings().sums(), FoldWord(first_cell), &found);
  return found && (rest.empty() || rest[0] == ':' || absl::ascii_isdigit(rest[0]));
}

bool IsFoot(absl::string_view first_cell) {
  bool found = false;
  const std::string rest = RestAfter(AllHeadings().feet(), FoldWord(first_cell), &found);
  return found && (rest.empty() || rest[0] == ':' || rest[0] == '(');
}

}  // namespace zhibu::server
