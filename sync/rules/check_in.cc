#include "sync/rules/check_in.h"

#include <google/protobuf/util/time_util.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/check_in_code.h"
#include "sync/merge/own_edit.h"
#include "sync/rules/offices.h"
#include "sync/rules/typed.h"
#include "zhibu/records/v1/meeting.pb.h"
#include "zhibu/records/v1/organisation.pb.h"

namespace zhibu {

using google::protobuf::util::TimeUtil;

using records::v1::CheckIn;
using records::v1::Device;
using records::v1::Meeting;
using sync::v1::CheckInCode;

namespace {

// Of one code. Without marks it is verified.
struct CheckInFinding {
  Id branch;                          // whose activity it is
  std::optional<int64_t> scanned_ms;  // where the clocks can be trusted
  std::vector<CheckIn::Mark> marks;
};

// Whoever may call the roll may show the code.
uint32_t ShowingOffices() { return TypeOf<CheckIn>().writers.at_home & ~AudienceOf(SELF); }

// One code, and the check-in that it was scanned for.
class Judgement {
 public:
  Judgement(Lookup& reader, const CheckInCode& code, int64_t scanned_ms, int64_t now_ms)
      : reader_(reader), code_(code), scanned_ms_(scanned_ms), now_ms_(now_ms) {}

  absl::StatusOr<CheckInFinding> Of(const CheckIn& check_in) {
    RETURN_IF_ERROR(CheckNamed(check_in));
    ASSIGN_OR_RETURN(const std::optional<KnownDevice> display,
                     reader_.FindDevice(DeviceNumber(code_.device())));
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
    if (display->revoked) {
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
  absl::Status CheckOffice(const KnownDevice& display, const Id& branch, CheckInTiming timing) {
    std::vector<int64_t> times = {ShownAtMs(code_), ShownAtMs(code_) + kCheckInStepMs - 1};
    if (timing == CheckInTiming::kClockOff) times.insert(times.end(), {scanned_ms_, now_ms_});
    for (const int64_t time : times) {
      ASSIGN_OR_RETURN(const Offices offices, OfficesOf(reader_, display.person, time));
      if ((offices.In(branch) & ShowingOffices()) != 0) return absl::OkStatus();
    }
    return Refuse(sync::v1::CODE_WITHOUT_OFFICE, display.name);
  }

  absl::Status CheckRevoked(const KnownDevice& display) {
    ASSIGN_OR_RETURN(const std::optional<Device> device, Find<Device>(reader_, display.record));
    const int64_t revoked_ms = device ? TimeUtil::TimestampToMilliseconds(device->revoked()) : 0;
    if (ShownAtMs(code_) < revoked_ms) return absl::OkStatus();
    return Refuse(sync::v1::CODE_OF_REVOKED_DEVICE, display.name);
  }

  Lookup& reader_;
  const CheckInCode& code_;
  const int64_t scanned_ms_;
  const int64_t now_ms_;
};

// Of the code that a change adds to a check-in; nothing where it adds none. `body` is the
// record as the change leaves it, `author` whoever made the change, at `scanned_ms` by the
// stamp that it came with.
absl::StatusOr<std::optional<CheckInFinding>> JudgeCheckIn(Lookup& reader,
                                                           const sync::v1::Change& change,
                                                           absl::string_view body, const Id& author,
                                                           int64_t scanned_ms, int64_t now_ms) {
  CheckIn added;
  if (!added.ParseFromString(change.set()) || added.codes().empty()) return std::nullopt;
  const auto check_in = Parse<CheckIn>(body);
  if (check_in.member_id() != author.bytes()) return std::nullopt;  // see Judge
  // A device adds one at a time, and each takes the writer a while.
  if (added.codes_size() > 1) return Refuse(sync::v1::CODE_INVALID, "codes");
  ASSIGN_OR_RETURN(const CheckInCode code, CheckInCodeFromBytes(added.codes(0)));
  return Judgement(reader, code, scanned_ms, now_ms).Of(check_in);
}

// Adds what writes the finding into the record; nothing where it is gone, or stands
// as well already.
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

class ScannedCode : public Rule {
 public:
  bool Concerns(const RecordType& type) const override { return IsA<CheckIn>(type); }

  absl::StatusOr<std::optional<Loan>> Lend(const Case& of, const Step& step) const override {
    ASSIGN_OR_RETURN(const auto finding, JudgeCheckIn(of.lookup, step.change, step.after.body,
                                                      of.author, of.made_ms, of.now_ms));
    if (!finding) return std::nullopt;
    Loan loan{finding->branch, {}};
    AddFinding(step.type, step.id, step.after, *finding, &loan.proved);
    return loan;
  }

  // A code proves nothing of a check-in that is somebody else's.
  absl::Status Judge(const Case& of, const Step& step) const override {
    CheckIn added;
    if (!added.ParseFromString(step.change.set()) || added.codes().empty()) return absl::OkStatus();
    return Parse<CheckIn>(step.after.body).member_id() == of.author.bytes()
               ? absl::OkStatus()
               : Refuse(sync::v1::CODE_OF_OTHER_MEMBER, "member_id");
  }
};

}  // namespace

std::unique_ptr<const Rule> CheckInRule() { return std::make_unique<ScannedCode>(); }

}  // namespace zhibu
