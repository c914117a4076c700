#include "server/sessions/turns.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/sessions/charge.h"
#include "sync/base/require.h"

namespace zhibu::server {
namespace {

// A group: enough to share an fsync among many, little enough that nobody waits long.
constexpr int64_t kGroupUnits = 500;
constexpr Turns::Duration kGroupTime = std::chrono::milliseconds(20);
// One device's part of it.
constexpr int64_t kFirstTurn = 4;
constexpr int64_t kTurnMax = 50;
constexpr Turns::Duration kTurnTime = std::chrono::milliseconds(10);
// A unit that takes longer; and how many who send such are known. All are forgotten then: it
// costs a first turn each to know them again.
constexpr Turns::Duration kHeavy = kTurnTime / kFirstTurn;
constexpr size_t kHeavyMax = 10'000;
// How many groups of the past the mean time of a unit looks back on.
constexpr int64_t kMemory = 8;

int64_t UnitsOf(const Submitted& submitted) { return EditsFor(BytesKept(submitted.edit)); }
size_t BytesOf(const Submitted& submitted) { return sizeof(submitted) + BytesKept(submitted.edit); }

}  // namespace

bool Turns::Room::full() const { return units >= kGroupUnits || time >= kGroupTime; }

void Turns::Add(const Id& whose, OnCommitted on_committed, std::vector<Submitted> edits) {
  if (edits.empty()) return;
  const auto [it, fresh] = shares_.try_emplace(whose);
  Share& share = it->second;
  if (fresh) {
    const auto heavy = heavy_.find(whose);
    share.turn = heavy == heavy_.end() ? kFirstTurn : 1;
    // Not the mean: nobody is to pay for another's.
    share.unit = heavy == heavy_.end() ? kUsual : heavy->second;
    fresh_.push_back(whose);
  }
  for (const Submitted& submitted : edits) {
    bytes_ += BytesOf(submitted);
    units_ += UnitsOf(submitted);
  }
  share.pushes.push_back(
      {std::make_shared<const OnCommitted>(std::move(on_committed)),
       {std::make_move_iterator(edits.begin()), std::make_move_iterator(edits.end())}});
}

Turns::Group Turns::Take() {
  Group group;
  Room room;
  const size_t fresh = fresh_.size();
  const size_t waiting = waiting_.size();
  for (size_t i = 0; i < fresh && !room.full(); ++i) TakeTurn(&fresh_, &room, &group);
  for (size_t i = 0; i < waiting && (i == 0 || !room.full()); ++i) {
    TakeTurn(&waiting_, &room, &group);
  }
  return group;
}

void Turns::TakeTurn(std::deque<Id>* line, Room* room, Group* group) {
  const Id whose = line->front();
  line->pop_front();
  Share& share = shares_.at(whose);
  int64_t left = share.turn;
  while (left > 0 && !share.pushes.empty()) {
    Push& push = share.pushes.front();
    group->parts.push_back({whose, push.on_committed});
    TakeFrom(&push, &left, room, share, group);
    if (push.edits.empty()) share.pushes.pop_front();
  }
  if (share.pushes.empty()) {
    shares_.erase(whose);
  } else {
    waiting_.push_back(whose);
  }
}

// At least one, be it as large as it may.
void Turns::TakeFrom(Push* push, int64_t* left, Room* room, const Share& share, Group* group) {
  while (*left > 0 && !push->edits.empty()) {
    Submitted& next = push->edits.front();
    const int64_t units = UnitsOf(next);
    *left -= units;
    room->units += units;
    room->time += share.unit * units;
    Forget(next);
    group->edits.push_back(std::move(next));
    ++group->parts.back().edits;
    push->edits.pop_front();
  }
}

void Turns::Took(const Group& group, absl::Span<const uint64_t> work, Duration time) {
  struct Cost {
    uint64_t work = 0;
    int64_t units = 0;
  };
  REQUIRE(work.size() == group.parts.size());
  absl::flat_hash_map<Id, Cost> costs;
  Cost all;
  auto edit = group.edits.begin();
  for (size_t i = 0; i < group.parts.size(); ++i) {
    Cost& cost = costs[group.parts[i].whose];
    int64_t units = 0;
    for (size_t j = 0; j < group.parts[i].edits; ++j) units += UnitsOf(*edit++);
    // Where nothing is known of the work, each unit is as much as any other.
    const uint64_t known = std::max(work[i], static_cast<uint64_t>(units));
    cost.work += known;
    cost.units += units;
    all.work += known;
    all.units += units;
  }
  if (all.units == 0) return;
  mean_ = (mean_ * (kMemory - 1) + time / all.units) / kMemory;
  if (heavy_.size() > kHeavyMax) heavy_.clear();
  for (const auto& [whose, cost] : costs) {
    const double part = static_cast<double>(cost.work) / static_cast<double>(all.work);
    const auto its_time = static_cast<int64_t>(static_cast<double>(time.count()) * part);
    Learn(whose, Duration(its_time / cost.units + 1));
  }
}

void Turns::Learn(const Id& whose, Duration unit) {
  if (unit > kHeavy) {
    heavy_[whose] = unit;
  } else {
    heavy_.erase(whose);
  }
  const auto it = shares_.find(whose);
  if (it == shares_.end()) return;
  Share& share = it->second;
  share.unit = unit;
  share.turn = std::clamp<int64_t>(std::min(share.turn * 2, kTurnTime / unit), 1, kTurnMax);
}

std::vector<std::shared_ptr<const Turns::OnCommitted>> Turns::Drop(const Id& whose,
                                                                   DeviceNumber number) {
  std::vector<std::shared_ptr<const OnCommitted>> dropped;
  const auto it = shares_.find(whose);
  if (it == shares_.end()) return dropped;
  std::erase_if(it->second.pushes, [&](const Push& push) {
    if (push.edits.front().device != number) return false;
    for (const Submitted& submitted : push.edits) Forget(submitted);
    dropped.push_back(push.on_committed);
    return true;
  });
  if (!it->second.pushes.empty()) return dropped;
  shares_.erase(it);
  std::erase(fresh_, whose);
  std::erase(waiting_, whose);
  return dropped;
}

void Turns::Forget(const Submitted& submitted) {
  REQUIRE(bytes_ >= BytesOf(submitted) && units_ >= UnitsOf(submitted));
  bytes_ -= BytesOf(submitted);
  units_ -= UnitsOf(submitted);
}

}  // namespace zhibu::server
