// The web's way in as a client takes it: HTTPS, and a WebSocket, with what no honest client sends.
//
//   WebStream stream(township.web_port());
//   stream.Open(self);                       // as over gRPC: tests/e2e/hostile.h
//   stream.SendText("frame");
//   stream.code();                           // once it has ended: 1003
#ifndef ZHIBU_TESTS_E2E_WEB_H_
#define ZHIBU_TESTS_E2E_WEB_H_

#include <map>
#include <memory>
#include <string>

#include "tests/e2e/hostile.h"

namespace zhibu::e2e {

inline constexpr char kConnectPath[] = "/zhibu.sync.v1.Sync/Connect";
inline constexpr char kEnrolPath[] = "/zhibu.sync.v1.Sync/Enrol";
inline constexpr char kDeliverPath[] = "/zhibu.sync.v1.Sync/Deliver";

using HttpFields = std::map<std::string, std::string>;

struct HttpReply {
  int status = 0;     // 0: none came
  HttpFields fields;  // names in lower case
  std::string body;
};
// As docs/wire.md has it: the code in grpc-status, a Refusal in the body.
grpc::Status StatusOf(const HttpReply& reply);

// One connection, with one request after the other.
class WebConnection {
 public:
  explicit WebConnection(int port);
  ~WebConnection();

  HttpReply Post(const std::string& path, const std::string& body, const HttpFields& fields = {}) {
    return Ask("POST", path, body, fields);
  }
  HttpReply Ask(const std::string& method, const std::string& path, const std::string& body = "",
                const HttpFields& fields = {});
  // As they are.
  bool SendBytes(const std::string& bytes);
  HttpReply Read();

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

class WebStream final : public HostileStream {
 public:
  explicit WebStream(int port, const std::string& path = kConnectPath,
                     const HttpFields& fields = {});
  ~WebStream() override;

  // 101 where it is a stream.
  int http_status() const;
  // Of the answer to the handshake.
  std::string field(const std::string& name) const;

  bool SendBytes(const std::string& bytes) override;
  bool SendText(const std::string& text);
  // A message in frames of so many bytes.
  bool SendInPieces(const std::string& bytes, size_t piece);
  bool Ping();
  // Frames of a message that have nothing in them, so many.
  bool SendEmptyPieces(int frames);
  // The connection ends without a word.
  void Cut();
  grpc::Status End() override;
  // With which the server has closed it; 0 where it has not.
  int code() const;

 protected:
  bool ReadBytes(std::string* bytes) override;

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace zhibu::e2e

#endif  // ZHIBU_TESTS_E2E_WEB_H_
