// A report of organisations together, from the sums that are kept.
//
//   ASSIGN_OR_RETURN(const rules::v1::Report report,
//                    SummaryOf(reader, book, tree, {first, last}, this_month, sees));
//
// It reads a row for each organisation and year, and one for all times. Where a balance is open,
// the organisations in which it is are named by their ids.
#ifndef ZHIBU_SERVER_FIGURES_SUMMARY_H_
#define ZHIBU_SERVER_FIGURES_SUMMARY_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/store/store.h"
#include "sync/rules/book/report.h"
#include "sync/rules/book/tally.h"
#include "zhibu/rules/v1/report.pb.h"

namespace zhibu::server {

absl::StatusOr<rules::v1::Report> SummaryOf(
    Reader& reader, const rules::Book& book, absl::Span<const Id> organisations,
    const rules::Months& period, int32_t this_month,
    absl::FunctionRef<rules::Sight(const rules::Figure&)> sees);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FIGURES_SUMMARY_H_
