// Records that a feed was read past because they are damaged.
//
//   a session:  NotNotedYet(reader, part.passed_over) → NotePassedOver(writer, …)
//   a start:    HasMended(writer) → a new incarnation: every device reads everything anew
//
// A device whose cursor has moved past a record would never be sent it, though its bytes be
// put back. So it is written down before the update leaves, and the server's next start looks.
#ifndef ZHIBU_SERVER_FEED_DAMAGE_H_
#define ZHIBU_SERVER_FEED_DAMAGE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/store/store.h"

namespace zhibu::server {

absl::StatusOr<std::vector<RecordKey>> NotNotedYet(Reader& reader,
                                                   absl::Span<const RecordKey> passed_over);
absl::Status NotePassedOver(Writer& writer, absl::Span<const RecordKey> passed_over);

// Whether one that is written down can be read again. Those that still cannot stay noted.
absl::StatusOr<bool> HasMended(Reader& reader);
absl::Status ForgetMended(Writer& writer);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FEED_DAMAGE_H_
