// 流动党员 and transfers: who goes away to work, whom the branch in the city takes in, who comes
// back, from whom nothing is heard any more, and who moves from one branch to the next.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client-core/actions/flow.h"
#include "client-core/actions/pass.h"
#include "client-core/actions/transfer.h"
#include "tests/demo/year/story.h"
#include "zhibu/records/v1/flow.pb.h"
#include "zhibu/records/v1/member.pb.h"
#include "zhibu/records/v1/service_place.pb.h"

namespace zhibu::year {
namespace {

using records::v1::Flow;
using records::v1::HomeVisit;
using records::v1::LostContact;
using records::v1::Member;
using records::v1::MigrantService;
using records::v1::ServicePoint;
using records::v1::Transfer;

constexpr size_t kFirstHome = 5, kHomes = 10;
// Which of them calls nobody any more, who has lost a member, and between which one moves.
constexpr size_t kSilent = 6, kLost = 7, kFrom = 8, kTo = 9;
constexpr int kLeave = 20, kContactEvery = 75, kBackAt = 230, kLetterAt = 100;

struct Stay {
  size_t village = 0;
  Person person;
  Id flow;
  bool at_host = false;   // named to the branch in the city
  bool accepted = false;  // by it
  bool over = false;
  bool known_at_home = false;  // that it was accepted
  absl::CivilDay called;
};

class Away final : public Story {
 public:
  using Story::Story;

  void OnDay() override {
    const int64_t day = year_.days();
    if (day == kLeave - 5) OpenServicePoint();
    if (day == kLeave) Leave();
    if (day > kLeave) Accept();
    for (Stay& stay : stays_) {
      if (!stay.over && today() - stay.called >= kContactEvery) Call(&stay);
      if (!stay.over && day >= kBackAt && stay.village % 3 == 2) Return(&stay);
    }
    if (day == kLeave + 60) ServeGuests();
    if (day == 30) Lose();
    if (day == 260) Suspend();
    if (day == kLetterAt) Issue();
    if (day > kLetterAt) Receive();
  }

  void End() override {
    int64_t away = 0;
    int64_t guests = 0;
    for (const Stay& stay : stays_) {
      away += stay.over ? 0 : 1;
      guests += !stay.over && stay.accepted ? 1 : 0;
    }
    year_.ending.numbers["away"] = away;
    year_.ending.numbers["guests"] = guests;
    year_.ending.numbers["stays"] = static_cast<int64_t>(stays_.size());
    year_.ending.words["silent"] = silent_;
    year_.ending.words["lost"] = town_.village(kLost).members[9].name;
    year_.ending.words["moved"] = moved_.name;
    Check(moves_ == 3, "a letter was issued, received and filed");
  }

 private:
  Device& home(const Stay& stay) { return town_.secretary(stay.village); }
  Device& host() { return town_.secretary(town_.host()); }

  void Leave() {
    for (size_t village = kFirstHome; village < kFirstHome + kHomes; ++village) {
      for (size_t who : {7, 8}) {
        Stay stay;
        stay.village = village;
        town_.village(village).members[who].away = true;
        stay.person = town_.village(village).members[who];
        stay.at_host = who == 7;
        Report(&stay);
        stays_.push_back(stay);
      }
    }
  }

  void Report(Stay* stay) {
    Device& device = home(*stay);
    client::Journey journey;
    if (stay->at_host) journey.host = town_.village(town_.host()).id;
    journey.back = today() + 520;
    journey.reason = "务工";
    journey.destination = stay->at_host ? "滨海市" : "外省";
    Edit edit(&device);
    auto draft = Must(client::ReportStay(device.store(), stay->person.id, journey), "a stay");
    auto& flow = draft.message<Flow>();
    flow.set_cause(Flow::WORK);
    flow.set_direction(stay->at_host ? Flow::WITHIN_PROVINCE : Flow::ACROSS_PROVINCES);
    stay->flow = edit.Add(std::move(draft), true);
    edit.Add(
        Must(client::IssuePass(device.store(), stay->person.id,
                               {.number = absl::StrCat("云流", ++passes_), .until = today() + 540}),
             "a pass"),
        true);
    edit.Change<Member>(stay->person.id, [](Member& member) {
      member.set_migrant(true);
      member.set_status(Member::AWAY);
    });
    edit.Commit();
    stay->called = today();
  }

  // Once the branch in the city has heard of them.
  void Accept() {
    const RecordType& type = *host().store().schema().Find(Flow::descriptor());
    for (Stay& stay : stays_) {
      if (!stay.at_host || stay.accepted || stay.over || !host().Has(type, stay.flow)) continue;
      Edit edit(&host());
      auto draft = Must(host().store().Edit<Flow>(stay.flow), "a stay");
      draft =
          Must(client::AcceptStay(host().store(), std::move(draft), "驻滨海市支部书记"), "accept");
      edit.Add(std::move(draft), false);
      edit.Commit();
      stay.accepted = true;
    }
  }

  void Call(Stay* stay) {
    if (stay->village == kSilent && year_.days() > 200) {
      silent_ = stay->person.name;
      return;
    }
    Device& device = home(*stay);
    auto draft = Must(device.store().Edit<Flow>(stay->flow), "a stay");
    auto drafts = Must(client::RecordContact(device.store(), std::move(draft),
                                             {"电话", "工作稳定，已参加当地支部学习。"}),
                       "a call");
    Edit edit(&device);
    edit.Add(std::move(drafts[0]), true);
    edit.Add(std::move(drafts[1]), false);
    edit.Commit();
    stay->called = today();
  }

