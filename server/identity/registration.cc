#include "server/identity/registration.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "sync/base/status.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using records::v1::Member;
using records::v1::Organisation;

namespace {

// Name in the settings of the store.
constexpr char kRegistered[] = "registered";
// To one edit.
constexpr int kToOneEdit = 500;

}  // namespace

absl::Status EnsureRegistration(Store& store, Ingest& ingest) {
  return store.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string known, writer.GetSetting(kRegistered));
    if (!known.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(writer.PutSetting(kRegistered, "1"));
    std::vector<sync::v1::Edit> edits(1);
    for (const RecordType* type : {&TypeOf<Organisation>(), &TypeOf<Member>()}) {
      RETURN_IF_ERROR(PassOver(writer.ListRecords(
          type->number, std::nullopt, [&](const Id& id, const RecordState& state) {
            if (edits.back().changes_size() >= kToOneEdit) edits.emplace_back();
            FollowRegistration({type->number, id}, RecordState(), state, &edits.back());
          })));
    }
    for (const sync::v1::Edit& edit : edits) {
      if (edit.changes().empty()) continue;
      RETURN_IF_ERROR(ingest.WriteOwn(writer, edit).status());
    }
    return absl::OkStatus();
  });
}

}  // namespace zhibu::server
