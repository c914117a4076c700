// What people record: meetings, attendance, check-ins, dues, and a record type with
// every policy (workload_sampler.cc), the register and stays away (workload_members.cc), those who
// are to become members (workload_development.cc), and all that the catalogue has besides
// (workload_catalogue.cc).
#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client-core/actions/check_in.h"
#include "client-core/actions/set_aside.h"
#include "proto/old_policies.pb.h"
#include "proto/policies.pb.h"
#include "sync/crypto/check_in_code.h"
#include "tests/sim/author.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using google::protobuf::Message;
using records::v1::Attendance;
using records::v1::CheckIn;
using records::v1::ConflictNote;
using records::v1::DuesPayment;
using records::v1::HeldEdit;
using records::v1::Meeting;
using zhibu::testing::Bicycle;
using zhibu::testing::Sampler;
namespace old = zhibu::testing::old;

void Author::Act() {
  if (device_.begun && dice_.OneIn(3)) return Finish();
  if (dice_.OneIn(6) && ActsAbove()) return Look();
  switch (dice_.Below(21)) {
    case 0:
      return NewMeeting();
    case 1:
    case 2:
    case 3:
      return ChangeMeeting();
    case 4:
      return RollCall();
    case 5:
      return SignIn();
    case 6:
      return PayDues();
    case 7:
      if (dice_.OneIn(4)) return Move();
      return dice_.OneIn(5) ? Certify() : Travel();
    case 8:
      return Register();
    case 9:
      return Two();
    case 10:
      return Remove();
    case 11:
      if (dice_.OneIn(2)) return Decide();
      return dice_.OneIn(2) ? SettleNote() : Ride();
    case 12:
      return NewSampler();
    case 13:
    case 16:
      return ThinkAgain();
    case 14:
      return Reconsider();
    case 15:
      return dice_.OneIn(3) ? Affiliate() : Look();
    case 17:
    case 18:
      return RecordAnything();
    case 19:
      return Develop();
    default:
      return ChangeSampler();
  }
}

bool Author::ActsAbove() {
  const auto& superiors = universe_.superiors();
  return std::any_of(superiors.begin(), superiors.end(), [&](const Id& superior) {
    return universe_.ledger().OfficesIn(device_.person, superior, universe_.now_ms()) != 0;
  });
}

// Where the person most likely acts; sometimes where they have no right to.
std::string Author::Branch() {
  if (dice_.OneIn(15)) return dice_.Of(universe_.branches()).str();
  std::vector<Id> mine;
  for (const Id& branch : universe_.organisations()) {
    if (universe_.ledger().OfficesIn(device_.person, branch, universe_.now_ms()) != 0) {
      mine.push_back(branch);
    }
  }
  return (mine.empty() ? dice_.Of(universe_.branches()) : dice_.Of(mine)).str();
}

std::string Author::Person() {
  return (dice_.OneIn(2) ? device_.person : dice_.Of(universe_.people())).str();
}

Author::Belonging Author::Somebody(const std::string& branch) {
  std::vector<Belonging> known;
  for (const Id& id : Ids<records::v1::Placement>()) {
    const auto draft = store().Edit<records::v1::Placement>(id);
    if (!draft.ok()) continue;
    const auto& placement =
        static_cast<const records::v1::Placement&>(std::as_const(*draft).message());
    if (!branch.empty() && placement.branch_id() != branch) continue;
    known.push_back({placement.member_id(), placement.branch_id()});
  }
  if (known.empty() || dice_.OneIn(4)) return {Person(), branch.empty() ? Branch() : branch};
  return dice_.Of(known);
}

std::string Author::Word() {
  static const std::vector<std::string> kWords = {"礼堂",   "村委会", "祠堂", "学校", "茶园",
                                                  "会议室", "广场",   "",     "工棚", "渡口"};
  return dice_.OneIn(3) ? absl::StrCat(dice_.Of(kWords), dice_.Below(9)) : dice_.Of(kWords);
}

std::string Author::Day() {
  return absl::StrCat("2026-0", 1 + dice_.Below(9), "-1", dice_.Below(10));
}

