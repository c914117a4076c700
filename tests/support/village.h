// The people that most tests tell of: one branch, its secretary, deputy and one
// ordinary member, each with a phone, everything synced.
#ifndef ZHIBU_TESTS_SUPPORT_VILLAGE_H_
#define ZHIBU_TESTS_SUPPORT_VILLAGE_H_

#include <gmock/gmock.h>

#include <string>

#include "proto/policies.pb.h"
#include "tests/support/world.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::test {

using records::v1::CheckIn;
using records::v1::ConflictNote;
using records::v1::Contact;
using records::v1::DuesPayment;
using records::v1::Flow;
using records::v1::Meeting;
using records::v1::Member;
using records::v1::Organisation;
using records::v1::Pass;
using records::v1::Placement;
using records::v1::PrivateDetail;
using records::v1::Transfer;
using zhibu::testing::Bicycle;
using zhibu::testing::Sampler;

class Village : public ::testing::Test {
 protected:
  Village() {
    world.Appoint(zhang, branch, SECRETARY);
    world.Appoint(li, branch, DEPUTY);
    world.SyncAll();
    world.Wait(60'000);
  }

  Id MakeMeeting(Phone& phone, const std::string& topic = "七月党员大会") {
    return phone.Make<Meeting>([&](Meeting& meeting) {
      meeting.set_branch_id(branch.str());
      meeting.set_topic(topic);
    });
  }
  Id MakeSampler(Phone& phone) {
    return phone.Make<Sampler>([&](Sampler& sampler) { sampler.set_branch_id(branch.str()); });
  }
  void AddTo(Phone& phone, const Id& sampler, int64_t much) {
    phone.Change<Sampler>(sampler, [&](Sampler& s) { s.set_sum(s.sum() + much); });
  }
  // Two meetings in one edit.
  void SetBoth(Phone& phone, const Id& a, const Id& b, const std::string& word) {
    auto first = phone.store().Edit<Meeting>(a);
    auto second = phone.store().Edit<Meeting>(b);
    ASSERT_TRUE(first.ok() && second.ok());
    first->message<Meeting>().set_place(word);
    second->message<Meeting>().set_place(word);
    phone.Commit({&*first, &*second});
  }
  void ExpectConverged() {
    world.SyncAll();
    for (const auto& phone : world.phones()) {
      EXPECT_THAT(world.Differences(*phone), ::testing::IsEmpty())
          << "phone of " << world.Get<Member>(phone->person()).name();
      EXPECT_EQ(phone->State().unsent, 0u);
    }
    world.CheckAudit();
  }

  World world;
  const Id branch = world.Branch("青石村党支部");
  const Id zhang = world.Person("张", branch);  // secretary
  const Id li = world.Person("李", branch);     // deputy
  const Id wang = world.Person("王", branch);   // member
  Phone& zhangs = world.Enrol(zhang);
  Phone& lis = world.Enrol(li);
  Phone& wangs = world.Enrol(wang);
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_SUPPORT_VILLAGE_H_
