// The judge of the rule book: device and server judge alike. What a device finds of a record by
// what it holds, the server finds by all that there is; or the device knows that it cannot tell.
#include "absl/strings/str_cat.h"
#include "client-core/actions/checks.h"
#include "client-core/actions/known.h"
#include "sync/base/date.h"
#include "sync/base/status.h"
#include "tests/sim/universe.h"

namespace zhibu::sim {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rules::Finding;
using rules::Outcome;

class AllThatThereIs final : public rules::Surroundings {
 public:
  explicit AllThatThereIs(server::Reader& reader) : reader_(reader) {}

  absl::StatusOr<std::optional<std::string>> Find(const RecordType& type, const Id& id) override {
    ASSIGN_OR_RETURN(const RecordState state, reader_.GetRecord({type.number, id}));
    return state.alive() ? state.body : "";
  }
  bool Hides(const RecordType& /*type*/, const Id& /*id*/, const Message& /*of*/,
             const FieldDescriptor& /*field*/) const override {
    return false;
  }

 private:
  server::Reader& reader_;
};

const char* NameOf(Outcome outcome) {
  static const char* const kNames[] = {"holds", "is broken", "is unknown", "is wrong"};
  return kNames[static_cast<int>(outcome)];
}

}  // namespace

void Universe::CheckJudgedAlike(Device& device) {
  // An app of an earlier version has other messages.
  if (device.old) return;
  const absl::Status status = server_.store->Read([&](server::Reader& reader) -> absl::Status {
    for (const auto& of_type : rules::ShippedBook().checks()) {
      absl::Status judged;
      const absl::Status listed = device.disk.Quietly([&] {
        return device.store->List(
            {.type = of_type.first}, [&](const Id& id, const Message& message) {
              judged = CheckJudgedAlike(device, of_type.second, id, message, reader);
              return judged.ok() && !failure();
            });
      });
      RETURN_IF_ERROR(listed);
      RETURN_IF_ERROR(judged);
    }
    return absl::OkStatus();
  });
  if (!status.ok()) ledger_.Fail(kIntegrity, absl::StrCat("rules: ", status.ToString()));
}

absl::Status Universe::CheckJudgedAlike(Device& device, const std::vector<rules::Check>& checks,
                                        const Id& id, const Message& message,
                                        server::Reader& reader) {
  const absl::CivilDay today = DayAt(server_ms());
  const RecordType& type = *checks.front().of;
  ASSIGN_OR_RETURN(const RecordState state, reader.GetRecord({type.number, id}));
  const std::unique_ptr<Message> whole = client::ReadAs(type, state.body);
  const std::unique_ptr<rules::Surroundings> here = client::AroundHere(*device.store);
  AllThatThereIs there(reader);
  for (const rules::Check& check : checks) {
    ASSIGN_OR_RETURN(const Finding held, rules::JudgeBy(check, id, message, today, here.get()));
    ASSIGN_OR_RETURN(const Finding all, rules::JudgeBy(check, id, *whole, today, &there));
    ++stats.judged[static_cast<size_t>(all.outcome)];
    if (held.outcome == Outcome::kUnknown || held.outcome == all.outcome) continue;
    ledger_.Fail(kJudgedAlike,
                 absl::StrCat(check.text.key(), " ", NameOf(held.outcome), " on device ",
                              device.index, ", and ", NameOf(all.outcome), " on the server"),
                 RecordKey{type.number, id});
  }
  return absl::OkStatus();
}

}  // namespace zhibu::sim
