// What a device holds of its scopes, and what it is to be sent next.
//
//   what the device holds = for each channel, the records that its offices see, without what
//                           they may not read of them, as of its version
//
// A channel says how far the device has been sent what some offices see of a scope. An
// office that is new is a new channel, which is read from the beginning while the others go
// on; channels become one where all has been read. Where an office is lost, the device drops
// all that lies in the scope and is sent again what it still sees there, through other
// offices or other scopes: so nothing has to be named that it may no longer know of.
//
// What the device may not see does not exist for it. For its own offices a channel reads only
// rows that name one of them; after a drop it reads every row of the scope, and counts and tells
// none that its owner may not see. The device is told to remove what it was sent and may no
// longer see, and nothing else: what came after its channel's version, or had gone when a
// reading was begun that is not at its end, it never had.
//
// Belongs to one session, and is as little safe for two threads.
#ifndef ZHIBU_SERVER_SESSIONS_CATCH_UP_H_
#define ZHIBU_SERVER_SESSIONS_CATCH_UP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "server/feed/cursor.h"
#include "server/feed/sent.h"
#include "server/sessions/access.h"
#include "server/store/store.h"
#include "sync/schema/schema.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

class CatchUp {
 public:
  // An update grows to about so many bytes.
  CatchUp(const Schema& schema, size_t update_bytes)
      : schema_(schema), update_bytes_(update_bytes) {}

  // The cursors that the device shows. Where one is not the server's own nothing is known of
  // what the device holds: it drops all that it has named, and is sent everything.
  absl::Status Resume(CursorSeal seal,
                      const google::protobuf::RepeatedPtrField<sync::v1::Cursor>& cursors);
  // The offices that the device's owner has from now on, by scope.
  absl::Status SetOffices(Reader& reader, const std::map<Id, uint32_t>& offices);

  // Rows still to be read that name an office of the device's owner.
  absl::StatusOr<uint64_t> CountRows(Reader& reader) const;

  struct Part {
    Version cut;            // all up to here has been sent, in every scope: it splits no edit
    bool complete = false;  // there is no more
    uint64_t passed = 0;    // so many rows of CountRows
    std::vector<RecordKey> passed_over;  // those that are damaged
  };
  // Writes what is next into the update. `persons`: the entries of the device's owner in the
  // register. What `sent` says grows.
  absl::StatusOr<Part> Read(Reader& reader, const std::vector<Id>& persons,
                            std::shared_ptr<const Sent>* sent, sync::v1::Update* update,
                            Disclosures* disclosures);

  std::vector<Id> Scopes() const;

 private:
  // With kLiesThere among its offices it is one that sends again what the device has dropped.
  struct Open : Channel {
    Version looked;  // up to here there is nothing more that the device may know of

    Version from() const { return std::max(version, looked); }
    bool again() const { return (offices & kLiesThere) != 0; }
    uint32_t owned() const { return offices & ~kLiesThere; }
    bool WasSent(const FeedRow& row) const;
  };
  struct ScopeState {
    std::vector<Open> channels;
    uint32_t audience = 0;  // the offices that its owner has there
    bool to_drop = false;   // the next update tells the device to drop the scope
    std::string cursor;     // the last that it was given
  };
  // What of a record may be seen.
  struct Sight {
    bool visible = false;
    uint64_t hidden = 0;  // set of RecordType::restricted

    friend bool operator==(const Sight&, const Sight&) = default;
  };
  struct Pass;
  // As which offices a record is looked at in a scope.
  using OfficesIn = absl::FunctionRef<uint32_t(const Id&, const ScopeState&)>;

  Sight SightOf(const FeedRow& row, OfficesIn offices_in) const;
  Sight SightNow(const FeedRow& row) const;
  bool HasAlready(const Id& scope, const FeedRow& row, const Sight& now) const;
  absl::Status ReadChannel(Reader& reader, const Id& scope, const Open& channel, Pass* pass) const;
  static Open ChannelOf(uint32_t offices);
  absl::Status OpenChannel(Reader& reader, const Id& scope, uint32_t offices, ScopeState* state);
  absl::StatusOr<bool> ComesLater(Reader& reader, const FeedRow& row, Version cut) const;
  absl::Status Write(Reader& reader, const std::vector<Id>& persons, Pass* pass,
                     sync::v1::Update* update, Disclosures* disclosures) const;
  absl::Status Advance(Reader& reader, const Pass& pass, std::shared_ptr<const Sent>* sent,
                       sync::v1::Update* update);
  void AddCursor(const Id& scope, bool dropped, ScopeState* state, sync::v1::Update* update) const;

  const Schema& schema_;
  const size_t update_bytes_;
  std::optional<CursorSeal> seal_;
  std::map<Id, ScopeState> scopes_;
  std::set<Id> forgotten_;  // what the device has named that it is to drop: see Resume
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_CATCH_UP_H_
