// A refusal as it travels (sync.v1.Refusal), and as a status.
#ifndef ZHIBU_SYNC_BASE_REFUSAL_H_
#define ZHIBU_SYNC_BASE_REFUSAL_H_

#include <cstdint>

#include "absl/status/status.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu {

// NO_REASON where `status` was not made by Refuse (sync/base/reason.h).
sync::v1::Refusal RefusalOf(const absl::Status& status);
absl::Status StatusOf(const sync::v1::Refusal& refusal);

// Says when whoever is refused by `status` may come back (Refusal.come_back_ms).
absl::Status ComeBackIn(uint32_t ms, absl::Status status);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_BASE_REFUSAL_H_
