#include "server/sessions/as_made.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "sync/crypto/handshake.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {
namespace {

using sync::v1::Change;
using sync::v1::Group;

// Whether the groups hold what the edit made, and nothing else.
bool StandsAsMade(const sync::v1::Edit& edit, uint64_t stamp,
                  const std::vector<const Group*>& groups) {
  using Key = std::pair<uint32_t, absl::string_view>;
  absl::flat_hash_map<Key, absl::string_view> bodies;
  for (const Group* group : groups) {
    if (group->stamp() != stamp) return false;
    for (const std::string& trace : group->traces()) {
      if (!trace.empty()) return false;
    }
    for (int i = 0; i < group->bodies_size(); ++i) {
      const auto id = absl::string_view(group->ids()).substr(i * Id::kSize, Id::kSize);
      bodies[{group->type(), id}] = group->bodies(i);
    }
  }
  if (bodies.size() != static_cast<size_t>(edit.changes_size())) return false;
  return std::all_of(edit.changes().begin(), edit.changes().end(), [&](const Change& change) {
    const auto body = bodies.find({change.type(), change.id()});
    return body != bodies.end() && change.kind() == Change::CREATE && body->second == change.set();
  });
}

// By version, the groups of what the device changed last.
std::map<Version, std::vector<int>> OwnGroups(DeviceNumber device, const sync::v1::Update& update) {
  std::map<Version, std::vector<int>> own;
  for (int i = 0; i < update.groups_size(); ++i) {
    const Group& group = update.groups(i);
    if (group.writer() == device.value) own[Version(group.version())].push_back(i);
  }
  return own;
}

}  // namespace

void AsMade::Add(const sync::v1::NumberedEdit& edit) {
  if (bytes_ + edit.edit().size() > kBytesMax) return;
  const bool added =
      pushed_.try_emplace(edit.number(), Pushed{edit.stamp(), edit.edit()}).second;
  if (added) bytes_ += edit.edit().size();
}

void AsMade::TakeOut(DeviceNumber device, const std::vector<Version>& versions,
                     sync::v1::Update* update) {
  if (pushed_.empty()) return;
  const std::map<Version, std::vector<int>> own = OwnGroups(device, *update);
  std::vector<bool> taken_out(static_cast<size_t>(update->groups_size()));
  for (int i = 0; i < update->answers_size(); ++i) {
    sync::v1::Answer& answer = *update->mutable_answers(i);
    const auto node = pushed_.extract(answer.number());
    if (node.empty()) continue;
    const Pushed& pushed = node.mapped();
    bytes_ -= pushed.edit.size();
    const Version version = versions[static_cast<size_t>(i)];
    const auto groups = own.find(version);
    // Another copy of the device may have used the number.
    if (answer.verdict() != sync::v1::MERGED || groups == own.end() ||
        answer.link() != LinkTo(pushed.edit)) {
      continue;
    }
    std::vector<const Group*> made;
    for (const int at : groups->second) made.push_back(&update->groups(at));
    sync::v1::Edit edit;
    if (!edit.ParseFromString(pushed.edit) || !StandsAsMade(edit, pushed.stamp, made)) continue;
    answer.set_as_made_at(version.value);
    for (const int at : groups->second) taken_out[static_cast<size_t>(at)] = true;
  }
  int left = 0;
  for (int i = 0; i < update->groups_size(); ++i) {
    if (taken_out[static_cast<size_t>(i)]) continue;
    if (left != i) update->mutable_groups()->SwapElements(left, i);
    ++left;
  }
  update->mutable_groups()->DeleteSubrange(left, update->groups_size() - left);
}

}  // namespace zhibu::server
