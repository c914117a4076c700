#include "sync/merge/own_edit.h"

#include <algorithm>
#include <string>
#include <utility>

#include "sync/merge/diff.h"
#include "sync/wire/wire.h"

namespace zhibu {

bool AddChange(const RecordType& type, const Id& id, const RecordState& before,
               const google::protobuf::Message& after, sync::v1::Edit* edit) {
  sync::v1::Change change;
  change.set_type(type.number);
  change.set_id(id.str());
  change.set_kind(before.alive() ? sync::v1::Change::UPDATE : sync::v1::Change::CREATE);
  change.set_base(kPendingVersion.value);
  const std::string body = Canonical(type.fields, after.SerializeAsString());
  if (!Diff(type, before.alive() ? before.body : "", body, &change)) return false;
  *edit->add_changes() = std::move(change);
  return true;
}

void AddFields(const RecordType& type, const Id& id, const RecordState& before,
               const std::vector<const FieldRule*>& fields, const google::protobuf::Message& record,
               sync::v1::Edit* edit) {
  const auto only = [&](absl::string_view body) {
    std::string part;
    wire::Reader reader(body);
    wire::Field field;
    while (reader.Next(&field)) {
      const auto names = [&](const FieldRule* rule) { return rule->number == field.number; };
      if (std::none_of(fields.begin(), fields.end(), names)) continue;
      part.append(field.whole.data(), field.whole.size());
    }
    return part;
  };
  if (!before.alive()) return;
  sync::v1::Change change;
  change.set_type(type.number);
  change.set_id(id.str());
  change.set_kind(sync::v1::Change::UPDATE);
  change.set_base(kPendingVersion.value);
  const std::string after = Canonical(type.fields, only(record.SerializePartialAsString()));
  if (Diff(type, only(before.body), after, &change)) *edit->add_changes() = std::move(change);
}

}  // namespace zhibu
