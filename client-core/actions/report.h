// What an organisation's work comes to (sync/rules/book/report.h), worked out of what this device
// holds: in a hall without signal too.
//
//   ASSIGN_OR_RETURN(const rules::v1::Report report, ReportHere(*store, branch,
//   *Months::From("2026")));
//
// It is of that organisation alone. A figure of which the device's owner may not read all that it
// counts by is said to be not known here, and never a wrong number. What lies below an organisation
// is not held here: a server is asked to sum it up (AskToSumUp), which needs a link.
//
// The people behind a figure are those whose records are held here, or have been asked for.
#ifndef ZHIBU_CLIENT_CORE_ACTIONS_REPORT_H_
#define ZHIBU_CLIENT_CORE_ACTIONS_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client-core/store/store.h"
#include "sync/rules/book/counting.h"
#include "sync/rules/book/report.h"
#include "sync/rules/book/tally.h"
#include "zhibu/rules/v1/report.pb.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::client {

// NOT_ENROLLED.
absl::StatusOr<rules::v1::Report> ReportHere(Store& store, const Id& organisation,
                                             const rules::Months& period,
                                             const rules::Book& book = rules::ShippedBook());

// `period` as rules::Months reads it.
sync::v1::Ask AskToSumUp(const Id& organisation, const std::string& period);
// What refused it.
absl::StatusOr<rules::v1::Report> ReadReport(const sync::v1::Page& page);

// How much of a figure is whose, in a period, by `records`: held here, or asked for. Of one
// organisation, or of all that they are of.
absl::StatusOr<std::map<Id, int64_t>> PeopleBehind(Store& store, const rules::Figure& figure,
                                                   const rules::Months& period,
                                                   rules::Records& records,
                                                   const std::optional<Id>& organisation);

// Whether the device's owner may read all that the figure counts by, in the organisation.
bool MayReadHere(Store& store, const rules::Figure& figure, const Id& organisation);

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_ACTIONS_REPORT_H_
