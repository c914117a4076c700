// The device's pages, on this machine.
#include "client-core/screen/screen.h"

#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client-core/cli/commands.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"

namespace zhibu::client {
namespace {

struct ScreenArguments {
  int port = 0;
  std::string idle = "10m";
};

absl::Status Show(const ScreenArguments& arguments, Store& store, const Output& output) {
  if (Pages().empty()) {
    return absl::FailedPreconditionError(
        output.Say("这个程序没有带页面，请用带页面的程序 zhibu-phone",
                   "this program has no pages in it: zhibu-phone has (./dev build zhibu_phone)"));
  }
  absl::Duration idle;
  if (!absl::ParseDuration(arguments.idle, &idle) || idle < absl::ZeroDuration()) {
    return Refuse(sync::v1::NOT_UNDERSTOOD,
                  InBoth("--idle（应为 10m、90s 或 0）", "--idle (10m, 90s or 0)"));
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const ScreenOptions options{
      .port = arguments.port,
      .idle_ms = absl::ToInt64Milliseconds(idle),
      .on_address = [&](const std::string& address) {
        output.Print(
            {{"address", address}},
            absl::StrCat(output.Say("请在浏览器中打开：", "Open in a browser: "), address));
        std::cout << std::flush;
      }};
  Screen screen(&store, Pages(), options);
  std::thread stopper([&] {
    int signal = 0;
    sigwait(&signals, &signal);
    screen.Stop();
  });
  const absl::Status status = screen.Run();
  // It may have ended by itself: the port is taken. Every thread has the signal blocked but for
  // whoever waits for it.
  kill(getpid(), SIGTERM);
  stopper.join();
  if (absl::IsUnavailable(status)) {
    return absl::UnavailableError(
        absl::StrCat(output.Say("端口已被占用：", "the port is taken: "), arguments.port));
  }
  return status;
}

}  // namespace

void AddScreenCommand(const Parent& device) {
  Commands<ScreenArguments> commands(device);
  commands.Add("screen", "Show the device's pages in a browser of this machine, in step meanwhile",
               &Show,
               {{"--port", &ScreenArguments::port, "Of 127.0.0.1; any that is free by default"},
                {"--idle", &ScreenArguments::idle,
                 "Without anybody there it locks after so long: 10m, 90s; 0: never"}});
}

}  // namespace zhibu::client
