#include <pwd.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "server/cli/server.h"
#include "server/net/address.h"
#include "server/rpc/node.h"
#include "sync/base/status.h"

namespace zhibu::server {

std::string UserName() {
  const char* before = std::getenv("SUDO_USER");
  if (before != nullptr && *before != '\0') return before;
  const passwd* user = getpwuid(geteuid());
  return user == nullptr ? absl::StrCat(geteuid()) : user->pw_name;
}

void AddStoreOption(CLI::App* command, std::string* store) {
  command
      ->add_option("--store", *store,
                   "PostgreSQL database for what is stored, postgresql://USER@HOST/DATABASE; "
                   "several servers may share it. Default: a file in --data")
      ->envname("ZHIBU_STORE")
      ->check([](const std::string& where) {
        return NamesDatabase(where) ? std::string() : "it begins with postgresql://";
      });
}

namespace {

struct Arguments {
  DataPlace place;
  bool restored = false;
  NetworkOptions network;
  Limits limits;
  std::string log_level = "info";
};

std::string Ready(const Ports& ports, bool json, Language language) {
  const bool web = ports.web != 0;
  if (json) {
    nlohmann::json ready = {{"ready", true}, {"port", ports.grpc}};
    if (web) ready["web_port"] = ports.web;
    return ready.dump();
  }
  const bool chinese = language == Language::kChinese;
  std::string words = absl::StrCat(chinese ? "服务已就绪，端口 " : "ready on port ", ports.grpc);
  if (web) absl::StrAppend(&words, chinese ? "，网页端口 " : ", for the web ", ports.web);
  return words;
}

absl::Status Serve(const Arguments& arguments, bool json, Language language) {
  // Before any thread starts, so that each of them has the signals blocked.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // What the process prints is for whoever started it.
  spdlog::set_default_logger(spdlog::stderr_logger_mt("zhibu"));
  spdlog::set_level(spdlog::level::from_str(arguments.log_level));
  // On by default where abseil is built for debugging, as distributions do; it costs each lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Before anything is made.
  ASSIGN_OR_RETURN(const Address listen, ParseAddress(arguments.network.listen));
  if (!arguments.network.web.empty()) {
    RETURN_IF_ERROR(ParseAddress(arguments.network.web).status());
  }
  const bool addressed = !arguments.network.address.empty();
  if (addressed) RETURN_IF_ERROR(CheckReachable(arguments.network.address));
  ASSIGN_OR_RETURN(const std::unique_ptr<Node> node,
                   Node::Open(arguments.place, arguments.restored, arguments.limits));
  NetworkOptions network = arguments.network;
  network.operator_name = UserName();
  ASSIGN_OR_RETURN(const Ports ports, node->Serve(network));
  spdlog::debug("serving port={} web={}", ports.grpc, ports.web);
  if (!addressed && listen.IsAny()) {
    std::cerr << (language == Language::kChinese
                      ? "注意: 未给出 --address，登记码中没有设备可以连接的地址"
                      : "warning: without --address, enrolment codes carry no address at which "
                        "devices reach this server")
              << std::endl;
  }
  std::cout << Ready(ports, json, language) << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  return absl::OkStatus();
}

void AddLimits(CLI::App* serve, Limits* limits) {
  const auto add = [&](const char* name, int* value, const char* help) {
    serve->add_option(name, *value, help)
        ->check(CLI::Range(1, std::numeric_limits<int>::max()))
        ->capture_default_str()
        ->group("Limits");
  };
  add("--message-bytes-max", &limits->message_bytes_max,
      "Largest message that is taken from a device");
  add("--network-bytes-max", &limits->network_bytes_max,
      "Memory for what is on its way to or from devices");
  add("--connections-max", &limits->connections_max,
      "One more ends the oldest that no device has proved to be its own");
  add("--streams-per-device-max", &limits->streams_per_device_max,
      "Streams of one device; one more ends its oldest");
  add("--streams-unproven-max", &limits->streams_unproven_max,
      "Streams that have not proved yet whose they are; one more ends the oldest");
  add("--handshake-seconds-max", &limits->handshake_seconds_max,
      "For a stream to prove whose it is");
  add("--edits-per-second", &limits->edits_per_second,
      "Of one device; more are taken later, none is refused");
  add("--backlog-bytes-max", &limits->backlog_bytes_max,
      "Edits of one stream that wait to be committed; more are taken later");
  add("--backlog-bytes-all-max", &limits->backlog_bytes_all_max,
      "The same of all streams together");
  add("--unread-seconds-max", &limits->unread_seconds_max,
      "For a device to read one update, or its stream ends");
  serve
      ->add_option("--reauthenticate-days", limits->reauthenticate_days,
                   "A device that was not seen for longer needs a new code; 0: never")
      ->check(CLI::Range(0, 36'500))
      ->capture_default_str();
}

}  // namespace

void AddServeCommand(CLI::App* app, const bool* json, const Language* language,
                     std::function<absl::Status()>* chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* serve = app->add_subcommand("serve", "Run the server until SIGTERM");
  serve->add_option("--data", arguments->place.folder, "Data folder; made if it is not there")
      ->required();
  serve->add_option("--key-file", arguments->place.key_file, kKeyFileHelp);
  AddStoreOption(serve, &arguments->place.store);
  serve->add_option("--listen", arguments->network.listen, "HOST:PORT; port 0: any free one")
      ->capture_default_str();
  serve->add_option("--address", arguments->network.address,
                    "HOST:PORT under which devices reach the server; default: as --listen");
  CLI::Option* web = serve->add_option(
      "--web", arguments->network.web,
      "HOST:PORT where devices come over WebSockets and HTTPS as well (same TLS); "
      "default: nowhere");
  serve
      ->add_option("--web-origin", arguments->network.web_origins,
                   "https://HOST of a page that may come there; other pages are refused, who names "
                   "no origin is none. May be repeated")
      ->needs(web);
  serve->add_flag("--new-certificate", arguments->network.new_certificate,
                  "Take the certificate that `admin announce --certificate` has told devices of");
  serve->add_flag(
      "--restored", arguments->restored,
      "The data folder or the database was put back from a snapshot; what `admin backup` "
      "has made is known without this");
  serve
      ->add_option("--log-level", arguments->log_level,
                   "What goes to stderr: debug (refusals and sessions too), info, warn, error, off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  serve
      ->add_flag("--compress,!--no-compress", arguments->limits.compress,
                 "Compress frames, with devices that can; without it who counts bytes on the way "
                 "learns less, and phones pay for more")
      ->default_str("true");
  AddLimits(serve, &arguments->limits);
  serve->callback([=] { *chosen = [=] { return Serve(*arguments, *json, *language); }; });
}

}  // namespace zhibu::server
