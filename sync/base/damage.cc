#include "sync/base/damage.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace zhibu {
namespace {

constexpr char kPayload[] = "zhibu/damaged-row";

}  // namespace

absl::Status DamagedRow(absl::string_view what) {
  absl::Status status = absl::DataLossError(
      absl::StrCat("cannot be read, what is stored is damaged: ", what,
                   ". `zhibu admin check` lists all that is; restore a backup"));
  status.SetPayload(kPayload, absl::Cord(what));
  return status;
}

bool IsDamagedRow(const absl::Status& status) { return status.GetPayload(kPayload).has_value(); }

absl::Status PassOver(const absl::Status& status) {
  return IsDamagedRow(status) ? absl::OkStatus() : status;
}

}  // namespace zhibu
