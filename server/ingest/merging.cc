#include "server/ingest/merging.h"

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/merge/merge.h"
#include "sync/wire/canonical.h"
#include "sync/wire/value.h"

namespace zhibu::server {
namespace {

using sync::v1::Change;
using sync::v1::Edit;

// What the records that one edit of a device touches may hold in all.
constexpr size_t kTouchedBytesMax = 8 << 20;
// And those, each time, that authority looks at because of it: a thousand who were at a meeting
// with long minutes, but not a thousand steps of a record of a megabyte.
constexpr size_t kLookedAtBytesMax = 128 << 20;
// Values that others have changed meanwhile, in one edit: there is a note for each, and no person
// looks through more. Made again, it is on top of theirs.
constexpr size_t kConflictsMax = 200;
// What is said to have happened may be so much later than the edit that says it: a phone
// whose clock runs in another zone is no liar.
constexpr int64_t kHappenedMsMax = int64_t{24} * 3600 * 1000;

// Earlier edits, ascending, each once.
absl::Status CheckBuildsOn(const AuditRow& row) {
  // No record is changed twice, so there is no more than one of these to a change.
  if (row.builds_on.size() > kChangesMax) {
    return TooLarge("builds_on", row.builds_on.size(), kChangesMax, "edits");
  }
  uint64_t last = 0;
  for (const uint64_t below : row.builds_on) {
    if (below <= std::exchange(last, below) || below >= row.number.value) {
      return Refuse(sync::v1::MALFORMED,
                    absl::StrCat("builds_on: [", absl::StrJoin(row.builds_on, ", "), "] < ",
                                 row.number.value));
    }
  }
  return absl::OkStatus();
}

// Times that have happened (FieldRule::happened) lie before `latest_ms`, in elements too.
absl::Status CheckHappened(const Fields& fields, absl::string_view set, int64_t latest_ms) {
  absl::Status status;
  for (const FieldRule& rule : fields.rules()) {
    if (!rule.happened && rule.element == nullptr) continue;
    ForEachPayload(*rule.descriptor, set, [&](absl::string_view payload) {
      if (rule.element != nullptr) {
        return status.Update(CheckHappened(*rule.element, payload, latest_ms));
      }
      google::protobuf::Timestamp time;
      time.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
      if (time.seconds() <= latest_ms / 1000) return;
      status.Update(Refuse(sync::v1::BAD_VALUE, rule.descriptor->name()));
    });
  }
  return status;
}

// What the edit says itself is not written down again.
void ForgetBasesAsSaid(const Passage& passage) {
  const auto& changes = passage.edit.changes();
  auto& bases = passage.row.bases;
  const bool as_said =
      std::equal(bases.begin(), bases.end(), changes.begin(), changes.end(),
                 [](uint64_t base, const Change& change) { return base == change.base(); });
  if (as_said) bases.clear();
}

}  // namespace

absl::Status Merging::CheckLimits(const Passage& passage) {
  const AuditRow& row = passage.row;
  if (passage.edit.changes().empty()) {
    return Refuse(sync::v1::MALFORMED, "zhibu.sync.v1.Edit: changes: 0");
  }
  if (passage.composed()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckEditSize(row.edit.size(), passage.edit));
  RETURN_IF_ERROR(CheckCanonicalMessage(*Edit::descriptor(), row.edit));
  return CheckBuildsOn(row);
}

absl::Status Merging::Load(const Passage& passage, Staging* staging) {
  for (const Change& change : passage.edit.changes()) RETURN_IF_ERROR(LoadOne(change, staging));
  // The device's own store does not make such an edit.
  return staging->size() == static_cast<size_t>(passage.edit.changes_size())
             ? absl::OkStatus()
             : Refuse(sync::v1::MALFORMED, "a record twice");
}

absl::Status Merging::LoadOne(const Change& change, Staging* staging) {
  RETURN_IF_ERROR(CheckChange(work_.schema, change));
  const auto [it, fresh] = staging->try_emplace(KeyOf(change));
  if (!fresh) return absl::OkStatus();
  Staged& staged = it->second;
  staged.type = work_.schema.Find(change.type());
  ASSIGN_OR_RETURN(staged.state, work_.writer.GetRecord(it->first));
  if (staged.state.exists) {
    staged.before = PlacesOf(*staged.type, it->first.id, staged.state.body);
  }
  if (staged.state.alive()) staged.body_before = staged.state.body;
  staged.was = staged.state;
  return absl::OkStatus();
}

absl::Status Merging::HideUnseen(const Passage& passage, Staging* staging) {
  ASSIGN_OR_RETURN(const Author judged, offices_.JudgedAs(passage));
  for (const Change& change : passage.edit.changes()) {
    Staged& staged = staging->at(KeyOf(change));
    if (change.kind() != Change::CREATE || !staged.was.exists) continue;
    const Id id = KeyOf(change).id;
    if (MaySee(work_.schema, *staged.type, judged.offices, id, staged.was.body)) continue;
    absl::Status may =
        MayTouch(work_.writer, work_.schema, judged, *staged.type, id, change, staged.was);
    if (may.ok()) continue;
    staged = Staged{.type = staged.type, .hidden = std::move(may)};
  }
  return absl::OkStatus();
}

absl::Status Merging::Merge(const Passage& passage, Version version, Staging* staging) {
  size_t followed_bytes = 0;
  for (const Change& change : passage.edit.changes()) {
    Staged& staged = staging->at(KeyOf(change));
    staged.outcome.followed_bytes = followed_bytes;
    RETURN_IF_ERROR(MergeOne(passage, change, version, &staged));
    followed_bytes = staged.outcome.followed_bytes;
  }
  return absl::OkStatus();
}

absl::Status Merging::MergeOne(const Passage& passage, const Change& change, Version version,
                               Staged* staged) {
  const RecordKey key = KeyOf(change);
  staged->change = &change;
  if (!passage.composed()) {
    ASSIGN_OR_RETURN(const Author judged, offices_.JudgedAs(passage));
    RETURN_IF_ERROR(
        MayTouch(work_.writer, work_.schema, judged, *staged->type, key.id, change, staged->was));
  }
  const Origin origin{.device = passage.row.author,
                      .version = version,
                      .stamp = Believed(passage.row.stamp, work_.environment.now_ms()),
                      .latest = LatestStamp(work_.environment.now_ms()),
                      .base_max = passage.seen_up_to,
                      .made_later = passage.made_later};
  RETURN_IF_ERROR(Apply(staged->type, change, origin, &staged->state, &staged->outcome));
  if (passage.composed()) return absl::OkStatus();
  passage.row.bases.push_back(std::min(change.base(), origin.base_max.value));
  ASSIGN_OR_RETURN(staged->loan, work_.rules.Lend(CaseOf(work_, passage, {}),
                                                  StepOf(work_, passage, key, *staged)));
  return absl::OkStatus();
}

absl::Status Merging::Judge(const Passage& passage, const Staging& staging) {
  size_t touched = 0;
  size_t conflicts = 0;
  size_t looked_at = 0;
  const auto now = [&](const RecordKey& other) -> absl::StatusOr<RecordState> {
    const auto it = staging.find(other);
    absl::StatusOr<RecordState> found =
        it == staging.end() ? work_.writer.GetRecord(other) : it->second.state;
    ASSIGN_OR_RETURN(RecordState state, std::move(found));
    looked_at += state.body.size() + state.trace.size();
    if (looked_at <= kLookedAtBytesMax) return state;
    return TooLarge("records that the edit names", looked_at, kLookedAtBytesMax);
  };
  for (const auto& [key, staged] : staging) {
    RETURN_IF_ERROR(CheckOne(passage, key, staged, now));
    touched += staged.state.body.size() + staged.state.trace.size();
    conflicts += staged.outcome.conflicts.size();
  }
  if (conflicts > kConflictsMax) {
    return TooLarge("edit", conflicts, kConflictsMax, "conflicts");
  }
  if (touched > kTouchedBytesMax) {
    return TooLarge("records of the edit", touched, kTouchedBytesMax);
  }
  // Whoever may not write there is not told what the rules find.
  const Stamp stamp = Believed(passage.row.stamp, work_.environment.now_ms());
  for (const auto& [key, staged] : staging) {
    RETURN_IF_ERROR(
        CheckHappened(staged.type->fields, staged.change->set(), MillisOf(stamp) + kHappenedMsMax));
  }
  const std::vector<Step> steps = StepsOf(work_, passage, staging);
  RETURN_IF_ERROR(work_.rules.Judge(CaseOf(work_, passage, steps)));
  for (const auto& [key, staged] : staging) RETURN_IF_ERROR(staged.hidden);
  ForgetBasesAsSaid(passage);
  return absl::OkStatus();
}

absl::Status Merging::CheckOne(const Passage& passage, const RecordKey& key, const Staged& staged,
                               RecordsNow now) {
  if (staged.state.alive()) RETURN_IF_ERROR(CheckRecord(*staged.type, key.id, staged.state.body));
  RETURN_IF_ERROR(CheckUnknown(*staged.type, staged.was.body, staged.state.body));
  RETURN_IF_ERROR(CheckElements(*staged.type, staged.was.body, staged.state.body));
  RETURN_IF_ERROR(CheckRecordSize(*staged.type, staged.state.body, staged.state.trace));
  ASSIGN_OR_RETURN(const Author judged, offices_.JudgedAs(passage));
  return MayLeave(work_.writer, judged, StepOf(work_, passage, key, staged), staged.loan, now);
}

}  // namespace zhibu::server
