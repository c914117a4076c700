#include "server/store/layout.h"

#include <sodium.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/environment.h"
#include "zhibu/stored/v1/server.pb.h"

namespace zhibu::server::layout {
namespace {

constexpr int kNumbers = 6;  // of a sum: see stored.v1.SumsOfYear
constexpr int32_t kMonths = 12;

std::string OfRecord(const char* column, const RecordKey& key) {
  return absl::StrCat(column, "/", key.type, "/", Hex(key.id.bytes()));
}

std::string OfEdit(const char* column, DeviceNumber device, EditNumber number) {
  return absl::StrCat(column, "/", device.value, "/", number.value);
}

}  // namespace

std::string Body(const RecordKey& key) { return OfRecord("record.body", key); }
std::string Trace(const RecordKey& key) { return OfRecord("record.trace", key); }
std::string Edit(DeviceNumber device, EditNumber number) {
  return OfEdit("audit.edit", device, number);
}
std::string Answer(DeviceNumber device, EditNumber number) {
  return OfEdit("audit.answer", device, number);
}
std::string Name(DeviceNumber device) { return absl::StrCat("device.name/", device.value); }
std::string Setting(absl::string_view name) { return absl::StrCat("setting.value/", name); }
std::string SumsOf(const Id& organisation, int64_t year) {
  return absl::StrCat("sums.entries/", Hex(organisation.bytes()), "/", year);
}

std::string BesideOf(const AuditRow& row) {
  stored::v1::Beside beside;
  if (row.author != row.device) beside.set_author(row.author.value);
  if (!row.decided_by.empty()) beside.set_decided_by(row.decided_by.str());
  beside.mutable_builds_on()->Add(row.builds_on.begin(), row.builds_on.end());
  beside.set_withdrawn(row.withdrawn);
  beside.set_sent(row.sent.value);
  beside.mutable_bases()->Add(row.bases.begin(), row.bases.end());
  return beside.SerializeAsString();
}

Damage DamageOf(const AuditRow& row) {
  return {.what = Damage::What::kEdit, .device = row.device, .edit = row.number};
}

void FillIn(std::optional<std::string> edit, const std::optional<std::string>& answer,
            absl::string_view beside, AuditRow* row) {
  stored::v1::Beside stood;
  if (!edit || !answer || !row->answer.ParseFromString(*answer) ||
      !stood.ParseFromArray(beside.data(), static_cast<int>(beside.size()))) {
    row->answer.Clear();
    row->damaged = true;
    return;
  }
  row->edit = *std::move(edit);
  if (stood.author() != 0) row->author = DeviceNumber(stood.author());
  row->decided_by = Id::FromBytes(stood.decided_by()).value_or(Id());
  row->builds_on.assign(stood.builds_on().begin(), stood.builds_on().end());
  row->withdrawn = stood.withdrawn();
  row->sent = Version(stood.sent());
  row->bases.assign(stood.bases().begin(), stood.bases().end());
}

bool FillIn(const std::optional<std::string>& answer, sync::v1::Verdict verdict, uint64_t link,
            Answered* answered) {
  const bool whole = answer && answered->answer.ParseFromString(*answer);
  if (!whole) {
    answered->answer.Clear();
    answered->answer.set_number(answered->number.value);
    answered->answer.set_verdict(verdict);
    if (verdict != sync::v1::MERGED) answered->answer.set_reason(sync::v1::SERVER_FAULT);
  }
  answered->answer.set_link(link);
  return whole;
}

std::string DigestOfCode(absl::string_view code) {
  std::string digest(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(),
                     reinterpret_cast<const unsigned char*>(code.data()), code.size(), nullptr, 0);
  return digest;
}

std::map<int64_t, SumChanges> ByYear(const SumChanges& changes) {
  std::map<int64_t, SumChanges> by_year;
  static_assert(kAllTimes / kMonths == kAllYears);
  for (const auto& [key, change] : changes) by_year[key.month / kMonths].emplace(key, change);
  return by_year;
}

void AddTo(const SumChanges& changes, SumChanges* sums) {
  for (const auto& [key, change] : changes) {
    const auto it = sums->emplace(key, Sum()).first;
    it->second += change;
    if (it->second.empty()) sums->erase(it);
  }
}

std::string PackSums(const SumChanges& sums) {
  stored::v1::SumsOfYear stored;
  stored.mutable_numbers()->Reserve(static_cast<int>(sums.size()) * kNumbers);
  for (const auto& [key, sum] : sums) {
    for (const int64_t number : {int64_t{key.figure}, int64_t{key.by}, int64_t{key.month},
                                 key.bucket, sum.amount, sum.records}) {
      stored.add_numbers(number);
    }
  }
  return stored.SerializeAsString();
}

bool VisitSums(absl::string_view bytes, absl::FunctionRef<void(const SumKey&, const Sum&)> visit) {
  stored::v1::SumsOfYear stored;
  if (!stored.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  const auto& numbers = stored.numbers();
  for (int i = 0; i + kNumbers <= numbers.size(); i += kNumbers) {
    visit({static_cast<uint32_t>(numbers[i]), static_cast<uint32_t>(numbers[i + 1]),
           static_cast<int32_t>(numbers[i + 2]), numbers[i + 3]},
          {numbers[i + 4], numbers[i + 5]});
  }
  return true;
}

std::optional<SumChanges> UnpackSums(const std::optional<std::string>& bytes) {
  SumChanges sums;
  const auto add = [&](const SumKey& key, const Sum& sum) {
    sums.emplace_hint(sums.end(), key, sum);  // they stand in order
  };
  if (!bytes || !VisitSums(*bytes, add)) return std::nullopt;
  return sums;
}

FeedRows Move(const FeedRows& were, const Showing& showing, Version version) {
  std::map<FeedState, uint32_t> rows;  // the offices of each
  uint32_t fresh = showing.offices;
  for (const auto& [offices, was] : were) {
    fresh &= ~offices;
    const uint32_t see = offices & showing.offices;
    const uint32_t moved = was.present ? see & showing.moved : see;
    const uint32_t gone = was.present ? offices & ~see : 0;
    rows[was] |= offices & ~moved & ~gone;
    rows[{version, true, was.since}] |= moved;
    rows[{version, false, was.since}] |= gone;
  }
  rows[{version, true, version}] |= fresh;
  FeedRows are;
  for (const auto& [row, offices] : rows) {
    if (offices != 0) are[offices] = row;
  }
  return are;
}

bool SameOffices(const FeedRows& one, const FeedRows& other) {
  return one.size() == other.size() &&
         std::equal(one.begin(), one.end(), other.begin(),
                    [](const auto& a, const auto& b) { return a.first == b.first; });
}

std::vector<Showing> AllShowings(absl::Span<const Id> before, absl::Span<const Showing> after) {
  std::vector<Showing> all(after.begin(), after.end());
  for (Showing& showing : all) {
    showing.offices |= kLiesThere;
    showing.moved |= kLiesThere;
  }
  for (const Id& scope : before) {
    const bool there = std::any_of(after.begin(), after.end(),
                                   [&](const Showing& showing) { return showing.scope == scope; });
    if (!there) all.push_back({scope, 0});
  }
  return all;
}

bool Storable(const RecordState& state) {
  constexpr uint64_t kHighest = std::numeric_limits<int64_t>::max();
  return state.exists && state.touch.version.value <= kHighest &&
         (!state.deletion.has_value() || state.deletion->version.value <= kHighest);
}

}  // namespace zhibu::server::layout
