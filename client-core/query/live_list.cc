#include "client-core/query/live_list.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "sync/base/require.h"
#include "sync/base/status.h"

namespace zhibu::client {
namespace {

// More than that are looked for by reading all.
constexpr size_t kTouchedMax = Changes::kKeysMax;

size_t DigestOf(const google::protobuf::Message& record) {
  return std::hash<std::string>()(record.SerializePartialAsString());
}

// The longest run of places that ascend: what is in it stays, the rest is moved.
std::vector<bool> Staying(const std::vector<size_t>& places) {
  std::vector<size_t> ends;  // of the best run of each length, by index
  std::vector<size_t> before(places.size(), SIZE_MAX);
  for (size_t i = 0; i < places.size(); ++i) {
    const auto at = std::lower_bound(ends.begin(), ends.end(), i,
                                     [&](size_t a, size_t b) { return places[a] < places[b]; });
    if (at != ends.begin()) before[i] = *std::prev(at);
    if (at == ends.end()) {
      ends.push_back(i);
    } else {
      *at = i;
    }
  }
  std::vector<bool> stays(places.size(), false);
  for (size_t i = ends.empty() ? SIZE_MAX : ends.back(); i != SIZE_MAX; i = before[i]) {
    stays[i] = true;
  }
  return stays;
}

void AddDifferent(const std::set<RecordKey>& before, const std::set<RecordKey>& now, uint32_t type,
                  std::set<Id>* ids) {
  std::vector<RecordKey> different;
  std::set_symmetric_difference(before.begin(), before.end(), now.begin(), now.end(),
                                std::back_inserter(different));
  for (const RecordKey& key : different) {
    if (key.type == type) ids->insert(key.id);
  }
}

}  // namespace

LiveList::LiveList(Store* store, Selection selection, size_t window)
    : store_(*store), selection_(std::move(selection)), window_(window) {}

void LiveList::Happened(const Changes& changes) {
  absl::MutexLock lock(&mutex_);
  happenings_.any = true;
  for (const RecordKey& key : changes.keys) {
    if (key.type == selection_.type().number) happenings_.touched.insert(key.id);
  }
  if (changes.all || happenings_.touched.size() > kTouchedMax) happenings_.all = true;
  if (happenings_.all) happenings_.touched.clear();
}

LiveList::Happenings LiveList::TakeHappenings() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(happenings_, {});
}

absl::StatusOr<std::optional<Difference>> LiveList::Next() {
  const Happenings happened = TakeHappenings();
  if (!happened.any) return std::optional<Difference>();
  absl::StatusOr<Difference> difference = Become(happened);
  if (!difference.ok()) {
    absl::MutexLock lock(&mutex_);
    happenings_ = {.any = true, .all = true};
    return difference.status();
  }
  const bool known_anew = std::exchange(told_, difference->known) != difference->known;
  const bool first = happened.all && shown_.empty();
  if (difference->empty() && !known_anew && !first) return std::optional<Difference>();
  return std::optional<Difference>(*std::move(difference));
}

absl::StatusOr<Difference> LiveList::Become(const Happenings& happened) {
  ASSIGN_OR_RETURN(KnownBeside known, ReadKnownBeside(store_));
  std::set<Id> touched = happened.touched;
  AddMarkedAnew(known_, known, &touched);
  known_ = std::move(known);
  if (happened.all) {
    RETURN_IF_ERROR(Reread());
    touched.clear();
    for (const Id& id : Window()) touched.insert(id);
  }
  ASSIGN_OR_RETURN(Rows fresh, Update(touched));
  ASSIGN_OR_RETURN(Difference difference, Compare(std::move(fresh)));
  RETURN_IF_ERROR(AddKnown(&difference));
  return difference;
}

absl::Status LiveList::Reread() {
  ASSIGN_OR_RETURN(const std::vector<Keyed> all, SelectAll(store_, selection_, &damage_));
  in_order_.clear();
  keys_.clear();
  for (const Keyed& keyed : all) Place(keyed.id, keyed.key);
  return absl::OkStatus();
}

