#include "server/feed/incarnation.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/feed/cursor.h"
#include "server/feed/damage.h"
#include "server/feed/sight.h"
#include "server/feed/sown.h"
#include "sync/base/status.h"

namespace zhibu::server {
namespace {

constexpr size_t kIncarnationBytes = 8;
// What the new life gives lies above all that an earlier one can have given, in
// the backup or after it or in a life that was restored from the same backup: versions
// follow the clock, no scope moves more often than they do, and devices are not enrolled as
// often for so long.
constexpr uint64_t kVersionsPerMs = 256;
constexpr int64_t kDevicesPerMinute = 64;
// Devices to a transaction.
constexpr size_t kMarkedAtOnce = 500;
constexpr int64_t k2026Ms = 1'767'225'600'000;

// Name in the settings of the store: what was ever declared, and who may read it, when a
// server last began that knew it. "2=447/447 2.5=46/0 …", and fields of elements, which
// have no audience of their own.
constexpr char kAudiences[] = "audiences";
constexpr char kNoAudience[] = "-";

using Audiences = std::map<std::string, std::string>;

// By state: "447/447/0:2/1:1".
void AddHostSights(const FieldRule& states, std::string* audience) {
  const std::map<int, HostSight> sights(states.at_host.begin(), states.at_host.end());
  for (const auto& [state, sight] : sights) absl::StrAppend(audience, "/", state, ":", sight);
}

Audiences AudiencesOf(const Schema& schema) {
  Audiences audiences;
  for (const std::string& field : FieldsOf(schema)) audiences[field] = kNoAudience;
  const auto add = [&](const std::string& what, const Eyes& readers) {
    audiences[what] = absl::StrCat(readers.at_home, "/", readers.as_host);
  };
  for (const RecordType& type : schema.types()) {
    add(absl::StrCat(type.number), type.readers);
    if (type.at_host != nullptr)
      AddHostSights(*type.at_host, &audiences[absl::StrCat(type.number)]);
    for (const FieldRule& rule : type.fields.rules()) {
      const std::string name = absl::StrCat(type.number, ".", rule.number);
      add(name, rule.readers);
      if (type.at_host != nullptr && rule.shown_when_asked) audiences[name] += "/asked";
      if (rule.taken_by_host) audiences[name] += "/taken";
    }
  }
  return audiences;
}

Audiences Parse(absl::string_view text) {
  Audiences audiences;
  for (const absl::string_view one : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    audiences.insert(absl::StrSplit(one, absl::MaxSplits('=', 1)));
  }
  return audiences;
}

// Of what is new nobody holds anything.
bool OthersReadIt(const Audiences& were, const Audiences& are) {
  return std::any_of(were.begin(), were.end(), [&](const auto& was) {
    const auto is = are.find(was.first);
    return is != are.end() && is->second != was.second;
  });
}

std::set<std::string> FieldsIn(const Audiences& audiences) {
  std::set<std::string> fields;
  for (const auto& [name, readers] : audiences) {
    if (absl::StrContains(name, '.')) fields.insert(name);
  }
  return fields;
}

// A database as a server finds it.
struct Found {
  bool known = false;         // a server has begun on it before
  bool restored = false;      // what it holds is not what its devices know
  bool shows_others = false;  // than it did before
  bool told = false;          // what is declared now stands in it
  Audiences were;
  Audiences are;  // and what a later version declared, which was no seed

  bool InOrder() const { return known && !restored && told; }
};

absl::StatusOr<Found> LookAt(Reader& reader, const Schema& schema, bool restored) {
  Found found;
  found.are = AudiencesOf(schema);
  ASSIGN_OR_RETURN(const std::string incarnation, reader.GetSetting(kIncarnation));
  ASSIGN_OR_RETURN(const std::string copy, reader.GetSetting(kCopy));
  found.known = !incarnation.empty();
  ASSIGN_OR_RETURN(const std::string before, reader.GetSetting(kAudiences));
  ASSIGN_OR_RETURN(const std::string cursor_key, reader.GetSetting(kCursorKey));
  found.were = Parse(before);
  // A version that did not write it down may have shown anything; one without a key for
  // cursors did not keep who has seen what.
  found.shows_others = before.empty() || cursor_key.empty() || OthersReadIt(found.were, found.are);
  ASSIGN_OR_RETURN(const bool mended, HasMended(reader));
  found.restored = restored || !copy.empty() || found.shows_others || mended;
  found.are.insert(found.were.begin(), found.were.end());
  found.told = found.were == found.are;
  return found;
}

absl::Status MarkSafe(Writer& writer, absl::Span<const DeviceRow> as_copied) {
  for (const DeviceRow& row : as_copied) {
    ASSIGN_OR_RETURN(auto device, writer.GetDevice(row.number));
    if (!device || device->safe_number >= row.last_number) continue;
    device->safe_number = row.last_number;
    RETURN_IF_ERROR(writer.PutDevice(*device));
  }
  return absl::OkStatus();
}

}  // namespace

Version VersionAt(int64_t us) {
  return Version(static_cast<uint64_t>(std::max<int64_t>(us, 0)) * kVersionsPerMs / 1000);
}

absl::Status EnsureIncarnation(Store& store, const Schema& schema, const Environment& environment,
                               bool restored) {
  Found found;
  RETURN_IF_ERROR(store.Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(found, LookAt(reader, schema, restored));
    return absl::OkStatus();
  }));
  if (found.InOrder()) return absl::OkStatus();
  return store.Write([&](Writer& writer) -> absl::Status {
    // Another process may have done it meanwhile.
    ASSIGN_OR_RETURN(found, LookAt(writer, schema, restored));
    if (found.InOrder()) return absl::OkStatus();
    // Whoever holds what was sown is to read the record anew.
    ASSIGN_OR_RETURN(const bool sown, ClearSown(writer, schema, FieldsIn(found.were)));
    RETURN_IF_ERROR(
        writer.PutSetting(kAudiences, absl::StrJoin(found.are, " ", absl::PairFormatter("="))));
    ASSIGN_OR_RETURN(const std::string cursor_key, writer.GetSetting(kCursorKey));
    if (cursor_key.empty()) {
      RETURN_IF_ERROR(writer.PutSetting(kCursorKey, NewCursorKey(environment)));
    }
    if (found.shows_others) RETURN_IF_ERROR(WorkOutSeen(writer, schema));
    RETURN_IF_ERROR(ForgetMended(writer));
    if (found.known && !found.restored && !sown) return absl::OkStatus();
    if (found.known) {
      const int64_t now = environment.now_ms();
      RETURN_IF_ERROR(writer.RaiseCounters(
          VersionAt(now * 1000),
          DeviceNumber(static_cast<uint32_t>((now - k2026Ms) / 60'000 * kDevicesPerMinute))));
    }
    RETURN_IF_ERROR(writer.PutSetting(kIncarnation, environment.random_bytes(kIncarnationBytes)));
    return writer.PutSetting(kCopy, "");
  });
}

absl::Status BackUp(Store& store, absl::FunctionRef<absl::Status()> make_copy) {
  std::vector<DeviceRow> before;
  RETURN_IF_ERROR(store.Read([&](Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(before, reader.ListDevices());
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(make_copy());
  // In parts: others write between.
  for (absl::Span<const DeviceRow> rest = before; !rest.empty();) {
    const absl::Span<const DeviceRow> part = rest.first(std::min(rest.size(), kMarkedAtOnce));
    rest.remove_prefix(part.size());
    RETURN_IF_ERROR(store.Write([&](Writer& writer) { return MarkSafe(writer, part); }));
  }
  return absl::OkStatus();
}

}  // namespace zhibu::server
