// What the fuzzers of both sessions begin with: a branch, its secretary and a member, each
// with a phone, some records, everything synced.
#ifndef ZHIBU_TESTS_FUZZ_SITE_H_
#define ZHIBU_TESTS_FUZZ_SITE_H_

#include <string>
#include <vector>

#include "proto/policies.pb.h"
#include "tests/fuzz/choices.h"
#include "tests/support/world.h"
#include "zhibu/records/v1/catalogue.pb.h"

namespace zhibu::test {

struct Site {
  World world;
  Id branch = world.Branch("青石村党支部");
  Id zhang = world.Person("张", branch);
  Id li = world.Person("李", branch);
  Phone& zhangs = (world.Appoint(zhang, branch, SECRETARY), world.Enrol(zhang));
  Phone& lis = world.Enrol(li);
  Id meeting;
  Id sampler;

  Site() {
    EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
    meeting = zhangs.Make<records::v1::Meeting>([&](auto& m) {
      m.set_branch_id(branch.str());
      m.set_topic("七月党员大会");
    });
    sampler = zhangs.Make<zhibu::testing::Sampler>([&](auto& s) { s.set_branch_id(branch.str()); });
    EXPECT_EQ(world.Sync(zhangs), absl::OkStatus());
    EXPECT_EQ(world.Sync(lis), absl::OkStatus());
  }

  std::vector<Id> Ids() const { return {branch, zhang, li, meeting, sampler}; }
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_FUZZ_SITE_H_
