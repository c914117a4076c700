#include "server/sight.h"

#include "sync/audience.h"
#include "sync/record.h"
#include "sync/status.h"

namespace zhibu::server {
namespace {

// No office: the record lies there, though nobody there may see it. A device that is told to
// drop the scope drops it as well, and is sent it again where it sees it through another.
constexpr uint32_t kLiesThere = 1u << 30;

}  // namespace

std::vector<Showing> ShowingsOf(const Schema& schema, const RecordType& type, const Id& id,
                                const RecordState& state) {
  const Eyes readers = ReadersOf(schema, type, state.body);
  std::vector<Showing> showings;
  for (const Placed& placed : PlacesOf(type, id, state.body)) {
    const Eyes eyes = EyesOn({placed}, [](const Id&) { return kAllOffices; }) & readers;
    if (showings.empty() || showings.back().scope != placed.scope) {
      showings.push_back({placed.scope, 0});
    }
    if (state.alive()) showings.back().offices |= eyes.at_home | eyes.as_host | kLiesThere;
  }
  return showings;
}

absl::Status WorkOutSeen(Writer& writer, const Schema& schema) {
  RETURN_IF_ERROR(writer.ForgetSeen());
  for (const RecordType& type : schema.types()) {
    absl::Status status;
    RETURN_IF_ERROR(
        writer.ListRecords(type.number, std::nullopt, [&](const Id& id, const RecordState& state) {
          status.Update(writer.PutSeen({type.number, id}, ShowingsOf(schema, type, id, state)));
        }));
    RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

}  // namespace zhibu::server
