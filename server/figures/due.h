// What is due in organisations, each by itself: what the device of whoever acts for it works out of
// the same records (client-core/actions/due.h), but for what is due of themselves as persons.
//
//   ASSIGN_OR_RETURN(const rules::v1::DueReport report, DueIn(reader, book, tree, today));
#ifndef ZHIBU_SERVER_FIGURES_DUE_H_
#define ZHIBU_SERVER_FIGURES_DUE_H_

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/types/span.h"
#include "server/store/store.h"
#include "sync/rules/book/book.h"
#include "zhibu/rules/v1/due.pb.h"

namespace zhibu::server {

// By what is shipped, and what was added for the organisation. Organisations are named.
absl::StatusOr<rules::v1::DueReport> DueIn(Reader& reader, const rules::Book& shipped,
                                           absl::Span<const Id> organisations,
                                           absl::CivilDay as_of);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FIGURES_DUE_H_
