#include "server/check_in.h"

#include <google/protobuf/util/time_util.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/own_edit.h"
#include "server/typed.h"
#include "sync/check_in_code.h"
#include "sync/reason.h"
#include "sync/status.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu::server {

using google::protobuf::util::TimeUtil;

using records::v1::CheckIn;
using records::v1::Device;
using records::v1::Meeting;
using sync::v1::CheckInCode;

namespace {

// Whoever may call the roll may show the code.
uint32_t ShowingOffices() { return TypeOf<CheckIn>().writers.at_home & ~AudienceOf(SELF); }

// One code, and the check-in that it was scanned for.
class Judgement {
 public:
  Judgement(Reader& reader, const CheckInCode& code, int64_t scanned_ms, int64_t now_ms)
      : reader_(reader), code_(code), scanned_ms_(scanned_ms), now_ms_(now_ms) {}

  absl::StatusOr<CheckInFinding> Of(const CheckIn& check_in) {
    RETURN_IF_ERROR(CheckNamed(check_in));
    ASSIGN_OR_RETURN(const std::optional<DeviceRow> display,
                     reader_.GetDevice(DeviceNumber(code_.device())));
    if (!display) return Refuse(sync::v1::CODE_INVALID, absl::StrCat("device ", code_.device()));
    if (!VerifyCheckInCode(code_, display->public_key)) {
      return Refuse(sync::v1::CODE_INVALID, "signature");
    }
    CheckInFinding finding{*Id::FromBytes(code_.branch_id()), scanned_ms_, {}};
    const CheckInTiming timing = TimingOf(code_, scanned_ms_);
    if (timing == CheckInTiming::kLate) finding.marks.push_back(CheckIn::LATE_CODE);
    if (timing == CheckInTiming::kClockOff) {
      finding.scanned_ms.reset();
      finding.marks.push_back(CheckIn::CLOCK_OFF);
    }
    RETURN_IF_ERROR(CheckOffice(*display, finding.branch, timing));
    if (display->revoked()) {
      RETURN_IF_ERROR(CheckRevoked(*display));
      finding.marks.push_back(CheckIn::DISPLAY_REVOKED);
    }
    RETURN_IF_ERROR(CheckActivity());
    return finding;
  }

 private:
  absl::Status CheckNamed(const CheckIn& check_in) const {
    const bool same = code_.activity_id() == check_in.activity_id();
    if (same && code_.branch_id() == check_in.branch_id()) return absl::OkStatus();
    return Refuse(sync::v1::CODE_OF_OTHER_ACTIVITY, same ? "branch_id" : "activity_id");
  }

  // An activity that the server has not heard of yet is taken at the code's word. Asked last:
  // whoever makes up a code is not told where a meeting is kept.
  absl::Status CheckActivity() {
    ASSIGN_OR_RETURN(const std::optional<Meeting> meeting,
                     Find<Meeting>(reader_, *Id::FromBytes(code_.activity_id())));
    if (meeting && meeting->branch_id() != code_.branch_id()) {
      return Refuse(sync::v1::CODE_OF_OTHER_ACTIVITY, "branch_id");
    }
    return absl::OkStatus();
  }

  // At any time while it was shown; where a clock is off, at any that it may have been.
  absl::Status CheckOffice(const DeviceRow& display, const Id& branch, CheckInTiming timing) {
    std::vector<int64_t> times = {ShownAtMs(code_), ShownAtMs(code_) + kCheckInStepMs - 1};
    if (timing == CheckInTiming::kClockOff) times.insert(times.end(), {scanned_ms_, now_ms_});
    for (const int64_t time : times) {
      ASSIGN_OR_RETURN(const Offices offices, OfficesOf(reader_, display.person, time));
      if ((offices.In(branch) & ShowingOffices()) != 0) return absl::OkStatus();
    }
    return Refuse(sync::v1::CODE_WITHOUT_OFFICE, display.name);
  }

  absl::Status CheckRevoked(const DeviceRow& display) {
    ASSIGN_OR_RETURN(const std::optional<Device> device, Find<Device>(reader_, display.record));
    const int64_t revoked_ms = device ? TimeUtil::TimestampToMilliseconds(device->revoked()) : 0;
    if (ShownAtMs(code_) < revoked_ms) return absl::OkStatus();
    return Refuse(sync::v1::CODE_OF_REVOKED_DEVICE, display.name);
  }

  Reader& reader_;
  const CheckInCode& code_;
  const int64_t scanned_ms_;
  const int64_t now_ms_;
};

}  // namespace

absl::StatusOr<std::optional<CheckInFinding>> JudgeCheckIn(Reader& reader,
                                                           const sync::v1::Change& change,
                                                           absl::string_view body, const Id& author,
                                                           int64_t scanned_ms, int64_t now_ms) {
  CheckIn added;
  if (change.type() != TypeOf<CheckIn>().number || !added.ParseFromString(change.set()) ||
      added.codes().empty()) {
    return std::nullopt;
  }
  const auto check_in = Parse<CheckIn>(body);
  if (check_in.member_id() != author.bytes()) {
    return Refuse(sync::v1::CODE_OF_OTHER_MEMBER, "member_id");
  }
  // A device adds one at a time, and each takes the writer a while.
  if (added.codes_size() > 1) return Refuse(sync::v1::CODE_INVALID, "codes");
  ASSIGN_OR_RETURN(const CheckInCode code, CheckInCodeFromBytes(added.codes(0)));
  return Judgement(reader, code, scanned_ms, now_ms).Of(check_in);
}

void AddFinding(const RecordType& type, const Id& id, const RecordState& state,
                const CheckInFinding& finding, sync::v1::Edit* edit) {
  CheckIn check_in;
  if (!state.alive() || !check_in.ParseFromString(state.body)) return;
  const auto standing = finding.marks.empty() ? CheckIn::VERIFIED : CheckIn::MARKED;
  if (standing <= check_in.standing()) return;
  check_in.set_standing(standing);
  check_in.clear_marks();
  for (const CheckIn::Mark mark : finding.marks) check_in.add_marks(mark);
  check_in.clear_scanned_at();
  if (finding.scanned_ms)
    *check_in.mutable_scanned_at() = TimeUtil::MillisecondsToTimestamp(*finding.scanned_ms);
  AddChange(type, id, state, check_in, edit);
}

}  // namespace zhibu::server
