#include "tests/load/server_process.h"

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace zhibu::load {
namespace {

// What it says, up to the end of its first line.
std::string FirstLine(int from) {
  std::string line;
  char byte = 0;
  while (read(from, &byte, 1) == 1 && byte != '\n') line += byte;
  return line;
}

std::string TextOf(const std::string& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// "VmRSS:     1234 kB".
int64_t BytesIn(const std::string& status, absl::string_view name) {
  std::istringstream lines(status);
  std::string line;
  while (std::getline(lines, line)) {
    absl::string_view rest = line;
    int64_t kilobytes = 0;
    if (!absl::ConsumePrefix(&rest, name)) continue;
    rest = rest.substr(0, rest.find(" kB"));
    return absl::SimpleAtoi(rest, &kilobytes) ? kilobytes * 1024 : 0;
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OwnServer>> OwnServer::Start(
    const std::string& where, const std::vector<std::string>& options) {
  std::string folder = absl::StrCat(where, "/zhibu-load-XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make a folder in ", where));
  }
  std::unique_ptr<OwnServer> server(new OwnServer(folder));
  std::vector<std::string> words = {"zhibu",    "serve",       "--data",      folder, "--json",
                                    "--listen", "127.0.0.1:0", "--log-level", "warn"};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int pipes[2];
  if (pipe(pipes) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  const auto closed = absl::MakeCleanup([&] {
    for (const int end : pipes) close(end);
  });
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
  for (const int end : pipes) posix_spawn_file_actions_addclose(&actions, end);
  const int error =
      posix_spawn(&server->pid_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return absl::ErrnoToStatus(error, "cannot start the server");
  close(std::exchange(pipes[1], -1));
  if (!absl::StrContains(FirstLine(pipes[0]), "\"ready\":true")) {
    return absl::UnavailableError("the server does not start");
  }
  return server;
}

OwnServer::~OwnServer() {
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

absl::StatusOr<pid_t> ServerOf(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/admin.sock");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is too long for a socket"));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return absl::ErrnoToStatus(errno, "cannot make a socket");
  const auto closed = absl::MakeCleanup([&] { close(socket); });
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return absl::UnavailableError(absl::StrCat("nobody serves from ", folder));
  }
  return peer.pid;
}

Use UseOf(pid_t pid) {
  const std::string process = absl::StrCat("/proc/", pid == 0 ? getpid() : pid);
  const std::string stat = TextOf(process + "/stat");
  const size_t named = stat.rfind(')');
  if (named == std::string::npos) return {};
  // From the state on, the third; processor time stands in the fourteenth and fifteenth.
  std::istringstream fields(stat.substr(named + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  int64_t user = 0;
  int64_t system = 0;
  fields >> user >> system;
  const std::string status = TextOf(process + "/status");
  return {
      .cpu_seconds = static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)),
      .memory_bytes = BytesIn(status, "VmRSS:"),
      .memory_bytes_max = BytesIn(status, "VmHWM:")};
}

}  // namespace zhibu::load
