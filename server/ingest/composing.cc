#include "server/ingest/composing.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ingest/passage.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/record.h"

namespace zhibu::server {
namespace {

using sync::v1::Change;
using sync::v1::Edit;

// Of an edit that the server composes, as long as it has more than one change: the others
// follow in edits of their own.
constexpr size_t kComposedBytes = 256 << 10;

}  // namespace

absl::Status Composing::Write(Consequences follows) {
  for (const std::string& warning : follows.warnings) {
    work_.observer.OnTrouble(
        {.what = Trouble::What::kRule, .status = absl::ResourceExhaustedError(warning)});
  }
  return Write(std::move(follows.edit));
}

absl::Status Composing::Write(Edit edit) {
  Edit part;
  size_t bytes = 0;
  for (Change& change : *edit.mutable_changes()) {
    ASSIGN_OR_RETURN(const RecordState state, work_.writer.GetRecord(KeyOf(change)));
    bytes += change.ByteSizeLong() + state.body.size() + state.trace.size();
    *part.add_changes() = std::move(change);
    if (bytes < kComposedBytes && part.changes_size() < kChangesMax) continue;
    RETURN_IF_ERROR(WritePart(std::exchange(part, {})));
    bytes = 0;
  }
  return part.changes().empty() ? absl::OkStatus() : WritePart(std::move(part));
}

absl::Status Composing::WritePart(Edit part) {
  const uint32_t type = part.changes(0).type();
  ++depth_;
  const absl::Status status =
      depth_ > kDepthMax ? Refuse(sync::v1::SERVER_FAULT, "depth") : take_own_(std::move(part));
  --depth_;
  const Refused refused = ReasonOf(status);
  if (status.ok() || refused.reason == sync::v1::NO_REASON) return status;
  if (refused.reason == sync::v1::SERVER_FAULT && refused.detail != "depth") return status;
  work_.observer.OnTrouble({.what = Trouble::What::kComposed, .status = status, .type = type});
  return Refuse(sync::v1::SERVER_FAULT, absl::StrCat(type));
}

}  // namespace zhibu::server
