// Edits that wait for the writer. Each device in its turn gives a few of them to the next
// transaction, so that nobody waits for all that another has brought:
//
//   a group = a turn of each who has just come, then of each who waits on, longest first,
//             until it is full; one of the latter in any case, and nobody has two
//   the edits of one device stay in their order
//
// A turn begins with few edits, because nobody knows yet what they cost, and grows or
// shrinks with what the device's edits did cost: it is to take no longer than kTurnTime.
// Whose edits were heavy begins with one, though it has had nothing queued meanwhile.
//
// Calls must not overlap: the hub guards it.
#ifndef ZHIBU_SERVER_SESSIONS_TURNS_H_
#define ZHIBU_SERVER_SESSIONS_TURNS_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "server/ingest/ingest.h"
#include "sync/base/types.h"

namespace zhibu::server {

class Turns {
 public:
  using Duration = std::chrono::nanoseconds;
  // Told of the results of one push, in its order, once or in parts; of an error last.
  using OnCommitted = std::function<void(absl::StatusOr<std::vector<Result>>)>;

  // Some edits of one push, one after the other.
  struct Part {
    Id whose;
    std::shared_ptr<const OnCommitted> on_committed;
    size_t edits = 0;
  };
  struct Group {
    std::vector<Submitted> edits;
    std::vector<Part> parts;  // all edits are of one of these, in their order
  };

  // All of them by one device number.
  void Add(const Id& whose, OnCommitted on_committed, std::vector<Submitted> edits);
  // What is to be written next; without edits only where none wait.
  Group Take();
  // The group has been written, in so much time; `work` of each part.
  void Took(const Group& group, absl::Span<const uint64_t> work, Duration time);
  // What waits of this device number is not to be written. Gives who is to be told.
  std::vector<std::shared_ptr<const OnCommitted>> Drop(const Id& whose, DeviceNumber number);

  bool empty() const { return shares_.empty(); }
  bool Holds(const Id& whose) const { return shares_.contains(whose); }
  size_t bytes() const { return bytes_; }
  // How long writing all that waits will take, as edits go.
  Duration work() const { return mean_ * units_; }

 private:
  // What a unit takes, before anything is known.
  static constexpr Duration kUsual = std::chrono::microseconds(250);

  struct Push {
    std::shared_ptr<const OnCommitted> on_committed;
    std::deque<Submitted> edits;
  };
  struct Share {
    std::deque<Push> pushes;
    int64_t turn = 0;  // units at once: edits, and one more for each 4 KiB of them
    Duration unit{};   // what one has taken of late
  };
  struct Room {
    int64_t units = 0;
    Duration time{};
    bool full() const;
  };

  void TakeTurn(std::deque<Id>* line, Room* room, Group* group);
  void TakeFrom(Push* push, int64_t* left, Room* room, const Share& share, Group* group);
  void Learn(const Id& whose, Duration unit);
  void Forget(const Submitted& submitted);

  absl::flat_hash_map<Id, Share> shares_;
  // Each of the shares stands in one of these.
  std::deque<Id> fresh_;                     // has had no turn since it came
  std::deque<Id> waiting_;                   // has more than it had a turn for
  absl::flat_hash_map<Id, Duration> heavy_;  // a unit of theirs, when they were last here
  size_t bytes_ = 0;
  int64_t units_ = 0;
  Duration mean_{kUsual};  // what a unit of anybody's has taken of late
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_SESSIONS_TURNS_H_
