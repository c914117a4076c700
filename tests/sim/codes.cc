// The judge of codes: what the server makes of them, against what is known to have
// been shown, by whom and when.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/sim/ledger.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using google::protobuf::Message;
using records::v1::CheckIn;
using records::v1::Meeting;
using sync::v1::Change;

namespace {

// As docs/check-in.md has it.
constexpr int64_t kStepMs = 30'000;
constexpr int64_t kFreshMs = 120'000;
constexpr int64_t kDayMs = 86'400'000;

constexpr uint32_t kShowing = 1u << SECRETARY | 1u << DEPUTY | 1u << COMMITTEE | 1u << GROUP_LEADER;

// Empty: the change brings no code into a check-in.
std::string CodeOf(const Change& change) {
  CheckIn set;
  if (change.type() != TypeOf(CheckIn::descriptor()) || !set.ParseFromString(change.set())) {
    return "";
  }
  return set.codes().empty() ? "" : set.codes(0);
}

// Whether the record was never said to be of another branch.
template <typename T>
bool OnlyEverOf(const Ledger::Record* record, const Id& branch) {
  if (record == nullptr) return true;
  return std::all_of(record->history.begin(), record->history.end(), [&](const Accepted& one) {
    T set;
    set.ParseFromString(one.change.set());
    return set.branch_id().empty() || set.branch_id() == branch.bytes();
  });
}

int64_t ScannedAt(const server::AuditRow& audit) {
  return static_cast<int64_t>(audit.stamp.value >> 16);
}

}  // namespace

const Ledger::Shown* Ledger::CodeIn(const Change& change) const {
  const auto it = shown_.find(CodeOf(change));
  return it == shown_.end() ? nullptr : &it->second;
}

std::string Ledger::Objection(const Row& row, const Message& message, const Shown& shown) const {
  const auto& check_in = static_cast<const CheckIn&>(message);
  const auto author = persons_.find(row.author.value);
  if (author == persons_.end() || check_in.member_id() != author->second.bytes()) {
    return "somebody else scanned it";
  }
  if (check_in.activity_id() != shown.activity.bytes() ||
      check_in.branch_id() != shown.branch.bytes()) {
    return "it is of another activity or branch";
  }
  const Record* meeting = Find({TypeOf(Meeting::descriptor()), shown.activity});
  if (meeting != nullptr && meeting->expected.alive && !meeting->expected.unclear &&
      static_cast<const Meeting&>(*meeting->expected.message).branch_id() != shown.branch.bytes()) {
    return "the meeting is another branch's";
  }
  if (persons_.count(shown.device.value) == 0) return "the server does not know the device";
  const int64_t scanned = ScannedAt(row.audit);
  const bool clock_off = scanned - shown.at_ms < -kFreshMs || scanned - shown.at_ms > kDayMs;
  std::vector<int64_t> times = {shown.at_ms, shown.at_ms + kStepMs - 1};
  if (clock_off) times.insert(times.end(), {scanned, row.audit.received_ms});
  if (std::none_of(times.begin(), times.end(), [&](int64_t time) {
        return (OfficesIn(shown.person, shown.branch, time) & kShowing) != 0;
      })) {
    return "whoever showed it had no office";
  }
  return "";
}

void Ledger::JudgeScan(const Row& row, const Change& change, const Message& check_in) {
  if (CodeOf(change).empty()) return;
  const RecordKey key{change.type(), Id::FromBytes(change.id()).value_or(Id())};
  const Shown* shown = CodeIn(change);
  const std::string objection =
      shown == nullptr ? "nobody has shown it" : Objection(row, check_in, *shown);
  if (!objection.empty()) {
    Doubt(row.audit, kCodes, absl::StrCat("a code was taken, though ", objection), key);
  }
  if (shown == nullptr) return;
  const int64_t after = ScannedAt(row.audit) - shown->at_ms;
  scans_[key].push_back({shown->device, after >= -kFreshMs && after <= kStepMs + kFreshMs});
}

bool Ledger::ReturnedForNothing(const Row& row) const {
  const sync::v1::Reason reason = row.audit.answer.reason();
  if (reason < sync::v1::CODE_INVALID || reason > sync::v1::CODE_OF_OTHER_MEMBER) return false;
  bool scanned = false;  // a decision on somebody's held scan has no code of its own
  for (const Change& change : row.edit.changes()) {
    const std::string code = CodeOf(change);
    if (code.empty()) continue;
    scanned = true;
    const Shown* shown = CodeIn(change);
    if (shown == nullptr || shows_no_more_.count(shown->device) > 0) return false;
    CheckIn set;
    set.ParseFromString(change.set());
    const RecordKey key{change.type(), *Id::FromBytes(change.id())};
    // When the others of its batch came is not known: only what never was otherwise
    // is certain.
    if (!OnlyEverOf<Meeting>(Find({TypeOf(Meeting::descriptor()), shown->activity}),
                             shown->branch) ||
        !OnlyEverOf<CheckIn>(Find(key), shown->branch)) {
      return false;
    }
    // The record as it would have been.
    CheckIn check_in;
    if (const Record* record = Find(key)) check_in.CopyFrom(*record->expected.message);
    check_in.MergeFrom(set);
    if (!Objection(row, check_in, *shown).empty()) return false;
  }
  return scanned;
}

// A code of a device that was revoked since is verified or marked, as it came before
// or after.
void Ledger::CheckStandings() {
  const uint32_t type = TypeOf(CheckIn::descriptor());
  verified_ = 0;
  for (auto it = records_.lower_bound({type, Id()}); it != records_.end() && it->first.type == type;
       ++it) {
    const auto& [key, record] = *it;
    const auto& check_in = static_cast<const CheckIn&>(*record.expected.message);
    int least = CheckIn::STANDING_UNSPECIFIED;
    int most = CheckIn::STANDING_UNSPECIFIED;
    for (const Scan& scan : scans_[key]) {
      const int due = scan.fresh ? CheckIn::VERIFIED : CheckIn::MARKED;
      most = std::max(most, due);
      least = std::max<int>(least, shows_no_more_.count(scan.display) > 0 ? CheckIn::MARKED : due);
    }
    if (check_in.standing() == CheckIn::VERIFIED) ++verified_;
    // Made anew it has a standing of its own, but never a better one.
    const bool ended = std::any_of(record.history.begin(), record.history.end(),
                                   [](const auto& a) { return a.change.kind() == Change::DELETE; });
    if (record.expected.unclear || !record.expected.alive) continue;
    if (check_in.standing() > most || (!ended && check_in.standing() < least)) {
      Fail(kCodes,
           absl::StrCat(NameOf(key), " is ", CheckIn::Standing_Name(check_in.standing()),
                        ", and should be ",
                        CheckIn::Standing_Name(static_cast<CheckIn::Standing>(least))),
           key);
    }
    if (check_in.standing() == CheckIn::VERIFIED && !check_in.marks().empty()) {
      Fail(kCodes, absl::StrCat(NameOf(key), " is verified, and marked"), key);
    }
  }
}

}  // namespace zhibu::sim
