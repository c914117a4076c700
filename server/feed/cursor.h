// The seal on a device's cursors (zhibu.sync.v1.Cursor): who shows one that this server did
// not give is told nothing by it.
//
//   good = made with this server's key, over the cursor, the person whose device it is (which
//          may be enrolled anew) and the server's incarnation
#ifndef ZHIBU_SERVER_FEED_CURSOR_H_
#define ZHIBU_SERVER_FEED_CURSOR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "server/feed/sent.h"
#include "server/store/store.h"
#include "sync/base/environment.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

// Name in the settings of the store: the key of the seals.
inline constexpr char kCursorKey[] = "cursor_key";
std::string NewCursorKey(const Environment& environment);

// What a device has been sent of one scope as the holder of some offices there.
struct Channel {
  uint32_t offices = 0;
  Version version;  // all up to here
  // While a reading is unfinished: the last change that there was for these offices when it
  // was begun, and up to where the device had all then. What came after that, and had gone when
  // the reading was begun, the device never had. Both are 0 once `version` has come so far.
  Version began;
  Version whole;
};

class CursorSeal {
 public:
  // NOT_FOUND where the server has no key yet: see EnsureIncarnation.
  static absl::StatusOr<CursorSeal> Of(Reader& reader, const Id& person);

  // The channels travel in the seal: they are the server's alone.
  void Put(const std::vector<Channel>& channels, sync::v1::Cursor* cursor) const;
  bool Good(const sync::v1::Cursor& cursor) const;
  // Of a good one.
  static std::vector<Channel> ChannelsIn(const sync::v1::Cursor& cursor);

 private:
  std::string SealOf(const sync::v1::Cursor& cursor, absl::string_view channels) const;

  std::string key_;
  std::string owner_;  // the person and the incarnation
};

// What a device has been sent, by those of its cursors that are good.
std::shared_ptr<const Sent> SentBy(
    const CursorSeal& seal, const google::protobuf::RepeatedPtrField<sync::v1::Cursor>& cursors);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_FEED_CURSOR_H_
