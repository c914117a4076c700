// One gRPC call over a connection of its own, light enough for ten thousand of them: TLS by
// OpenSSL, HTTP/2 by nghttp2, a socket that asio watches. gRPC's own client takes several times
// the memory and the processor, which the server that is measured beside it would lack.
//
//   auto call = Call::Open(&io, server, "Connect", &listener);
//   OnReady()    the connection is there, and the certificate is the one that was to be met
//   Send(frame)  any time after
//   OnMessage(bytes) …
//   OnEnd(why)   the last; OK: the server closed it
//
// A call belongs to the one thread that runs its io_context. Its listener may call anything of it,
// Drop too; after that it hears nothing more.
#ifndef ZHIBU_TESTS_LOAD_CALL_H_
#define ZHIBU_TESTS_LOAD_CALL_H_

#include <google/protobuf/message_lite.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace zhibu::load {

// Where the server is, and by which certificate it is known.
struct ServerPlace {
  asio::ip::tcp::endpoint endpoint;
  std::string fingerprint;
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual void OnReady() = 0;
  virtual void OnMessage(absl::string_view bytes) = 0;
  virtual void OnEnd(const absl::Status& why) = 0;
};

class Call : public std::enable_shared_from_this<Call> {
 public:
  // Of zhibu.sync.v1.Sync. `listener` outlives the call, or drops it first.
  static std::shared_ptr<Call> Open(asio::io_context* io, const ServerPlace& server,
                                    const char* method, Listener* listener);
  Call(asio::io_context* io, const ServerPlace& server, const char* method, Listener* listener);
  Call(const Call&) = delete;  // nghttp2 holds its address
  Call& operator=(const Call&) = delete;
  ~Call();

  void Send(const google::protobuf::MessageLite& message);
  // There is nothing more to send.
  void Finish();
  // Whether it takes what comes; what it does not take waits in the network, and then at the
  // server.
  void SetReading(bool reading);
  void Drop();

  // Handed to it, and not yet to the network.
  size_t unsent() const { return out_.size() - out_sent_ + wire_.size() - wire_sent_; }
  // Of HTTP/2, as it is before it is encrypted.
  uint64_t bytes_up() const { return bytes_up_; }
  uint64_t bytes_down() const { return bytes_down_; }

 private:
  enum class State { kConnecting, kHandshake, kOpen, kClosed };

  void Connect();
  void Handshake();
  void BeginStream();
  void Listen();
  void Read();
  void Flush();
  void Deliver();
  void Wait(asio::ip::tcp::socket::wait_type for_what, void (Call::*then)());
  void End(absl::Status why);

  // Of nghttp2.
  static ssize_t OnDataWanted(nghttp2_session* session, int32_t stream, uint8_t* to, size_t most,
                              uint32_t* flags, nghttp2_data_source* source, void* self);
  static int OnData(nghttp2_session* session, uint8_t flags, int32_t stream, const uint8_t* data,
                    size_t size, void* self);
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t flags,
                      void* self);
  static int OnStreamClosed(nghttp2_session* session, int32_t stream, uint32_t code, void* self);

  asio::ip::tcp::socket socket_;
  const ServerPlace& server_;
  const std::string path_;
  Listener* listener_;
  State state_ = State::kConnecting;
  SSL* tls_ = nullptr;
  nghttp2_session* http_ = nullptr;
  int32_t stream_ = -1;
  std::string out_;  // messages with their length, from out_sent_ on
  size_t out_sent_ = 0;
  bool finished_ = false;
  std::string wire_;  // of HTTP/2, from wire_sent_ on
  size_t wire_sent_ = 0;
  std::string in_;
  bool reading_ = true;
  bool listening_ = false;
  bool flushing_ = false;  // waits until the socket takes more
  bool ended_ = false;     // the stream is closed
  int grpc_status_ = -1;
  std::string grpc_message_;
  uint64_t bytes_up_ = 0;
  uint64_t bytes_down_ = 0;
};

}  // namespace zhibu::load

#endif  // ZHIBU_TESTS_LOAD_CALL_H_
