// The township of tests/data with a server process, and devices that are
// folders which zhibu processes work in.
//
//   Township township;                                     // imported, serving
//   Device secretary = township.Enrol("甲青石");
//   secretary.Do({"put", "Meeting", json});                // expects success
#ifndef ZHIBU_TESTS_E2E_TOWNSHIP_H_
#define ZHIBU_TESTS_E2E_TOWNSHIP_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/process.h"

namespace zhibu::e2e {

inline constexpr char kBranch[] = "云溪镇青石村党支部";
inline constexpr char kSecretary[] = "甲青石";
inline constexpr char kDeputy[] = "乙青石";
inline constexpr char kMigrant[] = "丙滨海";

using Words = std::vector<std::string>;

// The arguments of a successful call and what it printed; a failure fails the
// test and gives null.
Json Succeed(const Words& arguments);
// A refusal: exit status 1 and {"error": …}, which it returns.
Json Fail(const Words& arguments);

class Device {
 public:
  explicit Device(std::string home) : home_(std::move(home)) {}

  const std::string& home() const { return home_; }
  Words Command(const Words& words) const;  // with --json and --home
  Json Do(const Words& words) const { return Succeed(Command(words)); }
  Json Refused(const Words& words) const { return Fail(Command(words)); }
  Finished Run(const Words& words) const { return RunToEnd(Command(words)); }

  std::string Put(const std::string& type, const Json& record) const;  // → id
  Json Record(const std::string& type, const std::string& id) const;
  Json List(const std::string& type) const { return Do({"list", type}); }
  std::string IdOf(const std::string& member) const;
  std::string BranchId() const;
  uint64_t Unsent() const;

 private:
  std::string home_;
};

class Township {
 public:
  // `data`: the server's folder; empty: one of its own. `options`: more of them for
  // `zhibu serve`.
  explicit Township(std::string data = "", Words options = {});

  const std::string& data() const { return data_; }
  int port() const { return port_; }
  int web_port() const { return web_port_; }
  pid_t server_pid() const { return server_->pid(); }

  // On the same ports as before, once there was one.
  void Start(const Words& more = {});
  void StartAt(int port, const Words& more = {});
  Finished Stop();  // SIGTERM
  void Kill();      // SIGKILL

  Words AdminCommand(const Words& words) const;
  Json Admin(const Words& words) const { return Succeed(AdminCommand(words)); }
  std::string Code(const std::string& member) const;
  // A new device of `member`, synced once. `home`: empty: a folder of its own.
  // The code is sent to `port` if that is not 0.
  Device Enrol(const std::string& member, std::string home = "", int port = 0);

 private:
  TempFolder folder_;
  std::string data_;
  const Words options_;
  int homes_ = 0;
  int port_ = 0;
  int web_port_ = 0;
  std::unique_ptr<Process> server_;
};

// The code with another port in its address.
std::string WithPort(const std::string& code, int port);

// 16 bytes in base64 that follow from `number`: a member who is not in the roster.
std::string MadeUpId(uint32_t number);

Json Meeting(const Device& device, const std::string& topic);
Json Dues(const std::string& member_id, const std::string& branch_id, int64_t fen);

// Ids of the records of a type as a device has them.
std::set<std::string> IdsOn(const Device& device, const std::string& type);

}  // namespace zhibu::e2e

#endif  // ZHIBU_TESTS_E2E_TOWNSHIP_H_
