// What both stores put into the same columns, whatever database has them: places of what is
// sealed, what stands beside an edit, what is left of a code, and which rows a record has in
// a feed.
//
//   seal.Close(layout::Body(key), state.body)
#ifndef ZHIBU_SERVER_STORE_LAYOUT_H_
#define ZHIBU_SERVER_STORE_LAYOUT_H_

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/base/observer.h"
#include "server/store/audit.h"
#include "server/store/feed.h"
#include "server/store/sums.h"
#include "sync/base/types.h"

namespace zhibu::server::layout {

// ---- What a value is sealed under (sync/crypto/seal.h) --------------------------

std::string Body(const RecordKey& key);
std::string Trace(const RecordKey& key);
std::string Edit(DeviceNumber device, EditNumber number);
std::string Answer(DeviceNumber device, EditNumber number);
std::string Name(DeviceNumber device);
std::string Setting(absl::string_view name);
std::string SumsOf(const Id& organisation, int64_t year);

// ---- Audit ----------------------------------------------------------------------

// All of a row that has no column of its own: a serialised stored.v1.Beside.
std::string BesideOf(const AuditRow& row);
Damage DamageOf(const AuditRow& row);
// Fills in what the sealed columns hold, opened; nullopt where one cannot be. Where that is so, or
// `beside` is not one, the row is damaged, and has none of it.
void FillIn(std::optional<std::string> edit, const std::optional<std::string>& answer,
            absl::string_view beside, AuditRow* row);
// The answer as its device is told it: where it cannot be read, no more than the verdict. False
// then.
bool FillIn(const std::optional<std::string>& answer, sync::v1::Verdict verdict, uint64_t link,
            Answered* answered);

// ---- Codes and counters -----------------------------------------------------------

// All that is kept of an enrolment code: BLAKE2b-256.
std::string DigestOfCode(absl::string_view code);
inline constexpr char kVersionCounter[] = "version";
inline constexpr char kDeviceCounter[] = "device";

// ---- Sums -------------------------------------------------------------------------

// Those of one organisation lie in a row for each year: a serialised stored.v1.SumsOfYear.
inline constexpr int64_t kAllYears = 0;  // instead of a year: those of all times
std::map<int64_t, SumChanges> ByYear(const SumChanges& changes);
// What comes to nothing is gone.
void AddTo(const SumChanges& changes, SumChanges* sums);
std::string PackSums(const SumChanges& sums);
// False: the bytes are none, and nothing has been visited.
bool VisitSums(absl::string_view bytes, absl::FunctionRef<void(const SumKey&, const Sum&)> visit);
std::optional<SumChanges> UnpackSums(const std::optional<std::string>& bytes);

// ---- The rows of one record in one feed -------------------------------------------

// What the offices of one row share.
struct FeedState {
  Version version;
  bool present = false;
  Version since;

  friend auto operator<=>(const FeedState&, const FeedState&) = default;
};
// By offices, which are disjoint.
using FeedRows = std::map<uint32_t, FeedState>;

// What becomes of them where the record is now shown so, at `version`. The same as `were` where
// nobody's part has moved.
FeedRows Move(const FeedRows& were, const Showing& showing, Version version);
bool SameOffices(const FeedRows& one, const FeedRows& other);

// `after`, as PutRecord is to write it: nobody sees the record any longer in those of `before` that
// are not in it.
std::vector<Showing> AllShowings(absl::Span<const Id> before, absl::Span<const Showing> after);

// The server gave its versions: a state that is put has nothing else.
bool Storable(const RecordState& state);

}  // namespace zhibu::server::layout

#endif  // ZHIBU_SERVER_STORE_LAYOUT_H_
