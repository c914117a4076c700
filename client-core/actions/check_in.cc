#include "client-core/actions/check_in.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "client-core/actions/known.h"
#include "sync/base/status.h"
#include "sync/crypto/check_in_code.h"
#include "sync/wire/record.h"
#include "zhibu/records/v1/meeting.pb.h"

namespace zhibu::client {

using google::protobuf::util::TimeUtil;

using records::v1::CheckIn;
using records::v1::Meeting;

namespace {

// As it is here, or a new one.
absl::StatusOr<Draft> DraftOf(Store& store, absl::string_view activity, absl::string_view member,
                              absl::string_view branch) {
  CheckIn check_in;
  check_in.set_activity_id(std::string(activity));
  check_in.set_member_id(std::string(member));
  const RecordType& type = *store.schema().Find(CheckIn::descriptor());
  ASSIGN_OR_RETURN(const Id id, DeriveId(type, check_in.SerializeAsString()));
  absl::StatusOr<Draft> draft = store.Edit(type, id);
  if (!absl::IsNotFound(draft.status())) return draft;
  draft = store.New(type);
  check_in.set_branch_id(std::string(branch));
  draft->message<CheckIn>() = check_in;
  return draft;
}

void Add(CheckIn::How how, int64_t at_ms, CheckIn* check_in) {
  const auto known = [&](const CheckIn::Way& way) { return way.how() == how; };
  if (std::none_of(check_in->ways().begin(), check_in->ways().end(), known)) {
    check_in->add_ways()->set_how(how);
  }
  // The first time stands (MIN).
  if (check_in->has_at()) return;
  *check_in->mutable_at() = TimeUtil::MillisecondsToTimestamp(at_ms);
}

absl::StatusOr<std::string> BranchOf(Store& store, const Id& meeting, const Id& member) {
  const absl::StatusOr<Draft> known = store.Edit<Meeting>(meeting);
  if (known.ok()) return static_cast<const Meeting&>(known->message()).branch_id();
  if (!absl::IsNotFound(known.status())) return known.status();
  ASSIGN_OR_RETURN(const Id branch, BranchOfMember(store, member));
  return branch.str();
}

}  // namespace

absl::StatusOr<ShownCheckIn> ShowCheckIn(Store& store, const Id& meeting) {
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  ASSIGN_OR_RETURN(Draft draft, store.Edit<Meeting>(meeting));
  const auto branch = Id::FromBytes(draft.message<Meeting>().branch_id());
  ASSIGN_OR_RETURN(int64_t now, store.ServerNow());
  now = std::max<int64_t>(now, 0);
  return ShownCheckIn{ToText(MakeCheckInCode(meeting, branch.value_or(Id()), identity.device, now,
                                             identity.secret_key)),
                      kCheckInStepMs - now % kCheckInStepMs};
}

absl::StatusOr<Draft> CheckInByCode(Store& store, absl::string_view text) {
  ASSIGN_OR_RETURN(const sync::v1::CheckInCode code, CheckInCodeFromText(text));
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  ASSIGN_OR_RETURN(Draft draft,
                   DraftOf(store, code.activity_id(), identity.person.bytes(), code.branch_id()));
  auto& check_in = draft.message<CheckIn>();
  if (!check_in.codes().empty() && check_in.standing() != CheckIn::MARKED) return draft;
  const std::string bytes = code.SerializeAsString();
  if (std::count(check_in.codes().begin(), check_in.codes().end(), bytes) > 0) return draft;
  check_in.add_codes(bytes);
  check_in.set_branch_id(code.branch_id());  // which the code knows best
  // The clock of whoever shows it, which all who scan it share.
  Add(CheckIn::QR, ShownAtMs(code), &check_in);
  return draft;
}

absl::StatusOr<Draft> CheckInByHand(Store& store, const Id& meeting, const Id& member) {
  ASSIGN_OR_RETURN(const Identity identity, store.GetIdentity());
  ASSIGN_OR_RETURN(const std::string branch, BranchOf(store, meeting, member));
  ASSIGN_OR_RETURN(const int64_t now, store.ServerNow());
  ASSIGN_OR_RETURN(Draft draft, DraftOf(store, meeting.bytes(), member.bytes(), branch));
  Add(member == identity.person ? CheckIn::BY_SELF : CheckIn::ROLL_CALL, std::max<int64_t>(now, 0),
      &draft.message<CheckIn>());
  return draft;
}

}  // namespace zhibu::client
