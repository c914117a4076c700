#include "sync/exchange/headings.h"

#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "sync/exchange/text.h"

namespace zhibu {

// sync/exchange/headings.textproto, as the build found it (sync/CMakeLists.txt).
extern const char kHeadingsText[];

namespace {

using Words = google::protobuf::RepeatedPtrField<std::string>;
using WordSet = absl::flat_hash_set<std::string>;

WordSet SetOf(const Words& words) {
  WordSet set;
  for (const std::string& word : words) set.insert(FoldWord(word));
  return set;
}

std::vector<std::string> FoldedOf(const Words& words) {
  std::vector<std::string> folded;
  for (const std::string& word : words) folded.push_back(FoldWord(word));
  return folded;
}

// What stands behind the longest of the words with which the cell begins; nothing: it begins with
// none of them.
std::optional<std::string> RestAfter(const std::vector<std::string>& words,
                                     absl::string_view cell) {
  const std::string folded = FoldWord(cell);
  size_t longest = 0;
  for (const std::string& word : words) {
    if (absl::StartsWith(folded, word)) longest = std::max(longest, word.size());
  }
  return longest == 0 ? std::nullopt : std::optional(folded.substr(longest));
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
  static const auto& words = *new std::vector<std::string>(FoldedOf(AllHeadings().sums()));
  const auto rest = RestAfter(words, first_cell);
  return rest && (rest->empty() || rest->front() == ':' || absl::ascii_isdigit(rest->front()));
}

bool IsFoot(absl::string_view first_cell) {
  static const auto& words = *new std::vector<std::string>(FoldedOf(AllHeadings().feet()));
  const auto rest = RestAfter(words, first_cell);
  return rest && (rest->empty() || rest->front() == ':' || rest->front() == '(');
}

}  // namespace zhibu
