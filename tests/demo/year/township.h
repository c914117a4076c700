// A township's server and everybody's devices, in one process and on one clock: production code of
// both sides, joined by gRPC and TLS on the loopback.
//
//   Township township(folder, seed, 30, 700, first_day);
//   township.secretary(3).Sync();
//   township.Close();      // the folders are those of `zhibu serve` and `zhibu device`
#ifndef ZHIBU_TESTS_DEMO_YEAR_TOWNSHIP_H_
#define ZHIBU_TESTS_DEMO_YEAR_TOWNSHIP_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/rpc/node.h"
#include "tests/demo/year/clock.h"
#include "tests/demo/year/device.h"
#include "tests/demo/year/town.h"
#include "tests/sim/dice.h"

namespace zhibu::year {

class Township {
 public:
  Township(const std::string& folder, uint64_t seed, size_t branches, size_t members,
           absl::CivilDay first_day);

  Clock clock;
  sim::Dice dice;
  Tally tally;

  std::vector<Village>& villages() { return town_.villages(); }
  Village& village(size_t index) { return town_.villages()[index]; }
  size_t host() { return villages().size() - 1; }  // the branch of those who work in the city
  const Id& committee() const { return committee_; }
  const Id& host_committee() const { return host_committee_; }

  Device& leader() { return *leader_; }  // acts for the township's committee
  Device& secretary(size_t village) { return *secretaries_[village]; }
  // Those who have a device; null: they have none.
  Device* deputy(size_t village);
  // Of the first branch: somebody without an office, and somebody who is late with the dues.
  Device& member() { return *member_; }
  Device& debtor() { return *debtor_; }
  std::vector<Device*> devices();

  int port() const { return port_; }
  // Everything is on the disk, and nobody holds it.
  void Close();

 private:
  void Import();
  void Grant(const Person& person, const std::string& organisation, Office office);
  std::unique_ptr<Device> Enrol(const std::string& name, const Person& person);
  void AppointAll();
  void LearnIds();

  const std::string folder_;
  const uint64_t seed_;
  Town town_;
  std::unique_ptr<server::Node> node_;
  struct Admin;
  std::shared_ptr<Admin> admin_;
  int port_ = 0;
  Id committee_;
  Id host_committee_;
  std::unique_ptr<Device> leader_;
  std::vector<std::unique_ptr<Device>> secretaries_;
  std::map<size_t, std::unique_ptr<Device>> deputies_;
  std::unique_ptr<Device> member_;
  std::unique_ptr<Device> debtor_;
};

}  // namespace zhibu::year

#endif  // ZHIBU_TESTS_DEMO_YEAR_TOWNSHIP_H_
