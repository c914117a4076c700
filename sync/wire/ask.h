// What a question (zhibu.sync.v1.Ask) must be, at the device and at the server.
#ifndef ZHIBU_SYNC_WIRE_ASK_H_
#define ZHIBU_SYNC_WIRE_ASK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace zhibu {

inline constexpr int kReasonCharactersMax = 500;

// The reason for temporary access is kept for good and shown to people: one line of 1 to
// kReasonCharactersMax characters. ASK_WITHOUT_REASON where nothing can be read in it;
// BAD_VALUE: too long, or with control characters.
absl::Status CheckReason(absl::string_view reason);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_WIRE_ASK_H_
