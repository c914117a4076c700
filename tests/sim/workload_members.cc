// The register, those who go away, and those who look at what lies below them.
#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client-core/actions/ask.h"
#include "sync/base/date.h"
#include "tests/sim/author.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::sim {

using records::v1::Attendance;
using records::v1::CheckIn;
using records::v1::Contact;
using records::v1::DuesPayment;
using records::v1::DuplicatePerson;
using records::v1::Flow;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::Pass;
using records::v1::Placement;
using records::v1::PrivateDetail;
using records::v1::Transfer;

namespace {

constexpr int64_t kDayMs = 86'400'000;

// Few, so that one person is registered twice, and two who are not one person share a
// name and a birth date.
const std::vector<std::string> kNames = {"王秀英", "李建国", "张伟", "刘洋"};
const std::vector<std::string> kBirths = {"1980-01-01", "1975-12-31"};
// As people write them.
const std::vector<std::string> kNumbers = {
    "11010519491231002X",
    "110105 19491231 002x",
    "440524188001010014",
    "440524 188001010014",
    "53010219200508011x",
    "",
    "",
};

}  // namespace

void Author::Travel() {
  auto draft = dice_.OneIn(2) ? Any<Flow>() : std::nullopt;
  if (!draft) {
    client::Draft made = store().New<Flow>();
    auto& flow = made.message<Flow>();
    const Belonging somebody = Somebody();
    flow.set_member_id(somebody.member);
    flow.set_home_branch_id(somebody.branch);
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
void Author::Move() {
  auto draft = dice_.OneIn(3) ? std::nullopt : Any<Transfer>();
  if (!draft) {
    draft = store().New<Transfer>();
    auto& made = draft->message<Transfer>();
    const Belonging somebody = Somebody();
    made.set_member_id(somebody.member);
    made.set_from_branch_id(somebody.branch);
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
void Author::Certify() {
  auto draft = dice_.OneIn(2) ? std::nullopt : Any<Pass>();
  if (draft) {
    draft->message<Pass>().set_state(Pass::REVOKED);
    return Commit(&*draft);
  }
  draft = store().New<Pass>();
  auto& pass = draft->message<Pass>();
  pass.set_number(Word());
  const Belonging somebody = Somebody();
  pass.set_member_id(somebody.member);
  pass.set_branch_id(somebody.branch);
  pass.set_from(DateAt(universe_.now_ms()));
  pass.set_until(DateAt(universe_.now_ms() + dice_.Below(400) * kDayMs));
  pass.set_state(Pass::ISSUED);
  Commit(&*draft);
}

// Often by somebody who cannot know that another branch has done so before.
void Author::NewMember() {
  client::Draft draft = store().New<Member>();
  auto& member = draft.message<Member>();
  member.set_branch_id(Branch());
  member.set_name(dice_.Of(kNames));
  if (!dice_.OneIn(4)) member.set_born(dice_.Of(kBirths));
  const auto branch = Id::FromBytes(member.branch_id());
  const uint32_t offices =
      branch ? universe_.ledger().OfficesIn(device_.person, *branch, universe_.now_ms()) : 0;
  if ((offices >> SECRETARY & 1) == 0 || dice_.OneIn(4)) return Commit(&draft);
  client::Draft private_detail = store().New<PrivateDetail>();
  auto& detail = private_detail.message<PrivateDetail>();
  detail.set_member_id(draft.id().str());
  detail.set_branch_id(member.branch_id());
  detail.set_identity_number(dice_.Of(kNumbers));
  // Who is not placed in the branch does not belong to it.
  client::Draft placed = store().New<Placement>();
  placed.message<Placement>().set_member_id(draft.id().str());
  placed.message<Placement>().set_branch_id(member.branch_id());
  universe_.Commit(device_, {&draft, &placed, &private_detail}, {});
}

void Author::Identify() {
  auto draft = dice_.OneIn(2) ? Any<PrivateDetail>() : std::nullopt;
  if (!draft) {
    draft = store().New<PrivateDetail>();
    auto& detail = draft->message<PrivateDetail>();
    const Belonging somebody = Somebody();
    detail.set_member_id(somebody.member);
    detail.set_branch_id(somebody.branch);
  }
  auto& detail = draft->message<PrivateDetail>();
  const bool both = dice_.OneIn(2);
  if (both || dice_.OneIn(2)) detail.set_phone(Word());
  if (both || detail.phone().empty()) detail.set_identity_number(dice_.Of(kNumbers));
  Commit(&*draft);
}

void Author::Register() {
  if (dice_.OneIn(4)) return NewMember();
  if (dice_.OneIn(2)) return Identify();
  if (dice_.OneIn(5)) {
    auto draft = Any<Placement>();
    if (!draft) return;
    draft->message<Placement>().set_branch_id(Branch());
    return Commit(&*draft);
  }
  auto draft = Any<Member>();
  if (!draft) return;
  auto& member = draft->message<Member>();
  switch (dice_.Below(5)) {
    case 0:
      member.set_post(Word());
      break;
    case 1:
      member.set_stage(static_cast<Member::Stage>(1 + dice_.Below(5)));
      break;
    case 2:
      member.set_branch_id(Branch());
      break;
    case 3:
      member.set_born(dice_.Of(kBirths));
      if (dice_.OneIn(3)) member.set_name(dice_.Of(kNames));
      break;
    default:
      member.set_status(static_cast<Member::Status>(1 + dice_.Below(4)));
      member.set_education(Word());
  }
  Commit(&*draft);
}

// Whoever acts for the organisation above both, or is one of the two and was asked.
void Author::DecideWhoIsWho() {
  auto draft = Any<DuplicatePerson>();
  if (!draft) return;
  auto& same = draft->message<DuplicatePerson>();
  const auto& asked = same.asked_ids();
  const bool mine = std::count(asked.begin(), asked.end(), device_.person.str()) > 0;
  if (same.state() == DuplicatePerson::MERGED) {
    same.set_state(DuplicatePerson::UNDONE);
  } else if (dice_.OneIn(12)) {
    same.set_state(DuplicatePerson::MERGED);  // which is nobody's to say
  } else if (same.state() == DuplicatePerson::AGREED && (mine || dice_.OneIn(4))) {
    if (dice_.OneIn(6)) same.set_state(DuplicatePerson::UNDONE);
    // For the other too, now and then.
    const bool other = dice_.OneIn(8) || !mine;
    same.add_agreed_ids(other ? dice_.OneIn(2) ? same.first_id() : same.second_id()
                              : device_.person.str());
  } else if (dice_.OneIn(3)) {
    same.set_state(DuplicatePerson::NOT_SAME);
  } else {
    same.set_state(DuplicatePerson::AGREED);
    same.set_kept_id(dice_.OneIn(2) ? same.first_id() : same.second_id());
    if (dice_.OneIn(12)) same.set_kept_id(Person());  // neither, mostly
  }
  Commit(&*draft);
}

// Hangs an organisation on another.
void Author::Affiliate() {
  auto draft = Any<Organisation>();
  if (!draft) return;
  const std::vector<Id> parents = universe_.MayHangOn(draft->id());
  if (parents.empty()) return;
  auto& organisation = draft->message<Organisation>();
  organisation.set_parent_id(dice_.OneIn(6) ? "" : dice_.Of(parents).str());
  if (dice_.OneIn(3)) {
    organisation.set_host_parent_id(dice_.OneIn(2) ? "" : dice_.Of(parents).str());
  }
  Commit(&*draft);
}

// At what they do not hold: page by page at an organisation and all below it, or for a
// reason at one member.
void Author::Look() {
  static const std::vector<const google::protobuf::Descriptor*> kTypes = {
      Member::descriptor(),  PrivateDetail::descriptor(), Flow::descriptor(),
      Meeting::descriptor(), Organisation::descriptor(),  Placement::descriptor(),
      CheckIn::descriptor(), Attendance::descriptor(),    DuesPayment::descriptor()};
  sync::v1::Ask ask;
  if (!device_.looked_at.member_id().empty() && dice_.OneIn(3)) {  // again, without saying why
    ask = device_.looked_at;
  } else {
    const bool member = dice_.OneIn(3);
    const RecordType& type = *TodaysSchema()->Find(
        member && dice_.OneIn(2) ? PrivateDetail::descriptor() : dice_.Of(kTypes));
    if (member) {
      const std::vector<Id> members = Ids<Member>();
      const std::string whom =
          members.empty() || dice_.OneIn(2) ? Person() : dice_.Of(members).str();
      const std::string reason = dice_.OneIn(2) ? absl::StrCat("核对", Word()) : "";
      ask = client::AskAboutMember(type, *Id::FromBytes(whom), reason).value();
    } else {
      const std::string where =
          dice_.OneIn(3) ? dice_.Of(universe_.organisations()).str() : Branch();
      ask = client::AskBelow(type, *Id::FromBytes(where));
    }
    ask.set_limit(dice_.OneIn(4) ? 0 : 1 + dice_.Below(3));
    device_.looked_at = ask;
    device_.looked_at.clear_reason();
  }
  universe_.Connect(device_);
  universe_.Ask(device_, ask);
  if (dice_.OneIn(2)) universe_.Sync(device_);  // and waits for all of it
}

}  // namespace zhibu::sim
