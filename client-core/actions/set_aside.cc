#include "client-core/actions/set_aside.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client-core/actions/known.h"
#include "client-core/actions/step.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"

namespace zhibu::client {

using google::protobuf::Message;
using records::v1::HeldEdit;

absl::StatusOr<SetAside> FindSetAside(Store& store, int64_t place) {
  std::optional<SetAside> found;
  RETURN_IF_ERROR(store.ListSetAside([&](const SetAside& item) {
    if (item.place == place) found = item;
  }));
  if (!found)
    return Refuse(sync::v1::NOT_HERE, InBoth(absl::StrCat("未采纳的第 ", place, " 项"),
                                             absl::StrCat("edit set aside as ", place)));
  return *std::move(found);
}

absl::Status ListWaitingEdits(Store& store, absl::FunctionRef<void(const WaitingEdit&)> visit) {
  return Each<HeldEdit>(store, [&](const Id& id, const HeldEdit& held) {
    if (held.state() != HeldEdit::WAITING) return true;
    WaitingEdit waiting{id, held, {}};
    if (!waiting.edit.ParseFromString(held.edit())) waiting.edit.Clear();
    visit(waiting);
    return true;
  });
}

absl::StatusOr<Draft> TakeHeldEdit(Draft held) {
  return TakeStep<HeldEdit>(std::move(held), HeldEdit::TAKEN);
}

absl::StatusOr<Draft> ReturnHeldEdit(Draft held, const std::string& reply) {
  ASSIGN_OR_RETURN(held, TakeStep<HeldEdit>(std::move(held), HeldEdit::RETURNED));
  if (!reply.empty()) held.message<HeldEdit>().set_reply(reply);
  return held;
}

std::unique_ptr<Message> WhatIsSet(const Schema& schema, const sync::v1::Change& change) {
  const RecordType* type = schema.Find(change.type());
  return type == nullptr ? nullptr : ReadAs(*type, change.set());
}

}  // namespace zhibu::client
