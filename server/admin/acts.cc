#include "server/admin/acts.h"

#include <google/protobuf/util/time_util.h>

#include <deque>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/identity/named.h"
#include "sync/base/status.h"
#include "sync/base/text.h"
#include "sync/exchange/text.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/registration.h"
#include "sync/rules/typed.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;
using records::v1::Member;
using records::v1::OperatorAct;
using records::v1::Organisation;

namespace {

// Absent where there is none, or where it cannot be read.
template <typename T>
absl::Status Name(Reader& reader, const std::string& id, admin::v1::Registered* registered) {
  const auto known = Id::FromBytes(id);
  if (!known) return absl::OkStatus();
  const absl::StatusOr<admin::v1::Registered> as = RegisteredAs<T>(reader, *known);
  RETURN_IF_ERROR(PassOver(as.status()));
  if (as.ok()) *registered = *as;
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckOperatorName(const std::string& name) {
  if (!Trim(name).empty() && name.size() <= kRegisteredNameBytesMax && IsUtf8(name) &&
      !FirstHidden(name, true)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(InBoth(
      absl::StrCat("经办人须写成一行文字，最多 ", kRegisteredNameBytesMax, " 字节，不含控制字符"),
      absl::StrCat("who does it is one line of text of at most ", kRegisteredNameBytesMax,
                   " bytes, without control characters")));
}

void AddAct(const Environment& environment, const std::string& by, OperatorAct act,
            sync::v1::Edit* edit) {
  act.set_by(by);
  *act.mutable_at() = TimeUtil::MillisecondsToTimestamp(environment.now_ms());
  AddChange(TypeOf<OperatorAct>(), environment.NewId(), RecordState(), act, edit);
}

// Ids ascend with time.
absl::Status ListActs(Reader& reader, size_t most, admin::v1::ActsReply* reply) {
  std::deque<OperatorAct> latest;
  RETURN_IF_ERROR(PassOver(reader.ListRecords(TypeOf<OperatorAct>().number, std::nullopt,
                                              [&](const Id&, const RecordState& state) {
                                                latest.push_front(Parse<OperatorAct>(state.body));
                                                if (latest.size() > most) latest.pop_back();
                                              })));
  for (OperatorAct& act : latest) {
    auto* one = reply->add_acts();
    *one->mutable_act() = std::move(act);
    if (!one->act().member_id().empty()) {
      RETURN_IF_ERROR(Name<Member>(reader, one->act().member_id(), one->mutable_member()));
    }
    if (!one->act().other_id().empty()) {
      RETURN_IF_ERROR(Name<Member>(reader, one->act().other_id(), one->mutable_other()));
    }
    if (!one->act().organisation_id().empty()) {
      RETURN_IF_ERROR(
          Name<Organisation>(reader, one->act().organisation_id(), one->mutable_organisation()));
    }
  }
  return absl::OkStatus();
}

}  // namespace zhibu::server
