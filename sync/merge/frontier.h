// Who made a change, and the changes that keep a thing there.
//
//   frontier = the changes that no later change and no deletion had seen
//   there    = its frontier is not empty
//
// What an author has seen is all up to `base`, and all of their own device's but for
// what it made after this (`made_later`: an edit that waited for a decision). A change
// prunes what its author had seen and adds itself; a deletion only prunes:
//
//   Prune(author, &frontier);
//   Add(author.touch, &frontier);
//
// Internal to the merge (sync/merge/merge.h).
#ifndef ZHIBU_SYNC_MERGE_FRONTIER_H_
#define ZHIBU_SYNC_MERGE_FRONTIER_H_

#include <google/protobuf/repeated_field.h>

#include "absl/container/flat_hash_set.h"
#include "sync/base/types.h"
#include "sync/merge/state.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu::merging {

using Frontier = google::protobuf::RepeatedPtrField<sync::v1::Tag>;

struct Author {
  DeviceNumber device;
  Version base;
  Touch touch;   // of what they change
  Stamp latest;  // see Origin
  // Versions of what the same device made after this. Null: nothing.
  const absl::flat_hash_set<Version>* made_later = nullptr;

  bool Saw(const Touch& t) const { return Saw(t.version, t.writer); }
  bool Saw(const sync::v1::Tag& tag) const {
    return Saw(Version(tag.version()), DeviceNumber(tag.writer()));
  }
  bool Saw(Version version, DeviceNumber writer) const;
  bool SawAll(const Frontier& frontier) const;
  bool SawAny(const Frontier& frontier) const;
  // Of a write that they have not seen: whether theirs wins.
  bool Beats(const Touch& t) const;
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

#endif  // ZHIBU_SYNC_MERGE_FRONTIER_H_
