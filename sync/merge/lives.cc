#include "sync/merge/lives.h"

#include "sync/base/reason.h"
#include "sync/merge/node.h"

namespace zhibu::merging {

using sync::v1::FormerLife;
using sync::v1::Tag;
using sync::v1::Without;

absl::Status Lives::Change(absl::string_view set, const Without& without, bool anew) {
  TakePast();
  Touch before = thing_.exists ? thing_.touch : author_.touch;
  int known = 0;
  while (known < former_.size() && Knew(anew, &former_[known])) ++known;
  if (known < former_.size()) {
    Rejoin(&former_[known], &before);
    former_.DeleteSubrange(known, former_.size() - known);
  } else if (anew && (thing_.end || IsElement()) && SawAllGone()) {
    if (former_.size() >= kFormerLivesMax) {
      return TooLarge("edit", static_cast<size_t>(former_.size()) + 1, kFormerLivesMax, "lives");
    }
    Bury();
    before = author_.touch;
  } else if (thing_.end) {
    KeptFromDeletion(author_.touch, *thing_.end);
  }
  Node node(fields_, author_, mode_, path_, &outcome_);
  if (auto status = node.Merge(set, without, before, &thing_.body, &thing_.trace); !status.ok()) {
    return status;
  }
  for (FormerLife& life : former_) {
    if (auto status = Follow(set, without, &life); !status.ok()) return status;
  }
  Prune(author_, &deleted_);
  Prune(author_, thing_.trace.mutable_frontier());
  Add(author_.touch, thing_.trace.mutable_frontier());
  thing_.touch = author_.touch;
  thing_.end.reset();
  thing_.exists = true;
  KeepPast();
  return absl::OkStatus();
}

void Lives::Delete() {
  if (!thing_.exists || thing_.end) return;
  TakePast();
  for (const Tag& tag : thing_.trace.frontier()) {
    if (author_.Saw(tag)) *deleted_.Add() = tag;
  }
  Prune(author_, thing_.trace.mutable_frontier());
  if (thing_.trace.frontier().empty()) {
    thing_.end = author_.touch;
  } else {
    KeptFromDeletion(thing_.touch, author_.touch);
  }
  KeepPast();
}

void Lives::TakePast() {
  deleted_.Swap(thing_.trace.mutable_deleted());
  former_.Swap(thing_.trace.mutable_former_lives());
  if (thing_.end && deleted_.empty()) Add(thing_.touch, &deleted_);
}

void Lives::KeepPast() {
  if (thing_.end && Is(deleted_, thing_.touch)) deleted_.Clear();
  deleted_.Swap(thing_.trace.mutable_deleted());
  former_.Swap(thing_.trace.mutable_former_lives());
}

bool Lives::SawAllGone() const {
  return thing_.exists && author_.SawAll(thing_.trace.frontier()) && author_.SawAll(deleted_);
}

// Whether the author knew that this life had ended: from those who made the thing
// anew, or because they do so themselves and had seen all of it gone.
bool Lives::Knew(bool anew, FormerLife* life) const {
  if (author_.SawAny(life->founders())) return true;
  if (!anew || !author_.SawAll(life->trace().frontier())) return false;
  Add(author_.touch, life->mutable_founders());
  return true;
}

void Lives::Bury() {
  FormerLife& life = *former_.Add();
  Write(thing_.touch, life.mutable_touch());
  Write(thing_.end ? *thing_.end : author_.touch, life.mutable_removal());
  life.set_body(std::move(thing_.body));
  life.mutable_trace()->Swap(&thing_.trace);
  life.mutable_trace()->mutable_frontier()->MergeFrom(deleted_);
  Add(author_.touch, life.mutable_founders());
  deleted_.Clear();
  thing_.body.clear();
}

// Its author knew neither that this life had ended nor that a new one began:
// the two are one.
void Lives::Rejoin(FormerLife* life, Touch* before) {
  KeptFromDeletion(author_.touch, thing_.end ? *thing_.end : Read(life->removal()));
  *before = Read(life->touch());
  thing_.body = std::move(*life->mutable_body());
  life->mutable_trace()->mutable_frontier()->Swap(thing_.trace.mutable_frontier());
  thing_.trace.Swap(life->mutable_trace());
}

absl::Status Lives::Follow(absl::string_view set, const Without& without, FormerLife* life) const {
  constexpr size_t kEachBytes = 4096;  // that it is followed at all
  outcome_.followed_bytes += set.size() + life->ByteSizeLong() + kEachBytes;
  if (outcome_.followed_bytes > kFollowedBytesMax) {
    return TooLarge("edit", outcome_.followed_bytes, kFollowedBytesMax);
  }
  Outcome untold{.followed_bytes = outcome_.followed_bytes};
  Node node(fields_, author_, Mode::kFormer, path_, &untold);
  auto status =
      node.Merge(set, without, Read(life->touch()), life->mutable_body(), life->mutable_trace());
  Write(author_.touch, life->mutable_touch());
  outcome_.followed_bytes = untold.followed_bytes;
  return status;
}

void Lives::KeptFromDeletion(const Touch& kept, const Touch& lost) {
  Conflict& conflict = outcome_.conflicts.emplace_back();
  conflict.kind = Conflict::Kind::kKeptFromDeletion;
  conflict.path = path_;
  conflict.kept_touch = kept;
  conflict.lost_touch = lost;
}

}  // namespace zhibu::merging
