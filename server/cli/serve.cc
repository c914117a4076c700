#include <signal.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/cli/server.h"
#include "server/rpc/node.h"
#include "sync/status.h"

namespace zhibu::server {
namespace {

struct Arguments {
  std::string folder;
  bool restored = false;
  NetworkOptions network;
};

absl::Status Serve(const Arguments& arguments, bool json, Language language) {
  // Before any thread starts, so that each of them has the signals blocked.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ASSIGN_OR_RETURN(const std::unique_ptr<Node> node, Node::Open(arguments.folder, arguments.restored));
  ASSIGN_OR_RETURN(const int port, node->Serve(arguments.network));
  const std::string words = language == Language::kChinese ? "服务已就绪，端口 " : "ready on port ";
  std::cout << (json ? nlohmann::json({{"ready", true}, {"port", port}}).dump()
                     : absl::StrCat(words, port))
            << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  return absl::OkStatus();
}

}  // namespace

void AddServeCommand(CLI::App* app, const bool* json, const Language* language,
                     std::function<absl::Status()>* chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* serve = app->add_subcommand("serve", "Run the server until SIGTERM");
  serve->add_option("--data", arguments->folder, "Data folder; made if it is not there")
      ->required();
  serve->add_option("--listen", arguments->network.listen, "HOST:PORT; port 0: any free one")
      ->capture_default_str();
  serve->add_option("--address", arguments->network.address,
                    "HOST:PORT under which devices reach the server; default: as --listen");
  serve
      ->add_option("--message-bytes-max", arguments->network.message_bytes_max,
                   "Largest message that is taken from a device")
      ->capture_default_str();
  serve->add_flag("--restored", arguments->restored,
                  "The data folder was put back from a snapshot; a file made by `admin backup` is "
                  "known without this");
  serve->callback([=] { *chosen = [=] { return Serve(*arguments, *json, *language); }; });
}

}  // namespace zhibu::server
