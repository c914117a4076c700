// A PostgreSQL server of a test's own: Debian's, in a temporary folder, on a Unix socket in it.
//
//   DatabaseServer server;
//   const std::string where = server.NewSchema();   // "postgresql:///…": empty, and nobody else's
//   server.Kill();                                  // -9, with all that belongs to it
//   server.Start();
//
// PostgreSQL does not run as root: there it is the user that its package has made.
#ifndef ZHIBU_TESTS_POSTGRESQL_SERVER_H_
#define ZHIBU_TESTS_POSTGRESQL_SERVER_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace zhibu::test {

class DatabaseServer {
 public:
  // Runs once this returns.
  DatabaseServer();
  ~DatabaseServer();
  DatabaseServer(const DatabaseServer&) = delete;
  DatabaseServer& operator=(const DatabaseServer&) = delete;

  // One for all tests of the process that do it no harm.
  static DatabaseServer& Shared();

  std::string NewSchema();
  // Of the server's own database: what looks at other connections.
  std::string Whole() const;
  // What the first row says, as text; empty where there is none.
  std::string Ask(const std::string& where, const std::string& sql);

  void Start();
  // At once, as when the machine's power fails; what was committed is there after Start.
  void Kill();

 private:
  // To its end; as the user that the server runs as.
  void Run(const std::vector<std::string>& arguments);
  pid_t Spawn(const std::vector<std::string>& arguments);
  bool Answers() const;

  std::string folder_;
  std::string programs_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  pid_t postmaster_ = 0;
  int schemas_ = 0;
};

}  // namespace zhibu::test

#endif  // ZHIBU_TESTS_POSTGRESQL_SERVER_H_
