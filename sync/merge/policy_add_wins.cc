// ADD_WINS: a set, whose elements have a frontier each. One that an author removes and another
// concurrently adds stays.
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "sync/merge/policy.h"
#include "sync/wire/wire.h"

namespace zhibu::merging {
namespace {

using sync::v1::Without;

using sync::v1::ElementTrace;
using sync::v1::FieldTrace;

class AddWins final : public MergePolicy {
 public:
  absl::Status Take(const FieldIn& field, absl::string_view raw, const Without&) const override {
    const std::vector<absl::string_view> members = MembersOf(field.value());
    const std::vector<absl::string_view> added = MembersOf(raw);
    std::vector<absl::string_view> all;
    std::set_union(members.begin(), members.end(), added.begin(), added.end(),
                   std::back_inserter(all));
    if (!added.empty() && field.RestSpeaksFor()) {
      PutMembers(field, all);
      return absl::OkStatus();
    }
    FieldTrace& trace = field.trace();
    for (const absl::string_view member : added) {
      const bool there = std::binary_search(members.begin(), members.end(), member);
      ElementTrace& element = field.ElementOf(&trace, member, there);
      element.clear_touch();
      Prune(field.author(), element.mutable_frontier());
      Add(field.author().touch, element.mutable_frontier());
    }
    PutMembers(field, all);
    return absl::OkStatus();
  }

  absl::Status Remove(const FieldIn& field, const Without::Removed& removed) const override {
    std::vector<absl::string_view> members = MembersOf(field.value());
    FieldTrace& trace = field.trace();
    for (const std::string& member : removed.elements()) {
      const auto it = std::lower_bound(members.begin(), members.end(), absl::string_view(member));
      if (it == members.end() || *it != member) continue;
      ElementTrace& element = field.ElementOf(&trace, member, true);
      element.clear_touch();
      Prune(field.author(), element.mutable_frontier());
      if (!element.frontier().empty()) continue;  // somebody added it unseen: it stays
      members.erase(it);
      auto& elements = *trace.mutable_elements();
      elements.erase(std::find_if(elements.begin(), elements.end(),
                                  [&](const ElementTrace& e) { return e.key() == member; }));
    }
    PutMembers(field, members);
    return absl::OkStatus();
  }

  void Diff(uint32_t, const FieldRule* rule, absl::string_view before, absl::string_view after,
            Difference difference) const override {
    const auto old_members = MembersOf(before);
    const auto new_members = MembersOf(after);
    for (const absl::string_view member : new_members) {
      if (!std::binary_search(old_members.begin(), old_members.end(), member)) {
        wire::AppendBytesField(rule->number, member, &difference.set);
      }
    }
    Without::Removed removed;
    for (const absl::string_view member : old_members) {
      if (!std::binary_search(new_members.begin(), new_members.end(), member)) {
        removed.add_elements(std::string(member));
      }
    }
    DiffRemoved(*rule, std::move(removed), difference);
  }

 private:
  static void PutMembers(const FieldIn& field, const std::vector<absl::string_view>& members) {
    std::string raw;
    for (const absl::string_view member : members) {
      wire::AppendBytesField(field.rule->number, member, &raw);
    }
    field.Put(field.Own(std::move(raw)));
  }
};

}  // namespace

const MergePolicy& AddWinsPolicy() {
  static const AddWins kPolicy;
  return kPolicy;
}

}  // namespace zhibu::merging
