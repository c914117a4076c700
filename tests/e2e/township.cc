#include "tests/e2e/township.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace zhibu::e2e {

Json Succeed(const Words& arguments) {
  const Finished finished = RunToEnd(arguments);
  EXPECT_EQ(finished.status, 0) << absl::StrJoin(arguments, " ") << "\n"
                                << finished.out << finished.err;
  if (finished.status != 0) return nullptr;
  const Json json = finished.json();
  EXPECT_FALSE(json.is_discarded()) << absl::StrJoin(arguments, " ") << "\n" << finished.out;
  return json;
}

Json Fail(const Words& arguments) {
  const Finished finished = RunToEnd(arguments);
  const std::string told =
      absl::StrCat(absl::StrJoin(arguments, " "), "\n", finished.out, finished.err);
  EXPECT_EQ(finished.status, 1) << told;
  EXPECT_EQ(std::count(finished.out.begin(), finished.out.end(), '\n'), 1) << told;
  const Json json = finished.json();
  if (!json.is_object() || !json.contains("error")) {
    ADD_FAILURE() << "no error in JSON: " << told;
    return {{"code", ""}, {"reason", ""}, {"message", ""}, {"words", ""}};
  }
  Json error = json["error"];
  for (const char* key : {"code", "reason", "message", "words"}) {
    EXPECT_TRUE(error.contains(key) && error[key].is_string() && !error[key].empty())
        << key << ": " << told;
  }
  EXPECT_FALSE(error.value("words", "").empty()) << told;
  return error;
}

Words Device::Command(const Words& words) const {
  Words command = {"--json", "device", "--home", home_};
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::string Device::Put(const std::string& type, const Json& record) const {
  return Do({"put", type, record.dump()}).value("id", "");
}

Json Device::Record(const std::string& type, const std::string& id) const {
  const Json got = Do({"get", type, id});
  return got.is_object() ? got.value("record", Json()) : Json();
}

std::string Device::IdOf(const std::string& member) const {
  const Json found = Do({"list", "Member", "--where", absl::StrCat("name=", member)});
  EXPECT_EQ(found.size(), 1) << member;
  return found.empty() ? "" : found[0].value("id", "");
}

std::string Device::BranchId() const {
  const Json found = Do({"list", "Organisation", "--where", absl::StrCat("name=", kBranch)});
  EXPECT_EQ(found.size(), 1);
  return found.empty() ? "" : found[0].value("id", "");
}

uint64_t Device::Unsent() const { return Do({"status"}).value("unsent", uint64_t{999'999}); }

Township::Township(std::string data, Words options)
    : data_(data.empty() ? folder_ / "server" : std::move(data)), options_(std::move(options)) {
  Admin({"init"});
  Admin({"import", ZHIBU_TEST_DATA "/township.csv"});
  Admin({"grant", kSecretary, kBranch});
  Admin({"grant", kDeputy, kBranch, "--office", "deputy"});
  Start();
}

void Township::StartAt(int port, const Words& more) {
  port_ = port;
  Start(more);
}

void Township::Start(const Words& more) {
  Words command = {"--json",   "serve",
                   "--data",   data_,
                   "--listen", absl::StrCat("127.0.0.1:", port_),
                   "--web",    absl::StrCat("127.0.0.1:", web_port_)};
  command.insert(command.end(), options_.begin(), options_.end());
  command.insert(command.end(), more.begin(), more.end());
  server_ = Process::Start(command);
  const auto line = server_->ReadLine();
  const Json ready = Json::parse(line.value_or(""), nullptr, false);
  if (!ready.is_object() || !ready.value("ready", false)) {
    const Finished finished = server_->Wait();
    ADD_FAILURE() << "the server is not ready: " << finished.out << finished.err;
    return;
  }
  port_ = ready["port"];
  web_port_ = ready["web_port"];
}

Finished Township::Stop() {
  server_->Signal(SIGTERM);
  return std::exchange(server_, nullptr)->Wait();
}

void Township::Kill() {
  server_->Signal(SIGKILL);
  std::exchange(server_, nullptr)->Wait();
}

Words Township::AdminCommand(const Words& words) const {
  Words command = {"--json", "admin", "--data", data_};
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::string Township::Code(const std::string& member) const {
  return Admin({"enrol", member}).value("code", "");
}

Device Township::Enrol(const std::string& member, std::string home, int port) {
  if (home.empty()) home = folder_ / absl::StrCat("device-", ++homes_);
  Device device(std::move(home));
  const std::string code = Code(member);
  device.Do({"enrol", port == 0 ? code : WithPort(code, port), "--name", member});
  device.Do({"sync"});
  return device;
}

std::string WithPort(const std::string& code, int port) {
  std::vector<std::string> parts = absl::StrSplit(code, '/');
  parts.at(1) = absl::StrCat("127.0.0.1:", port);
  return absl::StrJoin(parts, "/");
}

std::string MadeUpId(uint32_t number) {
  return absl::Base64Escape(absl::StrCat("made up ", absl::Dec(number, absl::kZeroPad8)));
}

Json Meeting(const Device& device, const std::string& topic) {
  return {
      {"branchId", device.BranchId()}, {"kind", "MEMBERS"}, {"topic", topic}, {"place", "村委会"}};
}

Json Dues(const std::string& member_id, const std::string& branch_id, int64_t fen) {
  return {{"memberId", member_id},
          {"branchId", branch_id},
          {"amountFen", fen},
          {"month", "2026-07"},
          {"method", "CASH"}};
}

std::set<std::string> IdsOn(const Device& device, const std::string& type) {
  std::set<std::string> ids;
  for (const Json& one : device.List(type)) ids.insert(one.value("id", ""));
  return ids;
}

}  // namespace zhibu::e2e
