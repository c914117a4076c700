// A row of a store whose bytes are not those that were written, while the store itself works:
// a flipped bit, a bad sector. It is told apart from trouble that ends a transaction.
//
//   strict by default: whoever reads a damaged row is given the status, and hands it on
//   passed over:       RETURN_IF_ERROR(PassOver(reader.ListRecords(…)));
//
// A list visits what can be read, and says only then that something could not. So nobody is
// given less right or less work than they have without it being written where it is decided.
#ifndef ZHIBU_SYNC_BASE_DAMAGE_H_
#define ZHIBU_SYNC_BASE_DAMAGE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace zhibu {

// DATA_LOSS; `what` names the row, and nothing that stands in it.
absl::Status DamagedRow(absl::string_view what);

bool IsDamagedRow(const absl::Status& status);

// OK where the status only says that a row could not be read.
absl::Status PassOver(const absl::Status& status);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_BASE_DAMAGE_H_
