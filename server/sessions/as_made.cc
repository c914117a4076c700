#include "server/sessions/as_made.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sync/crypto/handshake.h"
#include "zhibu/sync/v1/edit.pb.h"

namespace zhibu::server {
namespace {

using sync::v1::Change;
using sync::v1::Group;

// Digests of several records are put together by exclusive or: an edit has no record twice, and who
// finds two records of one digest deceives no device but their own.
uint64_t DigestOf(uint32_t type, absl::string_view id, absl::string_view body) {
  return LinkTo(absl::StrCat(absl::Hex(type, absl::kZeroPad8), id, body));
}

// Whether nothing is remembered of them but who wrote them last.
bool Untraced(const Group& group) {
  return std::all_of(group.traces().begin(), group.traces().end(),
                     [](const std::string& trace) { return trace.empty(); });
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

void AsMade::NotePushed(const sync::v1::NumberedEdit& numbered) {
  sync::v1::Edit edit;
  if (pushed_.size() >= kEditsMax || !edit.ParseFromString(numbered.edit())) return;
  const bool makes_all =
      std::all_of(edit.changes().begin(), edit.changes().end(),
                  [](const Change& change) { return change.kind() == Change::CREATE; });
  if (!makes_all) return;
  Pushed pushed{LinkTo(numbered.edit()), numbered.stamp(), edit.changes_size()};
  for (const Change& change : edit.changes()) {
    pushed.digest ^= DigestOf(change.type(), change.id(), change.set());
  }
  pushed_[numbered.number()] = pushed;
}

void AsMade::LeaveOutOwn(DeviceNumber device, const std::vector<Version>& versions,
                         sync::v1::Update* update) {
  if (pushed_.empty()) return;
  const std::map<Version, std::vector<int>> own = OwnGroups(device, *update);
  std::vector<bool> left_out(static_cast<size_t>(update->groups_size()));
  for (int i = 0; i < update->answers_size(); ++i) {
    sync::v1::Answer& answer = *update->mutable_answers(i);
    const auto node = pushed_.extract(answer.number());
    // Another copy of the device may have used the number.
    if (node.empty() || answer.verdict() != sync::v1::MERGED ||
        answer.link() != node.mapped().link) {
      continue;
    }
    const Version version = versions[static_cast<size_t>(i)];
    const auto groups = own.find(version);
    if (groups == own.end() || !Stands(node.mapped(), groups->second, *update)) continue;
    answer.set_as_made_at(version.value);
    for (const int at : groups->second) left_out[static_cast<size_t>(at)] = true;
  }
  int left = 0;
  for (int i = 0; i < update->groups_size(); ++i) {
    if (left_out[static_cast<size_t>(i)]) continue;
    if (left != i) update->mutable_groups()->SwapElements(left, i);
    ++left;
  }
  update->mutable_groups()->DeleteSubrange(left, update->groups_size() - left);
}

bool AsMade::Stands(const Pushed& pushed, const std::vector<int>& groups,
                    const sync::v1::Update& update) {
  int records = 0;
  uint64_t digest = 0;
  for (const int at : groups) {
    const Group& group = update.groups(at);
    if (group.stamp() != pushed.stamp || !Untraced(group)) return false;
    records += group.bodies_size();
    for (int i = 0; i < group.bodies_size(); ++i) {
      const auto id =
          absl::string_view(group.ids()).substr(static_cast<size_t>(i) * Id::kSize, Id::kSize);
      digest ^= DigestOf(group.type(), id, group.bodies(i));
    }
  }
  return records == pushed.records && digest == pushed.digest;
}

}  // namespace zhibu::server