void LiveList::AddMarkedAnew(const KnownBeside& before, const KnownBeside& now,
                             std::set<Id>* touched) const {
  const uint32_t type = selection_.type().number;
  AddDifferent(before.returned, now.returned, type, touched);
  AddDifferent(before.held, now.held, type, touched);
  AddDifferent(before.in_conflict, now.in_conflict, type, touched);
}

absl::StatusOr<LiveList::Rows> LiveList::Update(const std::set<Id>& touched) {
  Rows fresh;
  std::vector<Id> ids(touched.begin(), touched.end());
  while (!ids.empty()) {
    ASSIGN_OR_RETURN(std::vector<Row> rows, ShowRows(store_, selection_.type(), ids, known_));
    for (const Id& id : ids) Place(id, std::nullopt);
    for (Row& row : rows) {
      const Id id = row.draft.id();
      Place(id, selection_.KeyOf(id, row.draft.message()));
      fresh.emplace(id, std::move(row));
    }
    ids = Unread(fresh);
  }
  return fresh;
}

std::vector<Id> LiveList::Unread(const Rows& fresh) const {
  absl::flat_hash_set<Id> known;
  for (const Shown& shown : shown_) known.insert(shown.id);
  std::vector<Id> ids = Window();
  const auto read = [&](const Id& id) { return known.contains(id) || fresh.contains(id); };
  ids.erase(std::remove_if(ids.begin(), ids.end(), read), ids.end());
  return ids;
}

void LiveList::Place(const Id& id, const std::optional<std::string>& key) {
  if (const auto known = keys_.find(id); known != keys_.end()) {
    if (key && known->second == *key) return;
    in_order_.erase({known->second, id});
    keys_.erase(known);
  }
  if (!key) return;
  in_order_.insert({*key, id});
  keys_.emplace(id, *key);
}

std::vector<Id> LiveList::Window() const {
  std::vector<Id> ids;
  for (auto at = in_order_.begin(); at != in_order_.end() && ids.size() < window_; ++at) {
    ids.push_back(at->id);
  }
  return ids;
}

absl::StatusOr<Difference> LiveList::Compare(Rows fresh) {
  const std::vector<Id> window = Window();
  absl::flat_hash_map<Id, size_t> was;
  for (size_t i = 0; i < shown_.size(); ++i) was.emplace(shown_[i].id, i);
  std::vector<size_t> kept;  // the places that they had, in the order that they have
  for (const Id& id : window) {
    if (const auto at = was.find(id); at != was.end()) kept.push_back(at->second);
  }
  const std::vector<bool> stays = Staying(kept);

  Difference difference;
  std::vector<Shown> shown;
  size_t nth = 0;  // of those that are kept
  for (size_t at = 0; at < window.size(); ++at) {
    const auto old = was.find(window[at]);
    const auto read = fresh.find(window[at]);
    if (old != was.end() && !stays[nth++]) difference.moved.push_back({old->second, at});
    if (read == fresh.end()) {
      REQUIRE(old != was.end());  // nobody touched it
      shown.push_back(shown_[old->second]);
      continue;
    }
    Row& row = read->second;
    shown.push_back({row.draft.id(), DigestOf(row.draft.message()), row.marks});
    if (old == was.end()) {
      difference.inserted.push_back({at, std::move(row)});
      continue;
    }
    const bool same_body = shown_[old->second].body == shown.back().body;
    if (same_body && shown_[old->second].marks == row.marks) continue;
    difference.changed.push_back({at, std::move(row), same_body});
  }
  for (const Id& id : window) was.erase(id);
  for (const auto& [id, place] : was) difference.removed.push_back(place);
  std::sort(difference.removed.begin(), difference.removed.end());
  difference.selected = in_order_.size();
  difference.damage = damage_;
  shown_ = std::move(shown);
  return difference;
}

absl::Status LiveList::AddKnown(Difference* difference) {
  ASSIGN_OR_RETURN(const SyncState state, store_.State());
  difference->as_of_ms = state.last_success_ms;
  difference->known = state.last_success_ms == 0                   ? Difference::Known::kNotYet
                      : state.progress_done < state.progress_total ? Difference::Known::kInPart
                                                                   : Difference::Known::kWhole;
  return absl::OkStatus();
}

}  // namespace zhibu::client
