// What a tally comes to, in words for people.
//
//   const rules::v1::Report report = ReportOf(tally, [](const Figure&) { return Sight::kAll; });
//   std::cout << TextOf(report, Language::kChinese);
//
// Who may not read the records behind a figure, and stands above those who keep them, is told sums
// of groups only: of whole years, none smaller than the figure's smallest_group, and no part by
// which such a one could be told by subtraction. Who asks for this and for that, here and there,
// can still subtract: it hinders a glance.
#ifndef ZHIBU_SYNC_RULES_BOOK_REPORT_H_
#define ZHIBU_SYNC_RULES_BOOK_REPORT_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "sync/base/words.h"
#include "sync/rules/book/tally.h"
#include "zhibu/rules/v1/report.pb.h"

namespace zhibu::rules {

// Of the records behind a figure.
enum class Sight {
  kAll,      // they are held and may be read
  kGroups,   // they may not be read, and sums of groups are told
  kUnknown,  // they are not held here, or are hidden
  kNothing,  // nothing of them is told
};

rules::v1::Report ReportOf(const Tally& tally, absl::FunctionRef<Sight(const Figure&)> sees);

// A table of lines, and the balances below it.
std::string TextOf(const rules::v1::Report& report, Language language);

}  // namespace zhibu::rules

#endif  // ZHIBU_SYNC_RULES_BOOK_REPORT_H_
