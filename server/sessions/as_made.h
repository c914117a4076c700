// What a device need not be sent, because it has it: the records of its own edits that stand as it
// made them (Answer.as_made_at).
//
//   NotePushed     an edit that it has pushed
//   LeaveOutOwn    of an update with the answer to it: the groups, where they say the same
//
// A digest of each edit is kept until its answer leaves, of at most kEditsMax edits. The records of
// any more are sent as those of others are.
#ifndef ZHIBU_SERVER_SESSIONS_AS_MADE_H_
#define ZHIBU_SERVER_SESSIONS_AS_MADE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "sync/base/types.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

class AsMade {
 public:
  // As many as a device leaves without an answer.
  static constexpr size_t kEditsMax = 2500;

  void NotePushed(const sync::v1::NumberedEdit& edit);
  // `versions`: one for each answer of the update, at which its edit was merged.
  void LeaveOutOwn(DeviceNumber device, const std::vector<Version>& versions,
                   sync::v1::Update* update);

 private:
  struct Pushed {
    uint64_t link = 0;
    uint64_t stamp = 0;
    int records = 0;
    uint64_t digest = 0;  // of these, in any order
  };

  // Whether the records of these groups are those that it made.
  static bool Stands(const Pushed& pushed, const std::vector<int>& groups,
                     const sync::v1::Update& update);

  std::map<uint64_t, Pushed> pushed_;  // by number
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_AS_MADE_H_
