// In step with the server: getting there, and how far a device is.
#include <signal.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client-core/cli/commands.h"
#include "client-core/cli/courier.h"
#include "client-core/transport/syncer.h"
#include "sync/base/status.h"

namespace zhibu::client {
namespace {

using Json = nlohmann::json;

struct SyncArguments {
  const std::string* home = nullptr;
  bool watch = false;
  int look_s = 1;
  int timeout_s = 60;
};

// `courier`: what became of what the device carries for others.
absl::Status ShowState(Store& store, const Json& courier, const Output& output) {
  ASSIGN_OR_RETURN(const SyncState state, store.State());
  Json json = {{"unsent", state.unsent},
               {"delivered", state.delivered},
               {"merged", state.merged},
               {"setAside", state.set_aside},
               {"returned", state.returned},
               {"held", state.held},
               {"notSent", state.not_sent},
               {"lastSuccessMs", state.last_success_ms},
               {"progressDone", state.progress_done},
               {"progressTotal", state.progress_total},
               {"recordsReceived", state.records_received},
               {"bytesReceived", state.bytes_received},
               {"synced", state.synced()}};
  std::string text = absl::StrCat(
      output.Say("未发送: ", "unsent: "), state.unsent,
      state.delivered == 0
          ? ""
          : absl::StrCat(output.Say("（其中已由他人送达: ", " (brought by a courier: "),
                         state.delivered, output.Say("）", ")")),
      output.Say("  已送达并采纳: ", "  merged: "), state.merged,
      output.Say("  被退回: ", "  returned: "), state.returned,
      output.Say("  待他人处理: ", "  held: "), state.held,
      state.not_sent == 0
          ? ""
          : absl::StrCat(output.Say("  随之未发送: ", "  not sent with them: "), state.not_sent),
      output.Say("  上次同步: ", "  last synced: "), output.Time(state.last_success_ms),
      output.Say("  进度: ", "  progress: "), state.progress_done, "/", state.progress_total,
      output.Say("  已接收: ", "  received: "), state.records_received,
      output.Say(" 条 ", " records "), state.bytes_received, " B");
  if (const auto identity = store.GetIdentity(); identity.ok()) {
    json["device"] = identity->device.value;
  }
  if (!courier.empty()) json["courier"] = courier;
  output.AddProblem(state.problem, state.problem_detail, output.Say("未能同步: ", "not synced: "),
                    &json, &text);
  output.Print(json, text);
  return absl::OkStatus();
}

absl::Status Watch(const SyncArguments& arguments, Store& store, const Output& output) {
  Syncer syncer(&store, {.look = absl::Seconds(arguments.look_s)});
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread stopper([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    syncer.Stop();
  });
  syncer.Run([&](const absl::Status& status) {
    Json json = {{"inStep", status.ok()}, {"words", Told(status, output.language)}};
    if (status.ok()) {
      const auto courier = DeliverCarried(store, *arguments.home, output);
      if (courier.ok() && !courier->empty()) json["courier"] = *courier;
    }
    output.Print(json, status.ok() ? output.Say("已与服务器一致", "in step with the server")
                                   : Told(status, output.language));
  });
  stopper.join();
  return absl::OkStatus();
}

absl::Status Sync(const SyncArguments& arguments, Store& store, const Output& output) {
  if (arguments.watch) return Watch(arguments, store, output);
  RETURN_IF_ERROR(Syncer(&store).SyncOnce(absl::Seconds(arguments.timeout_s)));
  ASSIGN_OR_RETURN(const Json courier, DeliverCarried(store, *arguments.home, output));
  return ShowState(store, courier, output);
}

absl::Status Status(const SyncArguments& /*arguments*/, Store& store, const Output& output) {
  return ShowState(store, Json::array(), output);
}

}  // namespace

void AddSyncCommand(const Parent& device) {
  Commands<SyncArguments> commands(device, {.home = &device.invocation->home});
  commands.Add("sync", "Send and receive", &Sync,
               {{"--watch", &SyncArguments::watch, "Stay connected until interrupted"},
                {"--look", &SyncArguments::look_s,
                 "With --watch: seconds between looks for what other processes have recorded"},
                {"--timeout", &SyncArguments::timeout_s, "Seconds until it gives up"}});
}

void AddStatusCommand(const Parent& device) {
  Commands<SyncArguments> commands(device);
  commands.Add("status", "What waits to be sent, was merged or came back; what is wrong", &Status);
}

}  // namespace zhibu::client
