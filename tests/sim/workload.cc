// What people record: meetings, attendance, check-ins, dues, stays away, the
// register, and a record type with every policy.
#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client-core/check_in.h"
#include "proto/old_policies.pb.h"
#include "proto/policies.pb.h"
#include "sync/check_in_code.h"
#include "sync/date.h"
#include "tests/sim/universe.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using google::protobuf::Message;
using records::v1::Attendance;
using records::v1::CheckIn;
using records::v1::ConflictNote;
using records::v1::Contact;
using records::v1::DuesPayment;
using records::v1::Flow;
using records::v1::HeldEdit;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::Pass;
using records::v1::Placement;
using records::v1::PrivateDetail;
using records::v1::Transfer;
using zhibu::testing::Bicycle;
using zhibu::testing::Sampler;
namespace old = zhibu::testing::old;

namespace {

constexpr int64_t kDayMs = 86'400'000;

constexpr char kKey[] = "甲";  // of the item that is taken away and made anew most often

// One person at one device, at one moment.
class Author {
 public:
  Author(Universe* universe, Device* device, uint64_t seed)
      : universe_(*universe), device_(*device), dice_(seed) {}

  void Act() {
    if (device_.begun && dice_.OneIn(3)) return Finish();
    switch (dice_.Below(17)) {
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
        if (dice_.OneIn(3)) return Decide();
        if (dice_.OneIn(4)) return Look();
        return dice_.OneIn(2) ? SettleNote() : Ride();
      case 12:
        return NewSampler();
      case 13:
        return ThinkAgain();
      case 14:
        return Reconsider();
      default:
        return ChangeSampler();
    }
  }

 private:
  client::Store& store() { return *device_.store; }
  template <typename T>
  std::vector<Id> Ids() {
    std::vector<Id> ids;
    const RecordType* type = store().schema().Find(T::descriptor());
    if (type == nullptr) return ids;
    (void)store().List({.type = type->number}, [&](const Id& id, const Message&) {
      ids.push_back(id);
      return true;
    });
    return ids;
  }
  // Rather one that is new: people work on what is going on.
  template <typename T>
  std::optional<client::Draft> Any() {
    const std::vector<Id> ids = Ids<T>();
    if (ids.empty()) return std::nullopt;
    const size_t recent = std::min<size_t>(ids.size(), 4);
    const size_t at =
        dice_.OneIn(5) ? dice_.Below(ids.size()) : ids.size() - 1 - dice_.Below(recent);
    auto draft = store().Edit<T>(ids[at]);
    if (!draft.ok()) return std::nullopt;
    return *std::move(draft);
  }
  // Where the person most likely acts; sometimes where they have no right to.
  std::string Branch() {
    if (dice_.OneIn(15)) return dice_.Of(universe_.branches()).str();
    std::vector<Id> mine;
    for (const Id& branch : universe_.branches()) {
      if (universe_.ledger().OfficesIn(device_.person, branch, universe_.now_ms()) != 0) {
        mine.push_back(branch);
      }
    }
    return (mine.empty() ? dice_.Of(universe_.branches()) : dice_.Of(mine)).str();
  }
  std::string Person() {
    return (dice_.OneIn(2) ? device_.person : dice_.Of(universe_.people())).str();
  }
  std::string Word() {
    static const std::vector<std::string> kWords = {"礼堂",   "村委会", "祠堂", "学校", "茶园",
                                                    "会议室", "广场",   "",     "工棚", "渡口"};
    return dice_.OneIn(3) ? absl::StrCat(dice_.Of(kWords), dice_.Below(9)) : dice_.Of(kWords);
  }
  std::string Day() { return absl::StrCat("2026-0", 1 + dice_.Below(9), "-1", dice_.Below(10)); }
  std::string Month() {
    return dice_.OneIn(20) ? "2026-13" : absl::StrCat("2026-0", 1 + dice_.Below(9));
  }
  void SetNow(google::protobuf::Timestamp* time) {
    const int64_t ms = std::max<int64_t>(0, device_.environment().now_ms());
    time->set_seconds(ms / 1000 - dice_.Below(100));
    time->set_nanos(static_cast<int32_t>(dice_.Below(1000)) * 1'000'000);
  }
  // A maximum cannot be lowered, whatever the clock says.
  void SetLater(google::protobuf::Timestamp* time) {
    google::protobuf::Timestamp now;
    SetNow(&now);
    if (now.seconds() > time->seconds()) *time = now;
  }
  void Commit(client::Draft* draft, const Deltas& deltas = {}) {
    if (!device_.begun && dice_.OneIn(8) && !universe_.OfEarlierLife(device_)) {
      const auto* record = universe_.ledger().Find({draft->type().number, draft->id()});
      const uint64_t version = record == nullptr ? 0 : record->history.back().by.version;
      device_.begun = {std::move(*draft), version, deltas};
      return;
    }
    universe_.Commit(device_, {draft}, deltas);
  }
  void Finish() {
    Device::Begun begun = *std::exchange(device_.begun, std::nullopt);
    universe_.Commit(device_, {&begun.draft}, begun.deltas, begun.version);
  }

