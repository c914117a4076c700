// Edits that wait for somebody who has authority now, as records.
#ifndef ZHIBU_SERVER_HELD_H_
#define ZHIBU_SERVER_HELD_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/store.h"
#include "sync/schema.h"
#include "sync/types.h"
#include "zhibu/records/v1/held.pb.h"
#include "zhibu/sync/v1/edit.pb.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

// Adds the record of an edit that was held and answered as `row` has it, for those
// who act for the branches that it touches and for its author.
absl::Status AddHeld(Reader& reader, const Schema& schema, const sync::v1::NumberedEdit& submitted,
                     const AuditRow& row, const Id& author, sync::v1::Edit* own);

// What has become of the edit with these bytes; nothing where it was not held.
absl::StatusOr<std::optional<records::v1::HeldEdit>> FindHeld(Reader& reader,
                                                              absl::string_view edit);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_HELD_H_
