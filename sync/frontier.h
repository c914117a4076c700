// Who made a change, and the changes that keep a thing there.
//
//   frontier = the changes that no later change and no deletion had seen
//   there    = its frontier is not empty
//
// What an author has seen is all up to `base`, and all of their own device's. A
// change prunes what its author had seen and adds itself; a deletion only prunes:
//
//   Prune(author, &frontier);
//   Add(author.touch, &frontier);
//
// Internal to the merge (sync/merge.h).
#ifndef ZHIBU_SYNC_FRONTIER_H_
#define ZHIBU_SYNC_FRONTIER_H_

#include <google/protobuf/repeated_field.h>

#include "sync/state.h"
#include "sync/types.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::merging {

using Frontier = google::protobuf::RepeatedPtrField<sync::v1::Tag>;

struct Author {
  DeviceNumber device;
  Version base;
  Touch touch;  // of what they change

  bool Saw(const Touch& t) const { return !t.ConcurrentWith(device, base); }
  bool Saw(const sync::v1::Tag& tag) const;
  bool SawAll(const Frontier& frontier) const;
  bool SawAny(const Frontier& frontier) const;
};

void Prune(const Author& author, Frontier* frontier);
void Add(const Touch& touch, Frontier* frontier);
// Whether the frontier says no more than the touch does.
bool Is(const Frontier& frontier, const Touch& touch);

Touch Read(const sync::v1::Touch& proto);
void Write(const Touch& touch, sync::v1::Touch* proto);
// The order of concurrent writes.
bool Later(const Touch& a, const Touch& b);

}  // namespace zhibu::merging

#endif  // ZHIBU_SYNC_FRONTIER_H_
