// Two branches and a member who goes from one to the other: the village of
// village.h is the home (流出地) of Wang, and in the city there is a host (流入地).
#ifndef ZHIBU_TESTS_SUPPORT_MIGRATION_H_
#define ZHIBU_TESTS_SUPPORT_MIGRATION_H_

#include <string>

#include "tests/support/village.h"

namespace zhibu::test {

class Migration : public Village {
 protected:
  Migration() {
    world.Appoint(chen, host, SECRETARY);
    world.SyncAll();
    world.Wait(60'000);
  }

  Id Report(Phone& phone) {
    return phone.Make<Flow>([&](Flow& flow) {
      flow.set_member_id(wang.str());
      flow.set_home_branch_id(branch.str());
      flow.set_host_branch_id(host.str());
      flow.set_left("2026-11-20");
      flow.set_state(Flow::REPORTED);
    });
  }
  void Step(Phone& phone, const Id& flow, Flow::State state) {
    phone.Change<Flow>(flow, [&](Flow& f) { f.set_state(state); });
  }
  // Reported and accepted, everything synced.
  Id Stay() {
    const Id flow = Report(wangs);
    world.SyncAll();
    Step(chens, flow, Flow::ACCEPTED);
    world.SyncAll();
    return flow;
  }
  Id Talk(Phone& phone, const Id& by_branch, const std::string& said) {
    return phone.Make<Contact>([&](Contact& contact) {
      contact.set_member_id(wang.str());
      contact.set_branch_id(by_branch.str());
      contact.set_said(said);
    });
  }
  Id Issue(Phone& phone, const Id& to, const std::string& letter = "鄂组介 2026-17",
           const std::string& until = "2027-02-15") {
    return phone.Make<Transfer>([&](Transfer& transfer) {
      transfer.set_member_id(wang.str());
      transfer.set_from_branch_id(branch.str());
      transfer.set_to_branch_id(to.str());
      transfer.set_letter_number(letter);
      transfer.set_issued("2026-11-18");
      transfer.set_valid_until(until);
      transfer.set_state(Transfer::ISSUED);
    });
  }
  void Step(Phone& phone, const Id& transfer, Transfer::State state) {
    phone.Change<Transfer>(transfer, [&](Transfer& t) {
      t.set_state(state);
      if (state == Transfer::RECEIVED) t.set_received("2026-11-19");
    });
  }
  std::string HomeOfWang() {
    for (const Placement& placement : wangs.All<Placement>()) {
      if (placement.member_id() == wang.str()) return placement.branch_id();
    }
    return "";
  }

  const Id host = world.Branch("驻滨海市流动党支部");
  const Id chen = world.Person("陈", host);  // its secretary
  Phone& chens = world.Enrol(chen);
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_MIGRATION_H_
