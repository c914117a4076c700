// What the figures come to, and what is due, for an operator.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/admin/admin.h"
#include "server/figures/due.h"
#include "server/figures/summary.h"
#include "server/identity/named.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "sync/rules/above.h"
#include "sync/rules/registration.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using records::v1::Organisation;

absl::StatusOr<admin::v1::ReportReply> Admin::Report(const admin::v1::ReportRequest& request) {
  const int32_t this_month = MonthOf(DayAt(hub_.environment().now_ms()));
  const std::string year = absl::StrCat(this_month / 12);
  const auto period = rules::Months::From(request.period().empty() ? year : request.period());
  if (!period) {
    return absl::InvalidArgumentError(
        InBoth("时期应写作 2026、2026-Q1 或 2026-03", "a period is 2026, 2026-Q1 or 2026-03"));
  }
  admin::v1::ReportReply reply;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const Id organisation,
                     FindRegistered<Organisation>(reader, request.organisation(), Among::kThere));
    ASSIGN_OR_RETURN(const std::vector<Id> tree, Below(reader, organisation));
    ASSIGN_OR_RETURN(*reply.mutable_report(),
                     SummaryOf(reader, hub_.ingest().book(), tree, *period, this_month,
                               [](const rules::Figure&) { return rules::Sight::kAll; }));
    for (auto& balance : *reply.mutable_report()->mutable_balances()) {
      for (auto& open : *balance.mutable_open()) {
        ASSIGN_OR_RETURN(*open.mutable_organisation_name(),
                         RegisteredNameOf<Organisation>(reader, open.organisation_id()));
      }
    }
    return absl::OkStatus();
  }));
  return reply;
}

absl::StatusOr<admin::v1::DueReply> Admin::Due(const admin::v1::DueRequest& request) {
  absl::CivilDay as_of = DayAt(hub_.environment().now_ms());
  if (!request.on().empty()) {
    const auto day = DayFrom(request.on());
    if (!day || !IsDate(request.on())) {
      return absl::InvalidArgumentError(
          InBoth("日期应写作 2026-01-31", "a day is written 2026-01-31"));
    }
    as_of = *day;
  }
  admin::v1::DueReply reply;
  RETURN_IF_ERROR(hub_.store().Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const Id organisation,
                     FindRegistered<Organisation>(reader, request.organisation(), Among::kThere));
    ASSIGN_OR_RETURN(const std::vector<Id> tree, Below(reader, organisation));
    ASSIGN_OR_RETURN(*reply.mutable_report(), DueIn(reader, hub_.ingest().book(), tree, as_of));
    return absl::OkStatus();
  }));
  return reply;
}

}  // namespace zhibu::server
