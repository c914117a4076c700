// Refusals: a status that carries a reason which people can be told in their
// language. Everything that is refused at the device, by the server's ingest or
// in a session, is refused by one of these.
#ifndef ZHIBU_SYNC_BASE_REASON_H_
#define ZHIBU_SYNC_BASE_REASON_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "zhibu/schema/v1/options.pb.h"
#include "zhibu/sync/v1/answer.pb.h"

namespace zhibu {

// Of a detail in one language. Somebody reads it, a server keeps it with its answer, and a frame
// is to hold it: what is longer is cut.
inline constexpr size_t kDetailBytesMax = 600;

// INVALID_ARGUMENT, PERMISSION_DENIED, UNAUTHENTICATED, UNAVAILABLE … by kind
// of reason; the message is the English wording.
absl::Status Refuse(sync::v1::Reason reason, absl::string_view detail);

// TOO_LARGE: what is too large, how large it is, and the most that it may be.
absl::Status TooLarge(absl::string_view what, size_t is, size_t most, absl::string_view unit = "B");

struct Refused {
  sync::v1::Reason reason = sync::v1::NO_REASON;
  std::string detail;
  uint32_t type = 0;  // of the record that was refused; 0: it is not said
};
// NO_REASON for a status that Refuse did not make.
Refused ReasonOf(const absl::Status& status);

// Says which type of record `status` refuses, unless it says so already: its fields' names are that
// type's. It is for this device's own people, and never travels.
absl::Status Of(uint32_t type, absl::Status status);

// A detail that is words of its own, in both languages.
std::string InBoth(absl::string_view zh, absl::string_view en);

// The words of a reason with the detail put in.
Words WordsFor(sync::v1::Reason reason, absl::string_view detail);

}  // namespace zhibu

#endif  // ZHIBU_SYNC_BASE_REASON_H_
