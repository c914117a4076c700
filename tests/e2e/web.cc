#include "tests/e2e/web.h"

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <future>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/process.h"

namespace zhibu::e2e {

// A thread on which everything of one connection happens, and others wait for it.
class WebLoop {
 public:
  // Before what works on it goes.
  void Stop() {
    context_.stop();
    thread_.join();
  }
  boost::asio::io_context& context() { return context_; }

  // `start` is given what is to be told the end: (error, …).
  template <typename F>
  boost::beast::error_code Await(F start) {
    const auto ended = std::make_shared<std::promise<boost::beast::error_code>>();
    boost::asio::post(context_, [&start, ended] {
      start([ended](boost::beast::error_code error, auto...) { ended->set_value(error); });
    });
    return ended->get_future().get();
  }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      context_.get_executor()};
  std::thread thread_{[this] { context_.run(); }};
};

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::asio::ip::tcp;
using Error = beast::error_code;
using Tls = beast::ssl_stream<beast::tcp_stream>;

// The server is looked at by its answers: whose certificate it is, others test.
boost::asio::ssl::context* AnyServer() {
  static auto* context = new boost::asio::ssl::context(boost::asio::ssl::context::tls_client);
  return context;
}

Error Dial(int port, WebLoop* loop, Tls* stream) {
  const tcp::endpoint server(boost::asio::ip::address_v4::loopback(), static_cast<uint16_t>(port));
  beast::get_lowest_layer(*stream).expires_after(kPatience);
  const Error error =
      loop->Await([&](auto done) { beast::get_lowest_layer(*stream).async_connect(server, done); });
  if (error) return error;
  beast::get_lowest_layer(*stream).socket().set_option(tcp::no_delay(true));
  return loop->Await(
      [&](auto done) { stream->async_handshake(boost::asio::ssl::stream_base::client, done); });
}

grpc::StatusCode CodeFor(int closed) {
  switch (closed) {
    case 1000:
      return grpc::StatusCode::OK;
    case 1003:
    case 1008:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case 1009:
    case 1013:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case 0:
      return grpc::StatusCode::CANCELLED;
    default:
      return grpc::StatusCode::UNAVAILABLE;
  }
}

}  // namespace

grpc::Status StatusOf(const HttpReply& reply) {
  const auto it = reply.fields.find("grpc-status");
  int code = 0;
  if (it == reply.fields.end() || !absl::SimpleAtoi(it->second, &code)) {
    return grpc::Status(grpc::StatusCode::UNKNOWN, absl::StrCat("HTTP ", reply.status));
  }
  return grpc::Status(static_cast<grpc::StatusCode>(code), "", code == 0 ? "" : reply.body);
}

// ---- WebConnection

struct WebConnection::Parts {
  WebLoop loop;
  Tls stream{loop.context(), *AnyServer()};
  beast::flat_buffer buffer;
};

WebConnection::WebConnection(int port) : parts_(std::make_unique<Parts>()) {
  Dial(port, &parts_->loop, &parts_->stream);
}

WebConnection::~WebConnection() { parts_->loop.Stop(); }

HttpReply WebConnection::Ask(const std::string& method, const std::string& path,
                             const std::string& body, const HttpFields& fields) {
  http::request<http::string_body> request;
  request.method_string(method);
  request.target(path);
  request.version(11);
  request.set(http::field::host, "zhibu");
  for (const auto& [name, value] : fields) request.set(name, value);
  request.body() = body;
  request.prepare_payload();
  // Who is refused before the end may hear so without having said all.
  parts_->loop.Await([&](auto done) { http::async_write(parts_->stream, request, done); });
  return Read();
}

bool WebConnection::SendBytes(const std::string& bytes) {
  return !parts_->loop.Await([&](auto done) {
    boost::asio::async_write(parts_->stream, boost::asio::buffer(bytes), done);
  });
}

HttpReply WebConnection::Read() {
  HttpReply reply;
  http::response<http::string_body> response;
  if (parts_->loop.Await(
          [&](auto done) { http::async_read(parts_->stream, parts_->buffer, response, done); })) {
    return reply;
  }
  reply.status = static_cast<int>(response.result_int());
  for (const auto& field : response) {
    reply.fields[absl::AsciiStrToLower(std::string(field.name_string()))] =
        std::string(field.value());
  }
  reply.body = response.body();
  return reply;
}

