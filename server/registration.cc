#include "server/registration.h"

#include <optional>
#include <utility>
#include <vector>

#include "server/own_edit.h"
#include "sync/status.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using records::v1::Member;
using records::v1::Organisation;

namespace {

// Name in the settings of the store.
constexpr char kRegistered[] = "registered";
// To one edit.
constexpr int kChangesMax = 500;

template <typename T>
void Register(const Id& id, const RecordState& was, const RecordState& state, sync::v1::Edit* own) {
  T record;
  if (!state.alive() || !record.ParseFromString(state.body)) return;
  if (record.name().empty() || !record.registered_name().empty()) return;
  const T before = Parse<T>(was.body);
  record.set_registered_name(before.registered_name().empty() ? ShortName(record.name())
                                                              : before.registered_name());
  AddChange(TypeOf<T>(), id, state, record, own);
}

bool BeginsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

std::string ShortName(absl::string_view name) {
  if (name.size() <= kRegisteredNameBytesMax) return std::string(name);
  size_t end = kRegisteredNameBytesMax;
  while (end > 0 && !BeginsCharacter(name[end])) --end;
  return std::string(name.substr(0, end));
}

void FollowRegistration(const RecordKey& key, const RecordState& was, const RecordState& state,
                        sync::v1::Edit* own) {
  if (key.type == TypeOf<Member>().number) Register<Member>(key.id, was, state, own);
  if (key.type == TypeOf<Organisation>().number) Register<Organisation>(key.id, was, state, own);
}

absl::Status EnsureRegistration(Store& store, Ingest& ingest) {
  return store.Write([&](Writer& writer) -> absl::Status {
    ASSIGN_OR_RETURN(const std::string known, writer.GetSetting(kRegistered));
    if (!known.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(writer.PutSetting(kRegistered, "1"));
    std::vector<sync::v1::Edit> edits(1);
    for (const RecordType* type : {&TypeOf<Organisation>(), &TypeOf<Member>()}) {
      RETURN_IF_ERROR(writer.ListRecords(
          type->number, std::nullopt, [&](const Id& id, const RecordState& state) {
            if (edits.back().changes_size() >= kChangesMax) edits.emplace_back();
            FollowRegistration({type->number, id}, RecordState(), state, &edits.back());
          }));
    }
    absl::flat_hash_set<Id> moved;  // nobody is connected yet
    for (const sync::v1::Edit& edit : edits) {
      if (edit.changes().empty()) continue;
      RETURN_IF_ERROR(ingest.WriteOwn(writer, edit, &moved).status());
    }
    return absl::OkStatus();
  });
}

}  // namespace zhibu::server
