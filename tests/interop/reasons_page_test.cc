// The table of reasons in docs/wire.md: every reason has its row, under its number and name, with
// the gRPC status that it goes with.
#include <gmock/gmock.h>

#include <fstream>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sync/base/reason.h"
#include "zhibu/sync/v1/answer.pb.h"

namespace zhibu::interop {
namespace {

TEST(ReasonsPage, HasARowForEachReasonWithItsStatus) {
  std::map<std::string, std::string> rows;  // "30 UNKNOWN_DEVICE" → status
  std::ifstream page(absl::StrCat(ZHIBU_DOCS, "/wire.md"));
  for (std::string line; std::getline(page, line);) {
    const std::vector<std::string> cells = absl::StrSplit(line, " | ");
    int number = 0;
    const absl::string_view first = absl::StripPrefix(cells[0], "| ");
    if (cells.size() < 4 || !absl::SimpleAtoi(first, &number)) continue;
    const auto* value = sync::v1::Reason_descriptor()->FindValueByNumber(number);
    if (value == nullptr || cells[1] != value->name()) continue;
    rows[absl::StrCat(number, " ", value->name())] = cells[2];
  }
  std::map<std::string, std::string> declared;
  for (int i = 0; i < sync::v1::Reason_descriptor()->value_count(); ++i) {
    const auto* value = sync::v1::Reason_descriptor()->value(i);
    if (value->number() == sync::v1::NO_REASON) continue;
    const auto reason = static_cast<sync::v1::Reason>(value->number());
    declared[absl::StrCat(value->number(), " ", value->name())] =
        absl::StatusCodeToString(Refuse(reason, "").code());
  }
  EXPECT_EQ(rows, declared);
}

}  // namespace
}  // namespace zhibu::interop
