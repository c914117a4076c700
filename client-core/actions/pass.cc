#include "client-core/actions/pass.h"

#include <google/protobuf/util/time_util.h>

#include <optional>
#include <utility>

#include "client-core/actions/known.h"
#include "client-core/actions/step.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/pass.h"
#include "zhibu/records/v1/dues.pb.h"

namespace zhibu::client {

using google::protobuf::Message;
using google::protobuf::util::TimeUtil;
using records::v1::CheckIn;
using records::v1::DuesPayment;
using records::v1::Pass;

namespace {

// All records of type T in the member's own scope.
template <typename T>
absl::Status OfMember(Store& store, const Id& member,
                      absl::FunctionRef<void(const Id&, const T&)> visit) {
  return store.List({.type = store.schema().Find(T::descriptor())->number, .scope = member},
                    [&](const Id& id, const Message& message) {
                      const auto& record = static_cast<const T&>(message);
                      if (record.member_id() == member.bytes()) visit(id, record);
                      return true;
                    });
}

absl::Status AddParticipation(Store& store, const Id& member, ShownPass* shown) {
  const Pass& pass = shown->pass;
  RETURN_IF_ERROR(OfMember<CheckIn>(store, member, [&](const Id&, const CheckIn& check_in) {
    const std::string day = DateAt(TimeUtil::TimestampToMilliseconds(check_in.at()));
    if (pass.from() <= day && day <= pass.until()) shown->activities.push_back(check_in);
  }));
  return OfMember<DuesPayment>(store, member, [&](const Id&, const DuesPayment& payment) {
    if (pass.from().substr(0, 7) > payment.month() || payment.month() > pass.until().substr(0, 7)) {
      return;
    }
    shown->dues_fen[payment.month()] += payment.amount_fen();
  });
}

PassStanding StandingOf(PassFinding finding) {
  switch (finding) {
    case PassFinding::kValid:
      return PassStanding::kValid;
    case PassFinding::kNotYet:
      return PassStanding::kNotYet;
    case PassFinding::kExpired:
      return PassStanding::kExpired;
    case PassFinding::kOtherServer:
      return PassStanding::kOtherServer;
    case PassFinding::kForged:
      break;
  }
  return PassStanding::kForged;
}

}  // namespace

absl::StatusOr<Draft> IssuePass(Store& store, const Id& member, const NewPass& pass) {
  ASSIGN_OR_RETURN(const Id branch, BranchOfMember(store, member));
  Draft draft = store.New<Pass>();
  auto& issued = draft.message<Pass>();
  issued.set_number(pass.number);
  issued.set_member_id(member.str());
  issued.set_branch_id(branch.str());
  ASSIGN_OR_RETURN(*issued.mutable_from(), DateOrToday(store, pass.from));
  issued.set_until(absl::FormatCivilTime(pass.until));
  issued.set_state(Pass::ISSUED);
  return draft;
}

absl::StatusOr<Draft> RevokePass(Draft pass) {
  return TakeStep<Pass>(std::move(pass), Pass::REVOKED);
}

absl::StatusOr<ShownPass> ShowPass(Store& store, const Id& member) {
  std::optional<ShownPass> shown;
  RETURN_IF_ERROR(OfMember<Pass>(store, member, [&](const Id& id, const Pass& pass) {
    if (pass.state() != Pass::ISSUED) return;
    if (!shown || shown->pass.until() < pass.until()) shown = ShownPass{id, pass, "", {}, {}};
  }));
  if (!shown) return Refuse(sync::v1::NOT_HERE, InBoth("有效的流动党员活动证", "valid pass"));
  if (shown->pass.token().empty()) {
    return Refuse(sync::v1::STEP_NOT_ALLOWED, InBoth("服务器还没有给这个活动证签名，请先同步",
                                                     "the server has not signed the pass: sync"));
  }
  ASSIGN_OR_RETURN(const sync::v1::PassToken token, PassFromBytes(shown->pass.token()));
  shown->text = ToText(token);
  RETURN_IF_ERROR(AddParticipation(store, member, &*shown));
  return *std::move(shown);
}

absl::StatusOr<CheckedPass> VerifyPass(Store& store, absl::string_view text) {
  CheckedPass checked;
  ASSIGN_OR_RETURN(checked.token, PassFromText(text));
  absl::StatusOr<Identity> identity = store.GetIdentity();
  if (absl::IsNotFound(identity.status())) return Refuse(sync::v1::NOT_ENROLLED, "");
  RETURN_IF_ERROR(identity.status());
  if (identity->courier_key.empty()) return Refuse(sync::v1::COURIER_NO_KEY, "");
  ASSIGN_OR_RETURN(const int64_t now_ms, store.ServerNow());
  checked.standing = StandingOf(JudgePass(checked.token, identity->courier_key, DateAt(now_ms)));
  if (checked.standing == PassStanding::kForged || checked.standing == PassStanding::kOtherServer) {
    return checked;
  }
  const absl::StatusOr<Draft> known = store.Edit<Pass>(*Id::FromBytes(checked.token.pass_id()));
  if (!known.ok() && !absl::IsNotFound(known.status())) return known.status();
  if (known.ok() && static_cast<const Pass&>(known->message()).state() == Pass::REVOKED) {
    checked.standing = PassStanding::kRevoked;
  }
  return checked;
}

}  // namespace zhibu::client