std::string Author::Month() {
  return dice_.OneIn(20) ? "2026-13" : absl::StrCat("2026-0", 1 + dice_.Below(9));
}

void Author::SetNow(google::protobuf::Timestamp* time) {
  const int64_t ms = std::max<int64_t>(0, device_.environment().now_ms());
  time->set_seconds(ms / 1000 - dice_.Below(100));
  time->set_nanos(static_cast<int32_t>(dice_.Below(1000)) * 1'000'000);
}

// A maximum cannot be lowered, whatever the clock says.
void Author::SetLater(google::protobuf::Timestamp* time) {
  google::protobuf::Timestamp now;
  SetNow(&now);
  if (now.seconds() > time->seconds()) *time = now;
}

void Author::Commit(client::Draft* draft, const Deltas& deltas) {
  if (!device_.begun && dice_.OneIn(8) && !universe_.OfEarlierLife(device_)) {
    const auto* record = universe_.ledger().Find({draft->type().number, draft->id()});
    const uint64_t version = record == nullptr ? 0 : record->history.back().by.version;
    device_.begun = {std::move(*draft), version, deltas};
    return;
  }
  universe_.Commit(device_, {draft}, deltas);
}

void Author::Finish() {
  Device::Begun begun = *std::exchange(device_.begun, std::nullopt);
  universe_.Commit(device_, {&begun.draft}, begun.deltas, begun.version);
}

void Author::NewMeeting() {
  client::Draft draft = store().New<Meeting>();
  auto& meeting = draft.message<Meeting>();
  meeting.set_branch_id(Branch());
  meeting.set_topic(Word());
  if (dice_.OneIn(2)) meeting.set_state(Meeting::PLANNED);
  for (uint32_t i = dice_.Below(3); i > 0; --i) {
    auto* item = meeting.add_agenda();
    item->set_number(i);
    item->set_topic(Word());
  }
  Commit(&draft);
}

void Author::ChangeMeeting() {
  auto draft = Any<Meeting>();
  if (!draft) return NewMeeting();
  for (uint32_t i = 1 + dice_.Below(2); i > 0; --i) ChangeOne(&draft->message<Meeting>());
  Commit(&*draft);
}

void Author::ChangeOne(Meeting* meeting) {
  switch (dice_.Below(8)) {
    case 0:
      return meeting->set_place(Word());
    case 1:
      return meeting->set_minutes(absl::StrCat(meeting->minutes(), Word()));
    case 2:
      return SignInto(meeting);
    case 3:
      return ChangeAgenda(meeting);
    case 4: {
      auto* resolution = meeting->resolutions().empty() || dice_.OneIn(3)
                             ? meeting->add_resolutions()
                             : meeting->mutable_resolutions(0);
      if (resolution->number() == 0) resolution->set_number(1 + dice_.Below(3));
      if (dice_.OneIn(2)) return resolution->set_text(Word());
      return resolution->mutable_vote()->set_in_favour(dice_.Below(20));
    }
    case 5:
      return meeting->set_state(static_cast<Meeting::State>(1 + dice_.Below(4)));
    case 6:
      return SetNow(meeting->mutable_starts_at());
    default:
      meeting->set_topic(Word());
      if (dice_.OneIn(6)) meeting->set_branch_id(Branch());
  }
}

void Author::SignInto(Meeting* meeting) {
  auto& present = *meeting->mutable_present();
  const std::string person = Person();
  const auto it = std::find(present.begin(), present.end(), person);
  if (it == present.end()) {
    *present.Add() = person;
  } else if (dice_.OneIn(2)) {
    present.erase(it);
  }
}

void Author::ChangeAgenda(Meeting* meeting) {
  auto& agenda = *meeting->mutable_agenda();
  const uint32_t number = 1 + dice_.Below(3);
  const auto it = std::find_if(agenda.begin(), agenda.end(),
                               [&](const auto& item) { return item.number() == number; });
  if (it == agenda.end()) {
    auto* item = agenda.Add();
    item->set_number(number);
    item->set_topic(Word());
  } else if (dice_.OneIn(3)) {
    agenda.erase(it);
  } else {
    it->set_topic(Word());
    if (dice_.OneIn(3)) it->set_speaker_id(Person());
  }
}

