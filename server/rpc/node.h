// A data folder, opened: its store, and the services on top. One process at a
// time holds it; the others talk to that one over the folder's socket.
//
//   DIR/zhibu.db      everything, the server's TLS key included, encrypted
//   DIR/zhibu.key     the key that it is encrypted with, unless that lies elsewhere
//   DIR/admin.sock    where a process that serves takes admin calls
//   DIR/lock          held by that process
//
// Where the store is a PostgreSQL database there is no zhibu.db; any number of processes may serve
// from it, each with a folder of its own, and
//
//   DIR/chain         number of the chain in which stands what this process composes
#ifndef ZHIBU_SERVER_RPC_NODE_H_
#define ZHIBU_SERVER_RPC_NODE_H_

#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/sessions/limits.h"
#include "server/store/relocation.h"
#include "sync/base/environment.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace zhibu::server {

struct NetworkOptions {
  std::string listen = "127.0.0.1:7443";
  // Where frames are taken over WebSockets and calls over HTTPS as well; empty: nowhere.
  std::string web = {};
  // "https://app.example": pages from there may come over the web.
  std::set<std::string> web_origins = {};
  // What enrolment codes tell devices; empty: the same as `listen`.
  std::string address;
  // The certificate that was announced is taken (server/identity/whereabouts.h).
  bool new_certificate = false;
  // Who founds a new folder, or changes the certificate, for the record.
  std::string operator_name = "serve";
};

struct Ports {
  int grpc = 0;
  int web = 0;  // 0: not served
};

// Where a server keeps what it has.
struct DataPlace {
  std::string folder;
  // Where the key of the store lies; made with a new store; empty: DIR/zhibu.key.
  std::string key_file = {};
  // "postgresql://…"; empty: DIR/zhibu.db.
  std::string store = {};
};

class Node {
 public:
  // `restored`: what is there was put back by other means than a backup of ours, which is known
  // for what it is. UNAVAILABLE: another process holds the folder, or the database cannot be
  // reached. WRONG_KEY: the key is missing or another; nothing has been touched.
  static absl::StatusOr<std::unique_ptr<Node>> Open(
      const DataPlace& place, bool restored = false, const Limits& limits = {},
      const Environment& environment = SystemEnvironment());
  // As above, where there is a store: NOT_FOUND where there is none, and none is made.
  static absl::StatusOr<std::unique_ptr<Node>> OpenThere(const DataPlace& place);
  // Fills an empty database with what `admin backup` has copied out of another.
  // FAILED_PRECONDITION: it is not empty, or `place` names none.
  static absl::Status Restore(const DataPlace& place, const std::string& file);
  // Takes the whole store into another, which is to be empty: `to` is "postgresql://…", or a data
  // folder. Goes on where it broke off. See server/store/relocation.h.
  static absl::StatusOr<Relocated> Move(const DataPlace& place, const std::string& to);
  // Ends every stream, commits what has arrived, closes the store.
  ~Node();

  // Serves devices over TLS, and admin calls on the folder's socket. Returns where. Initialises a
  // new folder.
  absl::StatusOr<Ports> Serve(const NetworkOptions& options);

  // For admin calls from this process.
  std::shared_ptr<grpc::Channel> AdminChannel();

 private:
  struct Parts;
  explicit Node(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

// Whether `store` can be a DataPlace::store.
bool NamesDatabase(absl::string_view store);

// To the process that serves from the folder; null if none does.
std::shared_ptr<grpc::Channel> AdminSocketChannel(const std::string& folder);

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_RPC_NODE_H_
