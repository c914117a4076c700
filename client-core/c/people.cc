// Check-in and pass: what two phones show each other.
#include "client-core/actions/check_in.h"
#include "client-core/actions/pass.h"
#include "client-core/c/call.h"
#include "client-core/c/rows.h"
#include "sync/base/date.h"
#include "sync/base/reason.h"

namespace zhibu::client {
namespace {

absl::StatusOr<Draft> IssuedPass(Store& store, const api::v1::NewPass& wanted) {
  ASSIGN_OR_RETURN(const Id member, IdIn(wanted.member_id()));
  NewPass pass{.number = wanted.number()};
  ASSIGN_OR_RETURN(pass.until, DayIn(wanted.until()));
  if (!wanted.from().empty()) {
    ASSIGN_OR_RETURN(pass.from, DayIn(wanted.from()));
  }
  return IssuePass(store, member, pass);
}

api::v1::CheckedPass::Standing ToApi(PassStanding standing) {
  switch (standing) {
    case PassStanding::kValid:
      return api::v1::CheckedPass::VALID;
    case PassStanding::kNotYet:
      return api::v1::CheckedPass::NOT_YET;
    case PassStanding::kExpired:
      return api::v1::CheckedPass::EXPIRED;
    case PassStanding::kForged:
      return api::v1::CheckedPass::FORGED;
    case PassStanding::kOtherServer:
      return api::v1::CheckedPass::OTHER_SERVER;
    case PassStanding::kRevoked:
      return api::v1::CheckedPass::REVOKED;
  }
  return api::v1::CheckedPass::STANDING_UNSPECIFIED;
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_check_in_show(zhibu_handle store, zhibu_in activity, zhibu_out* shown,
                            zhibu_out* error) {
  return OnStore(store, shown, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const Id meeting, IdIn(activity));
    ASSIGN_OR_RETURN(const ShownCheckIn code, ShowCheckIn(open, meeting));
    api::v1::ShownCheckIn told;
    told.set_text(code.text);
    told.set_next_ms(code.next_ms);
    return Bytes(told);
  });
}

int32_t zhibu_check_in_scan(zhibu_handle store, zhibu_in text, zhibu_out* committed,
                            zhibu_out* error) {
  return OnStore(store, committed, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view scanned, BytesIn(text));
    return CommitDraft(open, CheckInByCode(open, scanned));
  });
}

int32_t zhibu_check_in_by_hand(zhibu_handle store, zhibu_in request, zhibu_out* committed,
                               zhibu_out* error) {
  return OnStore(store, committed, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::CheckInByHand>(request));
    ASSIGN_OR_RETURN(const Id activity, IdIn(wanted.activity_id()));
    ASSIGN_OR_RETURN(const Identity identity, open.GetIdentity());
    Id member = identity.person;
    if (!wanted.member_id().empty()) {
      ASSIGN_OR_RETURN(member, IdIn(wanted.member_id()));
    }
    return CommitDraft(open, CheckInByHand(open, activity, member));
  });
}

int32_t zhibu_pass_issue(zhibu_handle store, zhibu_in pass, zhibu_out* committed,
                         zhibu_out* error) {
  return OnStore(store, committed, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::NewPass>(pass));
    return CommitDraft(open, IssuedPass(open, wanted));
  });
}

int32_t zhibu_pass_revoke(zhibu_handle store, zhibu_in seen, zhibu_out* committed,
                          zhibu_out* error) {
  return OnStore(store, committed, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view saw, BytesIn(seen));
    ASSIGN_OR_RETURN(Draft pass, open.DraftFrom(saw));
    return CommitDraft(open, RevokePass(std::move(pass)));
  });
}

int32_t zhibu_pass_show(zhibu_handle store, zhibu_in member, zhibu_out* shown, zhibu_out* error) {
  return OnStore(store, shown, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const Id of, IdIn(member));
    ASSIGN_OR_RETURN(const ShownPass pass, ShowPass(open, of));
    const RecordType& type = *open.schema().Find(records::v1::Pass::descriptor());
    ASSIGN_OR_RETURN(const std::vector<Row> rows, ShowRows(open, type, {pass.id}));
    api::v1::ShownPass told;
    told.set_text(pass.text);
    if (!rows.empty()) *told.mutable_row() = ToApi(rows.front());
    return Bytes(told);
  });
}

int32_t zhibu_pass_verify(zhibu_handle store, zhibu_in text, zhibu_out* checked, zhibu_out* error) {
  return OnStore(store, checked, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view scanned, BytesIn(text));
    ASSIGN_OR_RETURN(const CheckedPass pass, VerifyPass(open, scanned));
    api::v1::CheckedPass told;
    told.set_standing(ToApi(pass.standing));
    told.set_token(pass.token.SerializeAsString());
    return Bytes(told);
  });
}