// The meeting that everybody is at.
std::optional<std::pair<std::string, std::string>> Author::MeetingAndBranch() {
  auto meeting = Any<Meeting>();
  if (!meeting) return std::nullopt;
  return std::pair(meeting->id().str(), meeting->message<Meeting>().branch_id());
}

void Author::RollCall() {
  if (dice_.OneIn(2)) {
    if (auto draft = Any<Attendance>()) {
      auto& attendance = draft->message<Attendance>();
      attendance.set_state(static_cast<Attendance::State>(1 + dice_.Below(3)));
      attendance.set_reason(Word());
      return Commit(&*draft);
    }
  }
  const auto meeting = MeetingAndBranch();
  if (!meeting) return NewMeeting();
  client::Draft draft = store().New<Attendance>();
  auto& attendance = draft.message<Attendance>();
  attendance.set_meeting_id(meeting->first);
  attendance.set_branch_id(meeting->second);
  attendance.set_member_id(Somebody(meeting->second).member);
  attendance.set_state(Attendance::PRESENT);
  attendance.set_known_by(Word());
  Commit(&draft);
}

void Author::SignIn() {
  if (!dice_.OneIn(3)) return Scan();
  const auto meeting = MeetingAndBranch();
  if (!meeting) return NewMeeting();
  client::Draft draft = store().New<CheckIn>();
  auto& check_in = draft.message<CheckIn>();
  check_in.set_activity_id(meeting->first);
  check_in.set_branch_id(meeting->second);
  check_in.set_member_id(Somebody(meeting->second).member);
  const bool own = check_in.member_id() == device_.person.bytes();
  check_in.add_ways()->set_how(own != dice_.OneIn(8) ? CheckIn::BY_SELF : CheckIn::ROLL_CALL);
  SetNow(check_in.mutable_at());
  Commit(&draft);
}

// What a phone shows that is at hand; sometimes a picture of what one has shown, or a
// code that somebody has made up.
void Author::Scan() {
  std::string text;
  if (dice_.OneIn(5) && !universe_.pictures().empty()) {
    text = dice_.Of(universe_.pictures());
  } else {
    for (int i = 0; i < 4 && text.empty(); ++i) {
      text = universe_.Show(*dice_.Of(universe_.devices()), &dice_);
    }
  }
  if (text.empty()) return NewMeeting();
  if (dice_.OneIn(12)) {
    auto forged = *CheckInCodeFromText(text);
    forged.set_step(forged.step() + 1 + dice_.Below(3));
    text = ToText(forged);
  }
  auto draft = client::CheckInByCode(store(), text);
  if (draft.ok()) Commit(&*draft);
}

void Author::PayDues() {
  client::Draft draft = store().New<DuesPayment>();
  auto& payment = draft.message<DuesPayment>();
  auto before = dice_.OneIn(4) ? Any<DuesPayment>() : std::nullopt;
  if (before && dice_.OneIn(6)) {  // what is not allowed
    if (dice_.OneIn(2)) {
      before->Delete();
    } else {
      before->message<DuesPayment>().set_amount_fen(1);
    }
    return Commit(&*before);
  }
  if (before) {
    payment = before->message<DuesPayment>();
    payment.set_amount_fen(-payment.amount_fen());
    payment.set_reverses_id(before->id().str());
  } else {
    const Belonging somebody = Somebody();
    payment.set_member_id(somebody.member);
    payment.set_branch_id(somebody.branch);
    payment.set_amount_fen(20 + dice_.Below(5000));
    payment.set_month(Month());
  }
  Commit(&draft, {{{draft.type().number, draft.id()}, payment.amount_fen()}});
}

