#include "sync/rules/above.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "sync/base/damage.h"
#include "sync/base/status.h"
#include "sync/rules/typed.h"

namespace zhibu {

using records::v1::Organisation;

std::vector<Id> ParentsOf(const Organisation& organisation) {
  std::vector<Id> parents;
  for (const std::string& bytes : {organisation.parent_id(), organisation.host_parent_id()}) {
    if (const auto parent = Id::FromBytes(bytes)) parents.push_back(*parent);
  }
  return parents;
}

std::optional<Id> SuperiorOf(const Organisation& organisation) {
  const std::vector<Id> parents = ParentsOf(organisation);
  return parents.empty() ? std::nullopt : std::optional(parents.front());
}

absl::StatusOr<std::vector<Id>> ParentsOf(Lookup& reader, const Id& organisation) {
  ASSIGN_OR_RETURN(const auto found, Find<Organisation>(reader, organisation));
  return found ? ParentsOf(*found) : std::vector<Id>();
}

absl::StatusOr<std::map<Id, int>> Above(Lookup& reader, const Id& organisation) {
  std::map<Id, int> steps = {{organisation, 0}};
  std::vector<Id> level = {organisation};
  for (int step = 1; !level.empty(); ++step) {
    std::vector<Id> next;
    for (const Id& id : level) {
      const absl::StatusOr<std::vector<Id>> parents = ParentsOf(reader, id);
      // What hangs below one that is damaged loses what is above it, and nothing else.
      if (IsDamagedRow(parents.status())) continue;
      RETURN_IF_ERROR(parents.status());
      for (const Id& parent : *parents) {
        if (steps.try_emplace(parent, step).second) next.push_back(parent);
      }
    }
    level = std::move(next);
  }
  return steps;
}

absl::StatusOr<std::vector<Id>> Below(Lookup& reader, const Id& organisation) {
  std::vector<Id> tree = {organisation};
  std::set<Id> seen = {organisation};
  for (size_t i = 0; i < tree.size(); ++i) {
    const Id parent = tree[i];
    RETURN_IF_ERROR(PassOver(reader.ListRecords(
        TypeOf<Organisation>().number, parent, [&](const Id& id, const RecordState& state) {
          const std::vector<Id> parents = ParentsOf(Parse<Organisation>(state.body));
          if (std::count(parents.begin(), parents.end(), parent) == 0) return;
          if (seen.insert(id).second) tree.push_back(id);
        })));
  }
  return tree;
}

}  // namespace zhibu
