#include "tests/load/call.h"

#include <arpa/inet.h>
#include <openssl/x509.h>

#include <algorithm>
#include <asio/post.hpp>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/base/require.h"
#include "sync/crypto/handshake.h"

namespace zhibu::load {
namespace {

using asio::ip::tcp;

// Read at once, before others have their turn; and buffers that are kept.
constexpr size_t kChunk = 16 << 10;
// A message's head in gRPC: whether it is compressed, and its length.
constexpr size_t kHeadBytes = 5;

SSL_CTX* TlsContext() {
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    REQUIRE(made != nullptr);
    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
    // Known by its fingerprint, which is compared by hand.
    SSL_CTX_set_verify(made, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    const unsigned char kHttp2[] = {2, 'h', '2'};
    REQUIRE(SSL_CTX_set_alpn_protos(made, kHttp2, sizeof(kHttp2)) == 0);
    return made;
  }();
  return context;
}

std::string FingerprintMet(SSL* tls) {
  X509* certificate = SSL_get1_peer_certificate(tls);
  if (certificate == nullptr) return "";
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  std::string fingerprint;
  if (size > 0) {
    fingerprint = FingerprintOfDer({reinterpret_cast<char*>(der), static_cast<size_t>(size)});
    OPENSSL_free(der);
  }
  X509_free(certificate);
  return fingerprint;
}

nghttp2_nv Header(absl::string_view name, absl::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

absl::Status Broken(absl::string_view what) { return absl::UnavailableError(what); }

}  // namespace

std::shared_ptr<Call> Call::Open(asio::io_context* io, const ServerPlace& server,
                                 const char* method, Listener* listener) {
  auto call = std::make_shared<Call>(io, server, method, listener);
  call->Connect();
  return call;
}

Call::Call(asio::io_context* io, const ServerPlace& server, const char* method, Listener* listener)
    : socket_(*io),
      server_(server),
      path_(absl::StrCat("/zhibu.sync.v1.Sync/", method)),
      listener_(listener) {}

Call::~Call() {
  if (http_ != nullptr) nghttp2_session_del(http_);
  if (tls_ != nullptr) SSL_free(tls_);
}

void Call::Connect() {
  socket_.async_connect(server_.endpoint, [self = shared_from_this()](std::error_code error) {
    if (self->state_ == State::kClosed) return;
    if (error) return self->End(Broken("connect"));
    self->socket_.non_blocking(true, error);
    self->socket_.set_option(tcp::no_delay(true), error);
    self->tls_ = SSL_new(TlsContext());
    SSL_set_fd(self->tls_, static_cast<int>(self->socket_.native_handle()));
    SSL_set_tlsext_host_name(self->tls_, "zhibu");
    SSL_set_connect_state(self->tls_);
    self->state_ = State::kHandshake;
    self->Handshake();
  });
}

void Call::Wait(tcp::socket::wait_type for_what, void (Call::*then)()) {
  socket_.async_wait(for_what, [self = shared_from_this(), then](std::error_code error) {
    if (self->state_ == State::kClosed) return;
    if (error) return self->End(Broken("wait"));
    ((*self).*then)();
  });
}

void Call::Handshake() {
  const int done = SSL_do_handshake(tls_);
  if (done == 1) {
    if (FingerprintMet(tls_) != server_.fingerprint) {
      return End(Refuse(sync::v1::OTHER_SERVER, ""));
    }
    return BeginStream();
  }
  switch (SSL_get_error(tls_, done)) {
    case SSL_ERROR_WANT_READ:
      return Wait(tcp::socket::wait_read, &Call::Handshake);
    case SSL_ERROR_WANT_WRITE:
      return Wait(tcp::socket::wait_write, &Call::Handshake);
    default:
      return End(Broken("handshake"));
  }
}

void Call::BeginStream() {
  state_ = State::kOpen;
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Call::OnData);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &Call::OnHeader);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Call::OnStreamClosed);
  nghttp2_session_client_new(&http_, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry kNoPush = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  nghttp2_submit_settings(http_, NGHTTP2_FLAG_NONE, &kNoPush, 1);
  const nghttp2_nv headers[] = {Header(":method", "POST"),
                                Header(":scheme", "https"),
                                Header(":path", path_),
                                Header(":authority", "zhibu"),
                                Header("te", "trailers"),
                                Header("content-type", "application/grpc"),
                                Header("user-agent", "zhibu-load")};
  const nghttp2_data_provider data = {{.ptr = nullptr}, &Call::OnDataWanted};
  stream_ = nghttp2_submit_request(http_, nullptr, headers, std::size(headers), &data, nullptr);
  Listen();
  if (listener_ != nullptr) listener_->OnReady();
  Flush();
}

void Call::Send(const google::protobuf::MessageLite& message) {
  if (state_ == State::kClosed) return;
  if (out_sent_ == out_.size()) {
    out_.clear();
    out_sent_ = 0;
  }
  const size_t at = out_.size();
  out_.resize(at + kHeadBytes);
  message.AppendToString(&out_);
  const uint32_t size = htonl(static_cast<uint32_t>(out_.size() - at - kHeadBytes));
  std::memcpy(out_.data() + at + 1, &size, sizeof(size));
  if (http_ == nullptr) return;
  nghttp2_session_resume_data(http_, stream_);
  Flush();
}

void Call::Finish() {
  finished_ = true;
  if (http_ == nullptr || state_ == State::kClosed) return;
  nghttp2_session_resume_data(http_, stream_);
  Flush();
}