  void Return(Stay* stay) {
    Device& device = home(*stay);
    auto draft = Must(device.store().Edit<Flow>(stay->flow), "a stay");
    draft = Must(client::EndStay(device.store(), std::move(draft), Flow::RETURNED, std::nullopt),
                 "back");
    Edit edit(&device);
    edit.Add(std::move(draft), false);
    edit.Change<Member>(stay->person.id, [](Member& member) {
      member.set_migrant(false);
      member.set_status(Member::ACTIVE);
    });
    edit.Make<HomeVisit>([&](HomeVisit& visit) {
      visit.set_member_id(stay->person.id.str());
      visit.set_year(static_cast<uint32_t>(today().year()));
      visit.set_branch_id(town_.village(stay->village).id.str());
      visit.set_returned_on(date());
      auto& done = *visit.add_done();
      done.set_item(HomeVisit::TALK);
      done.set_done_on(date());
    });
    edit.Commit();
    stay->over = true;
    for (Person& person : town_.village(stay->village).members) {
      if (person.id == stay->person.id) person.away = false;
    }
  }

  void OpenServicePoint() {
    Edit edit(&host());
    point_ = edit.Make<ServicePoint>([&](ServicePoint& point) {
      point.set_branch_id(town_.village(town_.host()).id.str());
      point.set_name("云溪籍流动党员服务站");
      point.set_place("临港街道 3 号");
      point.add_services("就业");
      point.add_services("维权");
      point.set_opening("周六、周日");
      point.set_opened_on(date());
    });
    edit.Commit();
  }

  // As far as the host has heard that they are its guests.
  void ServeGuests() {
    for (const Stay& stay : stays_) {
      if (!stay.accepted) continue;
      Edit edit(&host());
      edit.Make<MigrantService>([&](MigrantService& service) {
        service.set_member_id(stay.person.id.str());
        service.set_branch_id(town_.village(town_.host()).id.str());
        service.set_point_id(point_.str());
        service.set_kind(MigrantService::SCHOOLING);
        service.set_served_on(date());
        service.set_need("子女入学");
        service.set_result("已协调入学");
      });
      edit.Commit();
    }
  }

  void Lose() {
    Village& village = town_.village(kLost);
    village.members[9].lost = true;
    Edit edit(&town_.secretary(kLost));
    lost_ = edit.Make<LostContact>([&](LostContact& lost) {
      lost.set_member_id(village.members[9].id.str());
      lost.set_branch_id(village.id.str());
      lost.set_last_seen_on(DateOf(today() - 190));
      lost.set_reason(LostContact::WORK_ELSEWHERE);
      lost.set_state(LostContact::LOST);
      for (int ago : {60, 20}) {
        auto& attempt = *lost.add_attempts();
        attempt.set_tried_on(DateOf(today() - ago));
        attempt.set_how("电话、走访亲属");
        attempt.set_result("未取得联系");
      }
    });
    edit.Change<Member>(village.members[9].id, [&](Member& member) {
      member.set_status(Member::OUT_OF_CONTACT);
      member.set_lost_since(DateOf(today() - 190));
    });
    edit.Commit();
  }

  // By decision of the branch: the program asks, people decide.
  void Suspend() {
    const Village& village = town_.village(kLost);
    Edit edit(&town_.secretary(kLost));
    edit.Change<LostContact>(lost_, [&](LostContact& lost) {
      lost.set_state(LostContact::SUSPENDED);
      lost.set_decided_on(date());
      lost.set_decision("支部党员大会讨论，报镇党委批准，停止党籍。");
    });
    edit.Change<Member>(village.members[9].id, [&](Member& member) {
      member.set_membership(Member::SUSPENDED);
      member.set_suspended_on(date());
    });
    edit.Commit();
  }

  void Issue() {
    Village& from = town_.village(kFrom);
    moved_ = from.members[10];
    Device& device = town_.secretary(kFrom);
    Edit edit(&device);
    auto draft = Must(client::IssueLetterUnasked(device.store(), moved_.id, town_.village(kTo).id,
                                                 "迁居", {.number = "云组介-1", .days = 60}),
                      "a letter");
    draft.message<Transfer>().set_dues_paid_until(MonthOf(today()));
    letter_ = edit.Add(std::move(draft), true);
    edit.Commit();
    from.members.erase(from.members.begin() + 10);
    moves_ = 1;
  }

  void Receive() {
    const RecordType& type = *town_.leader().store().schema().Find(Transfer::descriptor());
    Device& to = town_.secretary(kTo);
    if (moves_ == 1 && to.Has(type, letter_)) {
      auto draft = Must(to.store().Edit<Transfer>(letter_), "a letter");
      draft = Must(client::ReceiveLetter(to.store(), std::move(draft)), "received");
      Edit edit(&to);
      edit.Add(std::move(draft), false);
      edit.Commit();
      moves_ = 2;
      return;
    }
    const RecordType& member = *to.store().schema().Find(Member::descriptor());
    const bool there = moves_ >= 2 && to.Has(member, moved_.id);
    if (there && !placed_) {
      placed_ = true;
      town_.village(kTo).members.push_back(moved_);
    }
    Device& from = town_.secretary(kFrom);
    if (moves_ != 2 || from.Get<Transfer>(letter_).state() != Transfer::RECEIVED) return;
    Edit edit(&from);
    auto draft = Must(from.store().Edit<Transfer>(letter_), "a letter");
    edit.Add(Must(client::CloseTransfer(std::move(draft)), "filed"), false);
    edit.Commit();
    moves_ = 3;
  }

  std::vector<Stay> stays_;
  std::string silent_;
  Id point_;
  Id lost_;
  Person moved_;
  Id letter_;
  int moves_ = 0;
  bool placed_ = false;
  int passes_ = 0;
};

}  // namespace

std::unique_ptr<Story> AwayStory(Year* year) { return std::make_unique<Away>(year); }

}  // namespace zhibu::year
