// ASK: the earliest of the writes that nobody has settled holds the field, and all of them stay
// open.
#include <algorithm>
#include <string>

#include "sync/merge/policy.h"

namespace zhibu::merging {
namespace {

using sync::v1::Without;

using sync::v1::FieldTrace;
using Candidates = std::decay_t<decltype(*FieldTrace().mutable_candidates())>;

class Ask final : public MergePolicy {
 public:
  absl::Status Take(const FieldIn& field, absl::string_view raw, const Without&) const override {
    const Touch current = field.touch();
    FieldTrace& trace = field.trace();
    Candidates& open = *trace.mutable_candidates();
    if (open.empty() && current.version.value != 0) {
      AddCandidate(current, field.value(), &open);
    }
    DropSeen(field, &open);
    AddCandidate(field.author().touch, raw, &open);
    std::sort(open.begin(), open.end(),
              [](const auto& a, const auto& b) { return Later(Read(b.touch()), Read(a.touch())); });
    TellOpen(field, open);
    field.Set(field.Own(open[0].value()));
    *trace.mutable_touch() = open[0].touch();
    if (open.size() == 1) open.Clear();
    return absl::OkStatus();
  }

  absl::Status Clear(const FieldIn& field) const override { return Take(field, {}, {}); }

 private:
  static void AddCandidate(const Touch& touch, absl::string_view value, Candidates* open) {
    auto* candidate = open->Add();
    Write(touch, candidate->mutable_touch());
    candidate->set_value(std::string(value));
  }

  // Who saw a candidate has settled it by writing.
  static void DropSeen(const FieldIn& field, Candidates* open) {
    const bool were_open = open->size() > 1;
    auto kept = open->begin();
    for (auto it = open->begin(); it != open->end(); ++it) {
      if (field.author().Saw(Read(it->touch()))) {
        if (were_open) field.outcome().settled.push_back({field.path(), Read(it->touch())});
        continue;
      }
      if (kept != it) kept->Swap(&*it);
      ++kept;
    }
    open->erase(kept, open->end());
  }

  static void TellOpen(const FieldIn& field, const Candidates& open) {
    const Touch& mine = field.author().touch;
    const auto& holder = open[0];
    for (int i = 1; i < open.size(); ++i) {
      const bool news = Read(open[i].touch()) == mine || Read(holder.touch()) == mine;
      if (!news || open[i].value() == holder.value()) continue;
      Conflict& conflict = field.outcome().conflicts.emplace_back();
      conflict.kind = Conflict::Kind::kOpenQuestion;
      conflict.path = field.path();
      conflict.rule = field.rule;
      conflict.kept = holder.value();
      conflict.lost = open[i].value();
      conflict.kept_touch = Read(holder.touch());
      conflict.lost_touch = Read(open[i].touch());
    }
  }
};

}  // namespace

const MergePolicy& AskPolicy() {
  static const Ask kPolicy;
  return kPolicy;
}

}  // namespace zhibu::merging