void Call::SetReading(bool reading) {
  reading_ = reading;
  if (reading_ && state_ == State::kOpen) Read();
}

void Call::Drop() {
  listener_ = nullptr;
  End(absl::OkStatus());
}

void Call::Listen() {
  if (std::exchange(listening_, true)) return;
  Wait(tcp::socket::wait_read, &Call::Read);
}

void Call::Read() {
  listening_ = false;
  if (!reading_) return;
  char chunk[kChunk];
  const int got = SSL_read(tls_, chunk, sizeof(chunk));
  if (got <= 0) {
    const int why = SSL_get_error(tls_, got);
    if (why == SSL_ERROR_WANT_READ) return Listen();
    return End(ended_ ? absl::OkStatus() : Broken("stream"));
  }
  bytes_down_ += static_cast<uint64_t>(got);
  const ssize_t used =
      nghttp2_session_mem_recv(http_, reinterpret_cast<uint8_t*>(chunk), static_cast<size_t>(got));
  if (used < 0) return End(Broken("http"));
  Deliver();
  if (state_ == State::kClosed) return;
  Flush();
  if (state_ == State::kClosed || listening_ || !reading_) return;
  if (SSL_pending(tls_) == 0) return Listen();
  // Others have their turn in between.
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->state_ == State::kOpen && !self->listening_) self->Read();
  });
}

void Call::Deliver() {
  size_t at = 0;
  while (listener_ != nullptr && in_.size() - at >= kHeadBytes) {
    uint32_t big_endian = 0;
    std::memcpy(&big_endian, in_.data() + at + 1, sizeof(big_endian));
    const size_t size = ntohl(big_endian);
    if (in_.size() - at - kHeadBytes < size) break;
    listener_->OnMessage(absl::string_view(in_).substr(at + kHeadBytes, size));
    at += kHeadBytes + size;
  }
  in_.erase(0, at);
  if (in_.empty() && in_.capacity() > kChunk) std::string().swap(in_);
  if (!ended_ || state_ == State::kClosed) return;
  if (grpc_status_ == 0) return End(absl::OkStatus());
  End(grpc_status_ < 0 ? Broken("stream")
                       : absl::Status(static_cast<absl::StatusCode>(grpc_status_), grpc_message_));
}

void Call::Flush() {
  while (!flushing_ && state_ == State::kOpen) {
    if (wire_sent_ == wire_.size()) {
      wire_.clear();
      wire_sent_ = 0;
      const uint8_t* data = nullptr;
      ssize_t size = 0;
      while (wire_.size() < kChunk && (size = nghttp2_session_mem_send(http_, &data)) > 0) {
        wire_.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
      }
      if (wire_.empty()) break;
    }
    const int sent =
        SSL_write(tls_, wire_.data() + wire_sent_, static_cast<int>(wire_.size() - wire_sent_));
    if (sent > 0) {
      wire_sent_ += static_cast<size_t>(sent);
      bytes_up_ += static_cast<uint64_t>(sent);
      continue;
    }
    if (SSL_get_error(tls_, sent) != SSL_ERROR_WANT_WRITE) return End(Broken("stream"));
    flushing_ = true;
    socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](std::error_code) {
      self->flushing_ = false;
      self->Flush();
    });
  }
  if (wire_.empty() && wire_.capacity() > kChunk) std::string().swap(wire_);
}

void Call::End(absl::Status why) {
  if (std::exchange(state_, State::kClosed) == State::kClosed) return;
  std::error_code ignored;
  if (tls_ != nullptr) SSL_shutdown(tls_);
  socket_.close(ignored);
  if (Listener* listener = std::exchange(listener_, nullptr)) listener->OnEnd(why);
}

ssize_t Call::OnDataWanted(nghttp2_session* /*session*/, int32_t /*stream*/, uint8_t* to,
                           size_t most, uint32_t* flags, nghttp2_data_source* /*source*/,
                           void* self) {
  Call& call = *static_cast<Call*>(self);
  const size_t size = std::min(most, call.out_.size() - call.out_sent_);
  if (size == 0 && !call.finished_) return NGHTTP2_ERR_DEFERRED;
  std::copy_n(call.out_.data() + call.out_sent_, size, reinterpret_cast<char*>(to));
  call.out_sent_ += size;
  if (call.finished_ && call.out_sent_ == call.out_.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(size);
}

int Call::OnData(nghttp2_session* /*session*/, uint8_t /*flags*/, int32_t /*stream*/,
                 const uint8_t* data, size_t size, void* self) {
  static_cast<Call*>(self)->in_.append(reinterpret_cast<const char*>(data), size);
  return 0;
}

int Call::OnHeader(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/,
                   const uint8_t* name, size_t name_size, const uint8_t* value, size_t value_size,
                   uint8_t /*flags*/, void* self) {
  Call& call = *static_cast<Call*>(self);
  const absl::string_view key(reinterpret_cast<const char*>(name), name_size);
  const absl::string_view said(reinterpret_cast<const char*>(value), value_size);
  if (key == "grpc-status" && !absl::SimpleAtoi(said, &call.grpc_status_)) call.grpc_status_ = 2;
  if (key == "grpc-message") call.grpc_message_ = std::string(said);
  return 0;
}

int Call::OnStreamClosed(nghttp2_session* /*session*/, int32_t /*stream*/, uint32_t /*code*/,
                         void* self) {
  static_cast<Call*>(self)->ended_ = true;
  return 0;
}

}  // namespace zhibu::load
