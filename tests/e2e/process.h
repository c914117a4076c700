// Real processes, as a test needs them: started, listened to, signalled, ended.
//
//   auto server = Process::Start({"serve", "--data", folder, "--listen", "127.0.0.1:0"});
//   server->ReadLine(kPatience);            // it is ready
//   server->Signal(SIGTERM);
//   const Finished end = server->Wait();    // end.status, end.out, end.err
//
// A process that is not waited for is killed with its Process, or with the test.
#ifndef ZHIBU_TESTS_E2E_PROCESS_H_
#define ZHIBU_TESTS_E2E_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace zhibu::e2e {

using Json = nlohmann::json;
using Duration = std::chrono::steady_clock::duration;

// Longer than anything takes that works, even on a busy machine.
inline constexpr std::chrono::seconds kPatience{60};

struct Finished {
  int status = -1;  // the exit status; -SIGNAL where a signal ended it
  std::string out;
  std::string err;

  // Of what it wrote to stdout; discarded() where that is no JSON.
  Json json() const { return Json::parse(out, nullptr, false); }
};

class Process {
 public:
  // `arguments` of zhibu.
  static std::unique_ptr<Process> Start(const std::vector<std::string>& arguments);
  Process(const Process&) = delete;  // it owns a process
  Process& operator=(const Process&) = delete;
  ~Process();

  // The next line of stdout; none when it ended or `patience` did.
  std::optional<std::string> ReadLine(Duration patience = kPatience);
  void Signal(int signal);
  pid_t pid() const { return pid_; }
  // A process that outlasts `patience` is killed, so its status is -SIGKILL.
  Finished Wait(Duration patience = kPatience);

 private:
  Process() = default;
  // Takes what there is; false once both pipes have ended or `deadline` is past.
  bool Listen(std::chrono::steady_clock::time_point deadline);

  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  size_t line_begin_ = 0;
  Finished finished_;
};

Finished RunToEnd(const std::vector<std::string>& arguments);

// A folder of its own, gone with it.
class TempFolder {
 public:
  TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder();
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Asks again until it holds; false when `patience` ends first.
bool Eventually(const std::function<bool()>& holds, Duration patience = kPatience);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& content);

}  // namespace zhibu::e2e

#endif  // ZHIBU_TESTS_E2E_PROCESS_H_
