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
