// What a device need not be sent, because it has it: the records of its own edits that stand as it
// made them (Answer.as_made_at).
//
//   Add      an edit that it has pushed
//   TakeOut  an update with its answer: says so, in the place of the groups
//
// What was pushed is kept until its answer leaves, up to kBytesMax of one device; the records of
// what is beyond that are sent as those of others are.
#ifndef ZHIBU_SERVER_SESSIONS_AS_MADE_H_
#define ZHIBU_SERVER_SESSIONS_AS_MADE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sync/base/types.h"
#include "zhibu/sync/v1/sync.pb.h"

namespace zhibu::server {

class AsMade {
 public:
  static constexpr size_t kBytesMax = 256 << 10;

  void Add(const sync::v1::NumberedEdit& edit);
  // `versions`: of each answer, of what its edit changed.
  void TakeOut(DeviceNumber device, const std::vector<Version>& versions, sync::v1::Update* update);

 private:
  struct Pushed {
    uint64_t stamp = 0;
    std::string edit;
  };

  std::map<uint64_t, Pushed> pushed_;  // by number
  size_t bytes_ = 0;
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_AS_MADE_H_
