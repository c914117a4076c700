#include "tests/load/command.h"

#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client-core/cli/commands.h"
#include "server/cli/server.h"
#include "server/rpc/node.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "tests/load/crowd.h"
#include "tests/load/report.h"
#include "tests/load/server_process.h"
#include "tests/load/site.h"

namespace zhibu::load {
namespace {

constexpr int kDevicesMax = 100'000;
constexpr int kSecondsMax = 3600;

struct Arguments {
  Plan plan;
  std::string mode = "push";
  bool serve = false;
  std::string where = std::filesystem::temp_directory_path();
  std::string data;
  std::string address;
  std::vector<std::string> server_options;
  bool yes = false;
};

const std::map<std::string, Mode>& Modes() {
  static const std::map<std::string, Mode> kModes = {{"push", Mode::kPush},
                                                     {"check-in", Mode::kCheckIn},
                                                     {"storm", Mode::kStorm},
                                                     {"idle", Mode::kIdle}};
  return kModes;
}

// Sockets are files; the server inherits what is granted here.
void GrantFiles() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

// Of our own server: all devices come from one address, and none is a stranger.
std::vector<std::string> OwnOptions(const Arguments& arguments) {
  std::vector<std::string> options = {
      "--connections-max", absl::StrCat(4 * arguments.plan.devices + 100), "--streams-unproven-max",
      absl::StrCat(2 * arguments.plan.devices + 100)};
  for (const std::string& option : arguments.server_options) {
    options.push_back(absl::StrCat("--", option));
  }
  return options;
}

absl::Status Sure(const Arguments& arguments, bool json, Language language,
                  const std::string& address) {
  ASSIGN_OR_RETURN(const auto endpoint, Find(address));
  const bool here = endpoint.address().is_loopback();
  if (arguments.yes || (arguments.serve && here)) return absl::OkStatus();
  const int devices = arguments.plan.devices;
  const std::string zh = absl::StrCat("将在 ", address, here ? "" : "（不在本机）", " 登记 ",
                                      devices, " 名虚构党员及其设备并写入记录，事后不会删除。");
  const std::string en = absl::StrCat(devices, " made-up members with devices will be enrolled at ",
                                      address, here ? "" : ", which is another machine,",
                                      " and write records; what they write stays.");
  if (json) return Refuse(sync::v1::NOT_UNDERSTOOD, InBoth(zh + " --yes", en + " Say --yes."));
  return client::Confirm({.as_json = false, .language = language}, false,
                         language == Language::kChinese ? zh : en);
}

absl::Status Load(const Arguments& arguments, bool json, Language language) {
  signal(SIGPIPE, SIG_IGN);
  // As in serve: on by default where abseil is built for debugging.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  GrantFiles();
  Run run{.plan = arguments.plan};
  run.plan.mode = Modes().at(arguments.mode);
  run.plan.threads = std::min(run.plan.threads, run.plan.devices);
  std::unique_ptr<OwnServer> own;
  std::string folder = arguments.data;
  if (arguments.serve) {
    ASSIGN_OR_RETURN(own, OwnServer::Start(arguments.where, OwnOptions(arguments)));
    folder = own->folder();
  }
  ASSIGN_OR_RETURN(const pid_t server, ServerOf(folder));
  const auto admin = server::AdminSocketChannel(folder);
  if (admin == nullptr) return absl::UnavailableError("the server takes no admin calls");
  std::string address = arguments.address;
  if (address.empty()) {
    ASSIGN_OR_RETURN(address, AddressOf(admin));
  }
  RETURN_IF_ERROR(Sure(arguments, json, language, address));
  ASSIGN_OR_RETURN(Site site, Settle(admin, address, run.plan, server::UserName()));
  const auto look = [&](Use UseOverTime::*at) {
    run.server.*at = UseOf(server);
    run.self.*at = UseOf(0);
  };
  look(&UseOverTime::settled);
  ASSIGN_OR_RETURN(run.outcome, RunCrowd(run.plan, &site,
                                         {.opened = [&] { look(&UseOverTime::opened); },
                                          .offered = [&] { look(&UseOverTime::offered); }}));
  look(&UseOverTime::ended);
  if (json) {
    std::cout << JsonOf(run).dump() << std::endl;
  } else {
    std::cout << TableOf(run, language) << std::flush;
  }
  return absl::OkStatus();
}

}  // namespace

void AddLoadCommand(CLI::App* app, const bool* json, const Language* language,
                    std::function<absl::Status()>* chosen) {
  auto arguments = std::make_shared<Arguments>();
  Plan& plan = arguments->plan;
  plan.threads = 1;
  CLI::App* load = app->add_subcommand(
      "load", "Many simulated devices at once against one server, and what it makes of them");
  load->add_option("MODE", arguments->mode,
                   "push: edits on open streams; check-in: check-ins by code; storm: dial, prove, "
                   "push, receive, close, and again; idle: open streams that say nothing")
      ->check(CLI::IsMember({"push", "check-in", "storm", "idle"}))
      ->capture_default_str();
  CLI::Option* serve =
      load->add_flag("--serve", arguments->serve,
                     "Start a server for it, in a temporary folder that goes with it");
  CLI::Option* data = load->add_option("--data", arguments->data,
                                       "Data folder of a server that runs on this machine; what "
                                       "the devices write stays there, so this asks first");
  data->excludes(serve);
  load->add_option("--dir", arguments->where, "Where --serve makes its folder: the disk to measure")
      ->needs(serve)
      ->capture_default_str();
  load->add_option(
          "--server-option", arguments->server_options,
          "Of --serve: an option of zhibu serve without its dashes, as backlog-bytes-max=1024")
      ->needs(serve);
  load->add_option(
      "--address", arguments->address,
      "HOST:PORT to dial; default: what the server's codes say. This asks first where it "
      "is another machine");
  load->add_flag("--yes", arguments->yes, "Without being asked");
  const auto add = [&](const char* name, int* value, int least, int most, const char* help) {
    load->add_option(name, *value, help)->check(CLI::Range(least, most))->capture_default_str();
  };
  add("--devices", &plan.devices, 1, kDevicesMax, "Simulated devices, each of a member of its own");
  add("--per-branch", &plan.per_branch, 1, 1000,
      "Members to a branch, each with an office: whom an edit goes out to");
  add("--seconds", &plan.seconds, 1, kSecondsMax, "How long they write");
  add("--drain-seconds", &plan.drain_seconds, 0, kSecondsMax,
      "How long what then has no answer is waited for");
  add("--threads", &plan.threads, 1, 64, "Of this program");
  add("--edits", &plan.edits, 1, 500, "Written at once, in one frame");
  add("--think", &plan.think_ms, 0, 3'600'000,
      "Milliseconds from an answer until a device writes again, on average");
  load->add_option("--rate", plan.rate,
                   "Edits a second of all devices together, whether those before are answered or "
                   "not; default: each waits for its answer")
      ->check(CLI::Range(0.0, 1e7))
      ->capture_default_str();
  add("--slow", &plan.slow_percent, 0, 100,
      "Per cent of the devices that read one message a second");
  add("--wrong-clocks", &plan.wrong_clock_percent, 0, 100,
      "Per cent of the devices whose clock is wrong, by up to two days");
  load->add_option("--seed", plan.seed, "Of what is left to chance")->capture_default_str();
  load->callback([=] {
    if (!arguments->serve && arguments->data.empty()) {
      throw CLI::RequiredError("--serve or --data");
    }
    *chosen = [=] { return Load(*arguments, *json, *language); };
  });
}

}  // namespace zhibu::load
