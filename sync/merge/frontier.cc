#include "sync/merge/frontier.h"

#include <algorithm>
#include <utility>

namespace zhibu::merging {

using sync::v1::Tag;

bool Author::Saw(Version version, DeviceNumber writer) const {
  if (writer != device) return version <= base;
  return made_later == nullptr || !made_later->contains(version);
}

bool Author::SawAll(const Frontier& frontier) const {
  return std::all_of(frontier.begin(), frontier.end(), [&](const Tag& tag) { return Saw(tag); });
}

bool Author::SawAny(const Frontier& frontier) const {
  return std::any_of(frontier.begin(), frontier.end(), [&](const Tag& tag) { return Saw(tag); });
}

bool Author::Beats(const Touch& t) const { return t.stamp > latest || Later(touch, t); }

void Prune(const Author& author, Frontier* frontier) {
  frontier->erase(std::remove_if(frontier->begin(), frontier->end(),
                                 [&](const Tag& tag) { return author.Saw(tag); }),
                  frontier->end());
}

void Add(const Touch& touch, Frontier* frontier) {
  Tag* tag = frontier->Add();
  tag->set_version(touch.version.value);
  tag->set_writer(touch.writer.value);
}

bool Is(const Frontier& frontier, const Touch& touch) {
  return frontier.size() == 1 && frontier[0].version() == touch.version.value &&
         frontier[0].writer() == touch.writer.value;
}

Touch Read(const sync::v1::Touch& proto) {
  return {Version(proto.version()), DeviceNumber(proto.writer()), Stamp(proto.stamp())};
}

void Write(const Touch& touch, sync::v1::Touch* proto) {
  proto->set_version(touch.version.value);
  proto->set_writer(touch.writer.value);
  proto->set_stamp(touch.stamp.value);
}

bool Later(const Touch& a, const Touch& b) {
  return std::pair(a.stamp, a.writer) > std::pair(b.stamp, b.writer);
}

}  // namespace zhibu::merging