  void NewMeeting() {
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

  void ChangeMeeting() {
    auto draft = Any<Meeting>();
    if (!draft) return NewMeeting();
    for (uint32_t i = 1 + dice_.Below(2); i > 0; --i) ChangeOne(&draft->message<Meeting>());
    Commit(&*draft);
  }

  void ChangeOne(Meeting* meeting) {
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

  void SignInto(Meeting* meeting) {
    auto& present = *meeting->mutable_present();
    const std::string person = Person();
    const auto it = std::find(present.begin(), present.end(), person);
    if (it == present.end()) {
      *present.Add() = person;
    } else if (dice_.OneIn(2)) {
      present.erase(it);
    }
  }

  void ChangeAgenda(Meeting* meeting) {
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
  std::optional<std::pair<std::string, std::string>> MeetingAndBranch() {
    auto meeting = Any<Meeting>();
    if (!meeting) return std::nullopt;
    return std::pair(meeting->id().str(), meeting->message<Meeting>().branch_id());
  }

  void RollCall() {
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
    attendance.set_member_id(Person());
    attendance.set_state(Attendance::PRESENT);
    attendance.set_known_by(Word());
    Commit(&draft);
  }

  void SignIn() {
    if (!dice_.OneIn(3)) return Scan();
    const auto meeting = MeetingAndBranch();
    if (!meeting) return NewMeeting();
    client::Draft draft = store().New<CheckIn>();
    auto& check_in = draft.message<CheckIn>();
    check_in.set_activity_id(meeting->first);
    check_in.set_branch_id(meeting->second);
    check_in.set_member_id(Person());
    check_in.add_ways()->set_how(dice_.OneIn(2) ? CheckIn::BY_SELF : CheckIn::ROLL_CALL);
    SetNow(check_in.mutable_at());
    Commit(&draft);
  }

  // What a phone shows that is at hand; sometimes a picture of what one has shown, or a
  // code that somebody has made up.
  void Scan() {
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

  void PayDues() {
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
      payment.set_member_id(Person());
      payment.set_branch_id(Branch());
      payment.set_amount_fen(20 + dice_.Below(5000));
      payment.set_month(Month());
    }
    Commit(&draft, {{{draft.type().number, draft.id()}, payment.amount_fen()}});
  }

  void Travel() {
    auto draft = dice_.OneIn(2) ? Any<Flow>() : std::nullopt;
    if (!draft) {
      client::Draft made = store().New<Flow>();
      auto& flow = made.message<Flow>();
      flow.set_member_id(Person());
      flow.set_home_branch_id(Branch());
      if (dice_.OneIn(2)) flow.set_host_branch_id(dice_.Of(universe_.branches()).str());
      flow.set_left(Day());
      flow.set_state(Flow::REPORTED);
      return Commit(&made);
    }
    if (dice_.OneIn(4)) {
      client::Draft made = store().New<Contact>();
      auto& contact = made.message<Contact>();
      contact.set_flow_id(draft->id().str());
      contact.set_member_id(draft->message<Flow>().member_id());
      contact.set_branch_id(Branch());
      contact.set_said(Word());
      SetLater(draft->message<Flow>().mutable_last_contact());
      universe_.Commit(device_, {&*draft, &made}, {});
      return;
    }
    auto& flow = draft->message<Flow>();
    switch (dice_.Below(4)) {
      case 0:
        flow.set_state(static_cast<Flow::State>(1 + dice_.Below(7)));
        break;
      case 1:
        flow.set_host_branch_id(dice_.Of(universe_.branches()).str());
        break;
      case 2:
        SetLater(flow.mutable_last_contact());
        break;
      default:
        flow.set_reason(Word());
        flow.set_expected_back(dice_.OneIn(8) ? "later" : Day());
    }
    Commit(&*draft);
  }

  // A transfer of membership: the next step of it, often by somebody whose step it is not.
  void Move() {
    auto draft = dice_.OneIn(3) ? std::nullopt : Any<Transfer>();
    if (!draft) {
      draft = store().New<Transfer>();
      auto& made = draft->message<Transfer>();
      made.set_member_id(Person());
      made.set_from_branch_id(Branch());
      made.set_to_branch_id(dice_.Of(universe_.branches()).str());
      made.set_state(dice_.OneIn(2) ? Transfer::REQUESTED : Transfer::ISSUED);
    } else {
      const auto now = static_cast<int>(draft->message<Transfer>().state());
      draft->message<Transfer>().set_state(
          static_cast<Transfer::State>(dice_.OneIn(3) ? 1 + dice_.Below(6) : now + 1));
    }
    auto& letter = draft->message<Transfer>();
    if (letter.state() == Transfer::ISSUED) {
      letter.set_letter_number(Word());
      letter.set_issued(DateAt(universe_.now_ms()));
      letter.set_valid_until(DateAt(universe_.now_ms() + dice_.Below(100) * kDayMs));
    }
    Commit(&*draft);
  }

  // A pass is issued, or taken back.
  void Certify() {
    auto draft = dice_.OneIn(2) ? std::nullopt : Any<Pass>();
    if (draft) {
      draft->message<Pass>().set_state(Pass::REVOKED);
      return Commit(&*draft);
    }
    draft = store().New<Pass>();
    auto& pass = draft->message<Pass>();
    pass.set_number(Word());
    pass.set_member_id(Person());
    pass.set_branch_id(Branch());
    pass.set_from(DateAt(universe_.now_ms()));
    pass.set_until(DateAt(universe_.now_ms() + dice_.Below(400) * kDayMs));
    pass.set_state(Pass::ISSUED);
    Commit(&*draft);
  }

  void Register() {
    if (dice_.OneIn(4)) {
      client::Draft draft = store().New<Member>();
      auto& member = draft.message<Member>();
      member.set_branch_id(Branch());
      member.set_name(absl::StrCat("新", Word()));
      return Commit(&draft);
    }
    if (dice_.OneIn(4)) {
      client::Draft draft = store().New<PrivateDetail>();
      auto& detail = draft.message<PrivateDetail>();
      detail.set_member_id(Person());
      detail.set_branch_id(Branch());
      detail.set_phone(Word());
      return Commit(&draft);
    }
    if (dice_.OneIn(4)) {
      auto draft = Any<Placement>();
      if (!draft) return;
      draft->message<Placement>().set_branch_id(Branch());
      return Commit(&*draft);
    }
    auto draft = Any<Member>();
    if (!draft) return;
    auto& member = draft->message<Member>();
    switch (dice_.Below(4)) {
      case 0:
        member.set_post(Word());
        break;
      case 1:
        member.set_stage(static_cast<Member::Stage>(1 + dice_.Below(5)));
        break;
      case 2:
        member.set_branch_id(Branch());
        break;
      default:
        member.set_status(static_cast<Member::Status>(1 + dice_.Below(4)));
        member.set_education(Word());
        member.set_born(Day());
    }
    Commit(&*draft);
  }

  // Two records in one edit.
  void Two() {
    auto meeting = Any<Meeting>();
    auto sampler = device_.old ? std::nullopt : Any<Sampler>();
    if (!meeting || !sampler) return ChangeMeeting();
    const std::string word = Word();
    meeting->message<Meeting>().set_place(word);
    sampler->message<Sampler>().set_latest(word);
    universe_.Commit(device_, {&*meeting, &*sampler}, {});
  }

  void Remove() {
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

  // At what they may not hold, or only for a reason.
  void Look() {
    static const std::vector<const google::protobuf::Descriptor*> kTypes = {
        Member::descriptor(), PrivateDetail::descriptor(), Flow::descriptor()};
    sync::v1::Ask ask;
    ask.set_type(TodaysSchema()->Find(dice_.Of(kTypes))->number);
    ask.set_id(ask.type());
    if (dice_.OneIn(3)) {
      ask.set_organisation_id(Branch());
    } else {
      ask.set_member_id(Person());
      if (dice_.OneIn(2)) ask.set_reason(Word());
    }
    ask.set_limit(dice_.Below(4));
    universe_.Connect(device_);
    universe_.Ask(device_, ask);
  }

  void SettleNote() {
    auto draft = Any<ConflictNote>();
    if (!draft) return;
    draft->message<ConflictNote>().set_state(ConflictNote::SETTLED);
    Commit(&*draft);
  }

  void Decide() {
    auto draft = Any<HeldEdit>();
    if (!draft || draft->message<HeldEdit>().state() != HeldEdit::WAITING) return;
    draft->message<HeldEdit>().set_state(dice_.OneIn(3) ? HeldEdit::RETURNED : HeldEdit::TAKEN);
    Commit(&*draft);
  }

  // What came back is made again, or let go of.
  void Reconsider() {
    std::vector<client::SetAside> items;
    (void)store().ListSetAside([&](const client::SetAside& item) { items.push_back(item); });
    if (items.empty()) return ChangeSampler();
    const client::SetAside& item = dice_.Of(items);
    if (dice_.OneIn(4)) return universe_.Discard(device_, item);
    universe_.Amend(device_, item);
  }

  void Ride() {
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

  void NewSampler() {
    if (device_.old) return NewOldSampler();
    client::Draft draft = store().New<Sampler>();
    draft.message<Sampler>().set_branch_id(Branch());
    Deltas deltas = Fill(&draft);
    Commit(&draft, deltas);
  }

  void ChangeSampler() {
    if (device_.old) return ChangeOldSampler();
    auto draft = Any<Sampler>();
    if (!draft) return NewSampler();
    const Deltas deltas = Fill(&*draft);
    Commit(&*draft, deltas);
  }

  // Ticks what was not ticked or takes an item away, or the other way round, and
  // takes it back.
  void ThinkAgain() {
    auto draft = device_.old ? std::nullopt : Any<Sampler>();
    if (!draft) return ChangeSampler();
    const bool item = dice_.OneIn(2);
    const std::string colour = Colour();
    const auto toggle = [&](Sampler* sampler) {
      if (item) return ToggleItem(sampler->mutable_by_key());
      Toggle(colour, sampler->mutable_add_wins());
    };
    toggle(&draft->message<Sampler>());
    universe_.Commit(device_, {&*draft}, {});
    auto again = store().Edit<Sampler>(draft->id());
    if (!again.ok()) return;
    toggle(&again->message<Sampler>());
    Commit(&*again);
  }

  // With the app of an earlier version.
  void NewOldSampler() {
    client::Draft draft = store().New<old::Sampler>();
    draft.message<old::Sampler>().set_branch_id(Branch());
    draft.message<old::Sampler>().set_latest(Word());
    Commit(&draft);
  }
  void ChangeOldSampler() {
    auto draft = Any<old::Sampler>();
    if (!draft) return NewOldSampler();
    auto& s = draft->message<old::Sampler>();
    const int64_t add = dice_.Between(-5, 20);
    switch (dice_.Below(4)) {
      case 0:
        s.set_latest(Word());
        return Commit(&*draft);
      case 3:
        Vote(s.mutable_by_key());
        return Commit(&*draft);
      case 1:
        s.set_ask(Word());
        return Commit(&*draft);
      default:
        s.set_sum(s.sum() + add);
        return Commit(&*draft, {{{draft->type().number, draft->id()}, add}});
    }
  }

  void Vote(google::protobuf::RepeatedPtrField<old::Sampler::Item>* items) {
    if (items->empty() || dice_.OneIn(4)) {
      if (std::any_of(items->begin(), items->end(),
                      [](const auto& i) { return i.key() == kKey; })) {
        items->DeleteSubrange(static_cast<int>(dice_.Below(items->size())), 1);
        return;
      }
      items->Add()->set_key(kKey);
      return;
    }
    auto& item = *items->Mutable(static_cast<int>(dice_.Below(items->size())));
    item.set_votes(item.votes() + dice_.Between(-3, 9));
  }

  Deltas Fill(client::Draft* draft) {
    auto& s = draft->message<Sampler>();
    Deltas deltas;
    if (dice_.OneIn(4)) {
      Plainly(&s);
      return deltas;
    }
    for (uint32_t i = 1 + dice_.Below(3); i > 0; --i) {
      switch (dice_.Below(16)) {
        case 0:
          s.set_latest(Word());
          break;
        case 1:
          s.set_ask(Word());
          break;
        case 2:
          if (s.first().empty() || dice_.OneIn(5)) s.set_first(Word());
          break;
        case 3:
        case 4: {
          const int64_t add = dice_.Between(-5, 20);
          s.set_sum(s.sum() + add);
          deltas.push_back({{draft->type().number, draft->id()}, add});
          break;
        }
        case 5:
          s.set_zigzag_sum(s.zigzag_sum() + dice_.Between(-9, 9));
          break;
        case 6:
          if (const int64_t now = device_.environment().now_ms() / 1000; now > s.max().seconds()) {
            s.mutable_max()->set_seconds(now);
          }
          break;
        case 7: {
          // Odd, and so never zero, which cannot be told from nothing.
          const auto low = static_cast<int32_t>(dice_.Between(-50, 50) | 1);
          s.set_min(s.min() == 0 ? low : std::min(s.min(), low));
          break;
        }
        case 8:
        case 9:
          Toggle(Colour(), s.mutable_add_wins());
          break;
        case 10:
        case 11:
          ChangeItems(s.mutable_by_key(), 2);
          break;
        case 12: {
          const std::string word = Word();
          if (s.map().count(word) > 0 && dice_.OneIn(2)) {
            s.mutable_map()->erase(word);
          } else {
            (*s.mutable_map())[word] = static_cast<int32_t>(dice_.Below(9));
          }
          break;
        }
        case 13:
          s.set_forward(static_cast<Sampler::Step>(1 + dice_.Below(4)));
          break;
        case 14:
          if (dice_.OneIn(3)) s.set_branch_id(Branch());
          if (dice_.OneIn(2)) {
            s.set_word(Word());
          } else {
            s.set_number(static_cast<int32_t>(dice_.Below(5)));
          }
          break;
        default:
          s.mutable_pair()->set_left(Word());
          s.add_numbers(static_cast<int32_t>(dice_.Below(9)));
          if (s.numbers_size() > 4) s.clear_numbers();
      }
    }
    return deltas;
  }

  // Only what a server that does not know it merges as well as one that does.
  void Plainly(Sampler* s) {
    switch (dice_.Below(4)) {
      case 0:
        return s->clear_pair();
      case 1:
        return s->add_numbers(static_cast<int32_t>(dice_.Below(9)));
      case 2:
        if (!s->by_key().empty()) return s->mutable_by_key(0)->set_text(Word());
        [[fallthrough]];
      default:
        s->mutable_pair()->set_right(Word());
    }
  }

  // Few, so that several people meet at one.
  std::string Colour() { return dice_.OneIn(2) ? "红" : "黄"; }
  static void Toggle(const std::string& word,
                     google::protobuf::RepeatedPtrField<std::string>* set) {
    const auto it = std::find(set->begin(), set->end(), word);
    if (it == set->end()) {
      *set->Add() = word;
    } else {
      set->erase(it);
    }
  }

  void ToggleItem(google::protobuf::RepeatedPtrField<Sampler::Item>* items) {
    const auto it = std::find_if(items->begin(), items->end(),
                                 [](const auto& item) { return item.key() == kKey; });
    if (it != items->end()) {
      items->erase(it);
      return;
    }
    auto* item = items->Add();
    item->set_key(kKey);
    item->set_text(Word());
  }

  void ChangeItems(google::protobuf::RepeatedPtrField<Sampler::Item>* items, int depth) {
    static const std::vector<std::string> kKeys = {kKey, "乙", "丙"};
    const std::string& key = dice_.Of(kKeys);
    auto it = std::find_if(items->begin(), items->end(),
                           [&](const auto& item) { return item.key() == key; });
    if (it == items->end()) {
      auto* item = items->Add();
      item->set_key(key);
      item->set_text(Word());
      return;
    }
    switch (dice_.Below(depth > 0 ? 5 : 4)) {
      case 0:
        items->erase(it);
        return;
      case 1:
        it->set_text(Word());
        return;
      case 2:
        it->set_votes(it->votes() + dice_.Between(-3, 9));
        return;
      case 3:
        Toggle(Colour(), it->mutable_tags());
        return;
      default:
        ChangeItems(it->mutable_parts(), depth - 1);
    }
  }

  Universe& universe_;
  Device& device_;
  Dice dice_;
};

}  // namespace

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
