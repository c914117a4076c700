// A record as the merge keeps it: its value on wire bytes, and what it remembers
// of who changed what.
#ifndef ZHIBU_SYNC_MERGE_STATE_H_
#define ZHIBU_SYNC_MERGE_STATE_H_

#include <algorithm>
#include <optional>
#include <string>

#include "sync/base/types.h"

namespace zhibu {

// Who last changed something, and when.
struct Touch {
  Version version;
  DeviceNumber writer;
  Stamp stamp;

  friend bool operator==(const Touch&, const Touch&) = default;
};

// How the server keeps a record between edits, and a device what the server
// last said:
//
//   alive = somebody changed it whom no deletion had seen
struct RecordState {
  bool exists = false;            // has ever been written
  Touch touch;                    // the last change
  std::optional<Touch> deletion;  // set while the record is deleted
  std::string body;               // fields in ascending order; kept when deleted
  std::string trace;              // serialised sync.v1.Trace

  bool alive() const { return exists && !deletion; }
  // At which the record last changed for those who read it.
  Version version() const {
    return deletion ? std::max(touch.version, deletion->version) : touch.version;
  }
};

}  // namespace zhibu

#endif  // ZHIBU_SYNC_MERGE_STATE_H_
