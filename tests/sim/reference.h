// What every record should be: a slow and simple reading of the edits that the
// server has accepted, in the order of their versions. Shares no code with the
// merge; of the project it uses only the messages and the declared options.
//
//   History history = {every accepted change of one record, oldest first};
//   Expected expected = Evaluate(type, history);
//   expected.alive, expected.message, expected.overwritten
//
// "a saw b" is the one idea: a's author had seen b if b was their own, or its
// version is no later than the record that they had before them.
#ifndef ZHIBU_TESTS_SIM_REFERENCE_H_
#define ZHIBU_TESTS_SIM_REFERENCE_H_

#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::sim {

// Whose change it is, and what they had seen.
struct By {
  uint64_t version = 0;
  uint32_t device = 0;
  uint64_t stamp = 0;
  uint64_t base = 0;
  // That the edit has on its device: one that was held for a while had not seen what the
  // same device has recorded since.
  uint64_t number = 0;
  // A stamp from later than this was of a clock that was wrong, when the server took the
  // change: it wins over nothing that was written unseen.
  uint64_t latest = UINT64_MAX;

  bool Saw(const By& other) const {
    return other.version <= base || (other.device == device && other.number <= number);
  }
  bool Later(const By& other) const {
    return std::pair(stamp, device) > std::pair(other.stamp, other.device);
  }
};

struct Accepted {
  By by;
  sync::v1::Change change;
};
using History = std::vector<Accepted>;

// A value that lost to another which had not seen it: path, and whose it was.
using Overwritten = std::set<std::tuple<std::string, uint32_t, uint64_t>>;

struct Expected {
  bool alive = false;
  std::unique_ptr<google::protobuf::Message> message;  // as it is, or was when deleted
  Overwritten overwritten;
  // Made anew while somebody who did not know of it still changed its former
  // life: this reference has no opinion of the value.
  bool unclear = false;
  // An accepted step that the enum does not declare, or a second FIRST; empty
  // if all is well.
  std::string breach;
};

// `prototype` is the empty message of the record's type.
Expected Evaluate(const google::protobuf::Message& prototype, const History& history);

// As text, with sets and keyed lists in one order: two equal records read alike.
std::string Render(const google::protobuf::Message& message);

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_REFERENCE_H_
