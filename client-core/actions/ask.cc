#include "client-core/actions/ask.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "client-core/actions/known.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/wire/ask.h"

namespace zhibu::client {

sync::v1::Ask AskBelow(const RecordType& type, const Id& organisation) {
  sync::v1::Ask ask;
  ask.set_type(type.number);
  ask.set_organisation_id(organisation.str());
  return ask;
}

absl::StatusOr<sync::v1::Ask> AskAboutMember(const RecordType& type, const Id& member,
                                             const std::string& reason) {
  if (!reason.empty()) RETURN_IF_ERROR(CheckReason(reason));
  sync::v1::Ask ask;
  ask.set_type(type.number);
  ask.set_member_id(member.str());
  ask.set_reason(reason);
  return ask;
}

absl::Status ReadPage(const RecordType& type, const sync::v1::Page& page,
                      absl::FunctionRef<void(const Id&, const google::protobuf::Message&)> visit) {
  if (page.has_refusal()) return Refuse(page.refusal().reason(), page.refusal().detail());
  absl::Status status;
  for (int i = 0; i < std::min(page.ids_size(), page.bodies_size()); ++i) {
    const auto id = Id::FromBytes(page.ids(i));
    const auto record = ReadAs(type, page.bodies(i));
    if (id && record != nullptr) {
      visit(*id, *record);
    } else {
      status = absl::DataLossError(absl::StrCat("a ", type.name, " that came cannot be read"));
    }
  }
  return status;
}

}  // namespace zhibu::client