// ---- WebStream

struct WebStream::Parts {
  WebLoop loop;
  websocket::stream<Tls> socket{loop.context(), *AnyServer()};
  websocket::response_type answer;
  beast::flat_buffer in;
  bool begun = false;  // a message of empty pieces
  bool told = false;   // what it ended with
};

WebStream::WebStream(int port, const std::string& path, const HttpFields& fields)
    : parts_(std::make_unique<Parts>()) {
  auto& socket = parts_->socket;
  if (Dial(port, &parts_->loop, &socket.next_layer())) return;
  socket.set_option(websocket::stream_base::decorator([fields](websocket::request_type& request) {
    for (const auto& [name, value] : fields) request.set(name, value);
  }));
  // Offered, so that the server is seen to decline it.
  websocket::permessage_deflate deflate;
  deflate.client_enable = true;
  socket.set_option(deflate);
  socket.read_message_max(0);
  socket.binary(true);
  socket.auto_fragment(false);
  parts_->loop.Await(
      [&](auto done) { socket.async_handshake(parts_->answer, "zhibu", path, done); });
}

WebStream::~WebStream() {
  WebStream::Cut();
  parts_->loop.Stop();
}

int WebStream::http_status() const { return static_cast<int>(parts_->answer.result_int()); }

std::string WebStream::field(const std::string& name) const {
  return std::string(parts_->answer[name]);
}

bool WebStream::SendBytes(const std::string& bytes) {
  return !parts_->loop.Await([&](auto done) {
    parts_->socket.binary(true);
    parts_->socket.async_write(boost::asio::buffer(bytes), done);
  });
}

bool WebStream::SendText(const std::string& text) {
  return !parts_->loop.Await([&](auto done) {
    parts_->socket.text(true);
    parts_->socket.async_write(boost::asio::buffer(text), done);
  });
}

bool WebStream::SendInPieces(const std::string& bytes, size_t piece) {
  for (size_t at = 0; at <= bytes.size(); at += piece) {
    const bool last = at + piece >= bytes.size();
    if (parts_->loop.Await([&](auto done) {
          parts_->socket.async_write_some(
              last, boost::asio::buffer(bytes.data() + at, std::min(piece, bytes.size() - at)),
              done);
        })) {
      return false;
    }
    if (last) break;
  }
  return true;
}

bool WebStream::SendEmptyPieces(int frames) {
  // Masked by nothing; the first says that it is binary, the others go on.
  const auto frame = [](char head) { return std::string{head, '\x80', 0, 0, 0, 0}; };
  std::string bytes = frame(std::exchange(parts_->begun, true) ? '\x00' : '\x02');
  for (int i = 1; i < frames; ++i) bytes += frame('\x00');
  return !parts_->loop.Await([&](auto done) {
    boost::asio::async_write(parts_->socket.next_layer(), boost::asio::buffer(bytes), done);
  });
}

bool WebStream::Ping() {
  return !parts_->loop.Await([&](auto done) { parts_->socket.async_ping({}, done); });
}

void WebStream::Cut() {
  parts_->loop.Await([&](auto done) {
    beast::get_lowest_layer(parts_->socket).close();
    done(Error());
  });
}

grpc::Status WebStream::End() {
  if (std::exchange(parts_->told, true)) return grpc::Status::OK;
  std::string rest;
  while (ReadBytes(&rest)) continue;
  return grpc::Status(CodeFor(code()), absl::StrCat("closed with ", code()));
}

int WebStream::code() const { return parts_->socket.reason().code; }

bool WebStream::ReadBytes(std::string* bytes) {
  parts_->in.clear();
  if (parts_->loop.Await([&](auto done) { parts_->socket.async_read(parts_->in, done); })) {
    return false;
  }
  bytes->assign(static_cast<const char*>(parts_->in.cdata().data()), parts_->in.size());
  return true;
}

}  // namespace zhibu::e2e
