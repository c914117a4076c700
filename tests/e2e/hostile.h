// A client that says what it likes: the protocol, and what is not the protocol, over a real
// channel with TLS: gRPC's, or the web's.
//
//   Hostile hostile(township.port());         // or (township.web_port(), Way::kWeb)
//   const Self self = hostile.Enrol(township.Code(kMigrant));
//   auto stream = hostile.Connect();
//   stream->Open(self);                        // as an honest device would
//   stream->Send(forged);
//   stream->Refused();                         // LIMIT_REACHED …
#ifndef ZHIBU_TESTS_E2E_HOSTILE_H_
#define ZHIBU_TESTS_E2E_HOSTILE_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sync/crypto/handshake.h"
#include "zhibu/sync/v1/edit.pb.h"
#include "zhibu/sync/v1/sync.grpc.pb.h"

namespace zhibu::e2e {

// Who a device is.
struct Self {
  uint32_t device = 0;
  std::string person;
  std::string server_id;
  std::string incarnation;
  std::string fingerprint;  // of the certificate that it says it sees
  KeyPair keys;
};

sync::v1::Hello HelloOf(const Self& self);

// A device's edits, one upon the other, as it would number them.
class Edits {
 public:
  sync::v1::NumberedEdit Next(const sync::v1::Edit& edit) { return Next(edit.SerializeAsString()); }
  sync::v1::NumberedEdit Next(std::string bytes);

 private:
  uint64_t number_ = 0;
  uint64_t link_ = 0;
};

// Of this process, for thousands of connections.
void AllowManyFiles();

sync::v1::ClientFrame PushOf(const std::vector<sync::v1::NumberedEdit>& edits);

enum class Way { kGrpc, kWeb };

// Frames of either way. One thread may send while another reads.
class HostileStream {
 public:
  virtual ~HostileStream() = default;

  bool Send(const sync::v1::ClientFrame& frame) { return SendBytes(frame.SerializeAsString()); }
  virtual bool SendBytes(const std::string& bytes) = 0;
  bool Say(const sync::v1::Hello& hello);
  bool Prove(const std::string& signature);

  // FRAME_NOT_SET where the stream has ended.
  sync::v1::ServerFrame Read();
  // The whole handshake, which must succeed.
  sync::v1::Welcome Open(const Self& self);
  sync::v1::Welcome Open(const Self& self, const sync::v1::Hello& hello);
  // Reads on until there are so many answers: "1 MERGED", "2 RETURNED NOT_ENTITLED".
  std::vector<std::string> Answers(size_t count);
  // Reads on until the stream is refused; the reason, or what else it ended with.
  std::string Refused();
  // Reads on to the end; what it ended with is told once, and is OK from then on. Over the web,
  // what docs/wire.md says that the closing code stands for.
  virtual grpc::Status End() = 0;

 protected:
  // False where the stream has ended.
  virtual bool ReadBytes(std::string* bytes) = 0;
};

class Hostile {
 public:
  explicit Hostile(int port, Way way = Way::kGrpc);

  Self Enrol(const std::string& ticket, const std::string& name = "hostile");
  grpc::Status TryToEnrol(const sync::v1::EnrolRequest& request, sync::v1::EnrolReply* reply);
  grpc::Status Deliver(const std::string& bundle);
  std::unique_ptr<HostileStream> Connect();
  // Of gRPC only.
  std::unique_ptr<HostileStream> Connect(const std::function<void(grpc::ClientContext*)>& prepare);

 private:
  std::shared_ptr<grpc::Channel> channel_;  // null over the web
  const int web_port_;
};

}  // namespace zhibu::e2e

#endif  // ZHIBU_TESTS_E2E_HOSTILE_H_
