#include "tests/postgresql/server.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace zhibu::test {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr absl::Duration kLook = absl::Milliseconds(20);

std::string FindPrograms() {
  const fs::path versions = "/usr/lib/postgresql";
  std::error_code error;
  for (const auto& version : fs::directory_iterator(versions, error)) {
    if (fs::exists(version.path() / "bin/initdb")) return (version.path() / "bin").string();
  }
  return "";
}

// Of one process, as the kernel tells them.
std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::ifstream list(absl::StrCat("/proc/", parent, "/task/", parent, "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; list >> child;) children.push_back(child);
  return children;
}

bool Runs(pid_t process) {
  std::ifstream stat(absl::StrCat("/proc/", process, "/stat"));
  std::string word;
  char state = 'X';
  if (!(stat >> word >> word >> state)) return false;
  return state != 'Z' && state != 'X';
}

}  // namespace

DatabaseServer& DatabaseServer::Shared() {
  static DatabaseServer server;
  return server;
}

DatabaseServer::DatabaseServer() : programs_(FindPrograms()) {
  if (programs_.empty()) {
    ADD_FAILURE() << "Debian's postgresql-15 is not installed: ./dev test-servers does it";
    std::abort();
  }
  std::string folder = (fs::temp_directory_path() / "zhibu-pg-XXXXXX").string();
  folder_ = ::mkdtemp(folder.data());
  if (geteuid() == 0) {
    const passwd* user = getpwnam("postgres");
    if (user == nullptr) user = getpwnam("nobody");
    user_ = user->pw_uid;
    group_ = user->pw_gid;
    EXPECT_EQ(chown(folder_.c_str(), user_, group_), 0);
  }
  Run({programs_ + "/initdb", "-D", folder_ + "/data", "-A", "trust", "-U", "zhibu", "-E", "UTF8",
       "--locale=C.UTF-8", "--no-sync"});
  Start();
}

DatabaseServer::~DatabaseServer() {
  Kill();
  std::error_code error;
  fs::remove_all(folder_, error);
}

pid_t DatabaseServer::Spawn(const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments)
    pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const std::string log = folder_ + "/log";
  const pid_t child = fork();
  if (child != 0) return child;
  if (user_ != 0 && (setgroups(0, nullptr) != 0 || setgid(group_) != 0 || setuid(user_) != 0)) {
    _exit(126);
  }
  setsid();  // what a terminal sends is not for it
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(out, STDOUT_FILENO);
  dup2(out, STDERR_FILENO);
  execv(pointers[0], pointers.data());
  _exit(127);
}

void DatabaseServer::Run(const std::vector<std::string>& arguments) {
  int status = 0;
  waitpid(Spawn(arguments), &status, 0);
  EXPECT_EQ(status, 0) << arguments[0] << ": see " << folder_ << "/log";
}

void DatabaseServer::Start() {
  postmaster_ = Spawn({programs_ + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-c",
                       "listen_addresses=", "-c", "max_connections=200"});
  const absl::Time deadline = absl::Now() + kPatience;
  while (!Answers() && absl::Now() < deadline) absl::SleepFor(kLook);
  EXPECT_TRUE(Answers()) << "see " << folder_ << "/log";
}

// Its children notice that it has gone only after a while: until then none could be started anew.
void DatabaseServer::Kill() {
  std::vector<pid_t> all = ChildrenOf(postmaster_);
  all.push_back(postmaster_);
  for (const pid_t process : all) kill(process, SIGKILL);
  waitpid(postmaster_, nullptr, 0);
  for (const pid_t process : all) {
    while (Runs(process)) absl::SleepFor(kLook);
  }
}

std::string DatabaseServer::Whole() const {
  return absl::StrCat("postgresql:///postgres?user=zhibu&host=", folder_);
}

bool DatabaseServer::Answers() const { return PQping(Whole().c_str()) == PQPING_OK; }

std::string DatabaseServer::NewSchema() {
  const std::string name = absl::StrCat("s", ++schemas_, "_", getpid());
  Ask(Whole(), absl::StrCat("CREATE SCHEMA ", name));
  return absl::StrCat(Whole(), "&options=-csearch_path%3D", name);
}

std::string DatabaseServer::Ask(const std::string& where, const std::string& sql) {
  PGconn* const connection = PQconnectdb(where.c_str());
  PGresult* const result = PQexec(connection, sql.c_str());
  std::string said;
  if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0) {
    said = PQgetvalue(result, 0, 0);
  }
  EXPECT_STREQ(PQresultErrorMessage(result), "") << sql;
  PQclear(result);
  PQfinish(connection);
  return said;
}

}  // namespace zhibu::test
