#include "sync/merge/merge.h"

#include <algorithm>
#include <iterator>

#include "sync/base/damage.h"
#include "sync/base/reason.h"
#include "sync/merge/frontier.h"
#include "sync/merge/lives.h"
#include "zhibu/sync/v1/trace.pb.h"

namespace zhibu {

using merging::Author;
using merging::Lives;
using merging::Mode;
using merging::Thing;
using sync::v1::Change;

namespace {

constexpr size_t kTraceBytesMax = 256 << 20;

const Fields& FieldsOf(const RecordType* type) {
  static const Fields kUnknown;
  return type == nullptr ? kUnknown : type->fields;
}

}  // namespace

absl::Status Apply(const RecordType* type, const Change& change, const Origin& origin,
                   RecordState* state, Outcome* outcome) {
  const Author author{origin.device,
                      std::min(Version(change.base()), origin.base_max),
                      {origin.version, origin.device, origin.stamp},
                      origin.latest,
                      origin.made_later};
  if (!state->exists && change.kind() != Change::CREATE) {
    return Refuse(sync::v1::NO_SUCH_RECORD, type == nullptr ? "" : type->name);
  }
  Thing thing{state->exists, state->touch, state->deletion, state->body, {}};
  if (!thing.trace.ParseFromString(state->trace)) return DamagedRow("trace");
  // A frontier is stored as nothing where it says no more than the touch.
  auto& frontier = *thing.trace.mutable_frontier();
  if (state->alive() && frontier.empty()) merging::Add(thing.touch, &frontier);
  Outcome news{.followed_bytes = outcome->followed_bytes};
  Lives lives(FieldsOf(type), author, Mode::kSeen, "", &thing, &news);
  if (change.kind() == Change::DELETE) {
    lives.Delete();
  } else if (auto status =
                 lives.Change(change.set(), change.without(), change.kind() == Change::CREATE);
             !status.ok()) {
    return status;
  }
  if (merging::Is(frontier, thing.touch)) frontier.Clear();
  // protobuf writes more than 2 GiB as nothing; what is more than this is refused in any case.
  if (thing.trace.ByteSizeLong() > kTraceBytesMax) {
    return TooLarge(type == nullptr ? "" : type->label, thing.trace.ByteSizeLong(), kTraceBytesMax);
  }
  state->exists = thing.exists;
  state->touch = thing.touch;
  state->deletion = thing.end;
  state->body = std::move(thing.body);
  state->trace = thing.trace.SerializeAsString();
  outcome->followed_bytes = news.followed_bytes;
  std::move(news.conflicts.begin(), news.conflicts.end(), std::back_inserter(outcome->conflicts));
  std::move(news.settled.begin(), news.settled.end(), std::back_inserter(outcome->settled));
  return absl::OkStatus();
}

}  // namespace zhibu
