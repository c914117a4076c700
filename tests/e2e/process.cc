#include "tests/e2e/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

namespace zhibu::e2e {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void Throw(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// One read; closes `file` at its end.
void Take(int* file, std::string* text) {
  char buffer[1 << 14];
  const ssize_t size = read(*file, buffer, sizeof(buffer));
  if (size > 0) {
    text->append(buffer, static_cast<size_t>(size));
  } else if (size == 0 || errno != EINTR) {
    close(std::exchange(*file, -1));
  }
}

}  // namespace

std::unique_ptr<Process> Process::Start(const std::vector<std::string>& arguments) {
  std::vector<char*> argv = {const_cast<char*>(ZHIBU_PROGRAM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  int out[2];
  int err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) Throw("pipe");
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) Throw("fork");
  if (pid == 0) {  // only what is safe between fork and exec
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(out[1]);
  close(err[1]);
  std::unique_ptr<Process> process(new Process());
  process->pid_ = pid;
  process->out_ = out[0];
  process->err_ = err[0];
  return process;
}

Process::~Process() {
  if (pid_ > 0) {
    Signal(SIGKILL);
    Wait();
  }
}

bool Process::Listen(Clock::time_point deadline) {
  pollfd files[2] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};  // a negative one is passed over
  if (out_ < 0 && err_ < 0) return false;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  const int ready = poll(files, 2, static_cast<int>(std::max<int64_t>(left, 0)));
  if (ready < 0 && errno != EINTR) Throw("poll");
  if (files[0].revents != 0) Take(&out_, &finished_.out);
  if (files[1].revents != 0) Take(&err_, &finished_.err);
  return ready > 0 || Clock::now() < deadline;
}

std::optional<std::string> Process::ReadLine(Duration patience) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    const size_t end = finished_.out.find('\n', line_begin_);
    if (end != std::string::npos) {
      const size_t begin = std::exchange(line_begin_, end + 1);
      return finished_.out.substr(begin, end - begin);
    }
    if (out_ < 0 || !Listen(deadline)) return std::nullopt;
  }
}

void Process::Signal(int signal) {
  if (pid_ > 0) kill(pid_, signal);
}

Finished Process::Wait(Duration patience) {
  const auto deadline = Clock::now() + patience;
  while (Listen(deadline)) {
  }
  if (out_ >= 0 || err_ >= 0) {
    Signal(SIGKILL);
    while (Listen(Clock::now() + kPatience)) {
    }
  }
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) Throw("waitpid");
  }
  pid_ = -1;
  finished_.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return finished_;
}

Finished RunToEnd(const std::vector<std::string>& arguments) {
  return Process::Start(arguments)->Wait();
}

TempFolder::TempFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "zhibu-e2e.XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) Throw("mkdtemp");
  path_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool Eventually(const std::function<bool()>& holds, Duration patience) {
  const auto deadline = Clock::now() + patience;
  while (!holds()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::string ReadFile(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace zhibu::e2e
