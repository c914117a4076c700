#include "server/feed/sight.h"

#include <map>

#include "sync/base/status.h"
#include "sync/merge/audience.h"
#include "sync/wire/record.h"

namespace zhibu::server {
namespace {

RecordState Shown(const RecordType& type, uint64_t hidden, RecordState state) {
  Redact(type, hidden, &state);
  return state;
}

// Whether those from whom the one was hidden and the other is see a difference.
class Differences {
 public:
  Differences(const RecordType& type, const RecordState& before, const RecordState& after)
      : type_(type), before_(before), after_(after) {}

  bool Between(uint64_t was_hidden, uint64_t is_hidden) {
    if (is_hidden == 0 || was_hidden != is_hidden || !before_.alive()) return true;
    const auto [known, fresh] = seen_.try_emplace(is_hidden, false);
    if (fresh) {
      const RecordState was = Shown(type_, is_hidden, before_);
      const RecordState is = Shown(type_, is_hidden, after_);
      known->second = was.body != is.body || was.trace != is.trace || was.touch != is.touch;
    }
    return known->second;
  }

 private:
  const RecordType& type_;
  const RecordState& before_;
  const RecordState& after_;
  std::map<uint64_t, bool> seen_;
};

}  // namespace

std::vector<Showing> ShowingsOf(const Schema& schema, const RecordType& type, const Id& id,
                                const RecordState& before, const RecordState& state) {
  const Eyes readers = ReadersOf(schema, type, state.body);
  const std::vector<Placed> places = PlacesOf(type, id, state.body);
  std::vector<Showing> showings;
  for (const Placed& placed : places) {
    if (showings.empty() || showings.back().scope != placed.scope) {
      showings.push_back({placed.scope, 0, kAllOffices});
    }
    const Eyes eyes = EyesOn({placed}, [](const Id&) { return kAllOffices; }) & readers;
    if (state.alive()) showings.back().offices |= (eyes.at_home | eyes.as_host) & ~kLiesThere;
  }
  if (type.restricted.empty()) return showings;
  const std::vector<Placed> were = PlacesOf(type, id, before.body);
  const HostSight was_at_host = HostSightOf(type, before.body);
  const HostSight is_at_host = HostSightOf(type, state.body);
  Differences differences(type, before, state);
  for (Showing& showing : showings) {
    for (uint32_t left = showing.offices; left != 0; left &= left - 1) {
      const uint32_t office = left & -left;
      const auto in = [&](const Id& scope) {
        return scope == showing.scope ? office : uint32_t{0};
      };
      if (!differences.Between(HiddenFrom(type, EyesOn(were, in), was_at_host),
                               HiddenFrom(type, EyesOn(places, in), is_at_host))) {
        showing.moved &= ~office;
      }
    }
  }
  return showings;
}

absl::Status WorkOutSeen(Writer& writer, const Schema& schema) {
  RETURN_IF_ERROR(writer.ForgetSeen());
  for (const RecordType& type : schema.types()) {
    absl::Status status;
    RETURN_IF_ERROR(PassOver(
        writer.ListRecords(type.number, std::nullopt, [&](const Id& id, const RecordState& state) {
          status.Update(writer.PutSeen({type.number, id}, ShowingsOf(schema, type, id, {}, state)));
        })));
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

}  // namespace zhibu::server