// Two records in one edit.
void Author::Two() {
  auto meeting = Any<Meeting>();
  auto sampler = device_.old ? std::nullopt : Any<Sampler>();
  if (!meeting || !sampler) return ChangeMeeting();
  const std::string word = Word();
  meeting->message<Meeting>().set_place(word);
  sampler->message<Sampler>().set_latest(word);
  universe_.Commit(device_, {&*meeting, &*sampler}, {});
}

void Author::Remove() {
  std::optional<client::Draft> draft;
  switch (dice_.Below(5)) {
    case 0:
      draft = Any<Meeting>();
      break;
    case 1:
      draft = Any<Attendance>();
      break;
    case 2:
      draft = Any<CheckIn>();
      break;
    case 3:
      draft = device_.old ? Any<old::Sampler>() : Any<Sampler>();
      break;
    default:
      draft = Any<Bicycle>();
  }
  if (!draft) return;
  draft->Delete();
  Commit(&*draft);
}

void Author::SettleNote() {
  auto draft = Any<ConflictNote>();
  if (!draft) return;
  draft->message<ConflictNote>().set_state(ConflictNote::SETTLED);
  Commit(&*draft);
}

void Author::Decide() {
  if (dice_.OneIn(2)) return DecideWhoIsWho();
  auto draft = Any<HeldEdit>();
  if (!draft || draft->message<HeldEdit>().state() != HeldEdit::WAITING) return;
  auto decision = dice_.OneIn(3) ? client::ReturnHeldEdit(*std::move(draft), "")
                                 : client::TakeHeldEdit(*std::move(draft));
  if (decision.ok()) Commit(&*decision);
}

// What came back is made again, or let go of.
void Author::Reconsider() {
  std::vector<client::SetAside> items;
  (void)store().ListSetAside([&](const client::SetAside& item) { items.push_back(item); });
  if (items.empty()) return ChangeSampler();
  const client::SetAside& item = dice_.Of(items);
  if (dice_.OneIn(4)) return universe_.Discard(device_, item);
  universe_.Amend(device_, item);
}

void Author::Ride() {
  if (store().schema().Find(Bicycle::descriptor()) == nullptr) return;
  auto draft = Any<Bicycle>();
  if (!draft) {
    client::Draft made = store().New<Bicycle>();
    made.message<Bicycle>().set_branch_id(Branch());
    return Commit(&made);
  }
  auto& bicycle = draft->message<Bicycle>();
  bicycle.set_colour(Word());
  bicycle.add_riders(Word());
  Commit(&*draft);
}

std::string Universe::Show(Device& device, Dice* dice) {
  constexpr size_t kPicturesMax = 50;
  if (device.store == nullptr || device.disk.dead()) return "";
  return device.disk.Quietly([&]() -> std::string {
    std::vector<std::pair<Id, std::string>> meetings;
    const uint32_t type = TodaysSchema()->Find(Meeting::descriptor())->number;
    (void)device.store->List({.type = type}, [&](const Id& id, const Message& message) {
      meetings.emplace_back(id, static_cast<const Meeting&>(message).branch_id());
      return true;
    });
    const auto identity = device.store->GetIdentity();
    if (meetings.empty() || !identity.ok()) return "";
    const auto& [meeting, branch] =
        meetings[meetings.size() - 1 - dice->Below(std::min<size_t>(meetings.size(), 4))];
    const auto shown = client::ShowCheckIn(*device.store, meeting);
    if (!shown.ok()) return "";
    const auto code = CheckInCodeFromText(shown->text);
    if (!code.ok()) {
      ledger_.Fail(kCodes, absl::StrCat("device ", device.index, " shows ", shown->text));
      return "";
    }
    ledger_.Show(code->SerializeAsString(),
                 {meeting, Id::FromBytes(branch).value_or(Id()), identity->device, identity->person,
                  static_cast<int64_t>(code->step()) * 30'000});
    if (pictures_.size() >= kPicturesMax) pictures_.erase(pictures_.begin());
    pictures_.push_back(shown->text);
    return shown->text;
  });
}

void Universe::Edit(Device& device, uint64_t seed) {
  if (device.store == nullptr || device.disk.dead()) return;
  Author(this, &device, seed).Act();
  Reap();
}

}  // namespace zhibu::sim
