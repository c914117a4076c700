#include "server/web/request.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/web/stream.h"
#include "sync/base/reason.h"
#include "sync/base/refusal.h"

namespace zhibu::server {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr char kConnectPath[] = "/zhibu.sync.v1.Sync/Connect";
constexpr char kEnrolPath[] = "/zhibu.sync.v1.Sync/Enrol";
constexpr char kDeliverPath[] = "/zhibu.sync.v1.Sync/Deliver";
constexpr uint32_t kHeadBytesMax = 8 << 10;
// Until whoever is answered before they have said all has heard it, and for TLS to end.
constexpr std::chrono::seconds kLinger{2};

bool IsPath(const std::string& path) {
  return path == kConnectPath || path == kEnrolPath || path == kDeliverPath;
}

http::status HttpOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
      return http::status::bad_request;
    case absl::StatusCode::kUnauthenticated:
      return http::status::unauthorized;
    case absl::StatusCode::kPermissionDenied:
      return http::status::forbidden;
    case absl::StatusCode::kNotFound:
      return http::status::not_found;
    case absl::StatusCode::kResourceExhausted:
      return http::status::too_many_requests;
    case absl::StatusCode::kUnavailable:
      return http::status::service_unavailable;
    default:
      return http::status::internal_server_error;
  }
}

}  // namespace

Request::Request(WebCommon* common, boost::asio::ip::tcp::socket socket, Peer peer)
    : common_(*common),
      peer_(std::move(peer)),
      strand_(socket.get_executor()),
      stream_(std::move(socket), common->tls),
      go_on_(http::status::continue_, 11),
      body_(&common->budget, peer_.address) {}

std::shared_ptr<Request> Request::Self() {
  return std::static_pointer_cast<Request>(shared_from_this());
}

void Request::Start() {
  boost::asio::post(strand_, [self = Self()] {
    beast::get_lowest_layer(self->stream_)
        .expires_after(std::chrono::seconds(self->common_.limits.handshake_seconds_max));
    self->stream_.async_handshake(boost::asio::ssl::stream_base::server, [self](Error error) {
      if (!error) self->ReadHead();
    });
  });
}

void Request::Cut() {
  boost::asio::post(strand_, [self = Self()] {
    if (!self->streams_) beast::get_lowest_layer(self->stream_).close();
  });
}

void Request::ReadHead() {
  body_.Clear();
  WorthOf(stream_).Brought(kHeadBytesMax);
  parser_.emplace();
  parser_->header_limit(kHeadBytesMax);
  parser_->body_limit(static_cast<uint64_t>(common_.limits.message_bytes_max));
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = Self()](Error error, size_t) { self->OnHead(error); });
}

void Request::OnHead(Error error) {
  if (error == http::error::header_limit) {
    return Decline(Status::request_header_fields_too_large, "head");
  }
  if (error == http::error::body_limit) return Decline(Status::payload_too_large, "body");
  // Whoever went away or was too slow is told nothing; the others said what is not HTTP.
  if (error && error.category() != http::make_error_code(http::error::bad_method).category())
    return;
  if (error == http::error::end_of_stream || error == http::error::partial_message) return Close();
  if (error) return Decline(Status::bad_request, "not HTTP/1.1");

  const auto& head = parser_->get();
  const std::string path(head.target());
  const auto origin = head.find(http::field::origin);
  if (origin != head.end() && common_.origins.count(std::string(origin->value())) == 0) {
    return Decline(Status::forbidden, "pages of this origin may not come (serve --web-origin)");
  }
  if (!IsPath(path)) return Decline(Status::not_found, "no such path");
  if (beast::websocket::is_upgrade(head) && path == kConnectPath) return BecomeStream();
  if (path == kConnectPath) return Decline(Status::upgrade_required, "a WebSocket");
  if (head.method() == http::verb::options && origin != head.end())
    return Reply({Status::no_content});
  if (head.method() != http::verb::post) return Decline(Status::method_not_allowed, "POST");
  beast::get_lowest_layer(stream_).expires_after(
      std::chrono::seconds(common_.limits.unread_seconds_max));
  if (!beast::iequals(head[http::field::expect], "100-continue")) return ReadBody();
  http::async_write(stream_, go_on_, [self = Self()](Error failed, size_t) {
    if (!failed) self->ReadBody();
  });
}

void Request::ReadBody() {
  if (parser_->is_done()) return Call();
  const size_t before = parser_->get().body().size();
  http::async_read_some(stream_, buffer_, *parser_, [self = Self(), before](Error error, size_t) {
    WorthOf(self->stream_).Brought(self->parser_->get().body().size() - before);
    self->OnBody(error);
  });
}

void Request::OnBody(Error error) {
  if (error == http::error::body_limit) return Decline(Status::payload_too_large, "body");
  if (error) return;
  if (!body_.GrowTo(parser_->get().body().size())) {
    common_.hub.observer().OnRefused(sync::v1::LIMIT_REACHED, DeviceNumber());
    return Reply(AnswerOf(Refuse(sync::v1::LIMIT_REACHED, "memory")));
  }
  ReadBody();
}

void Request::Call() {
  boost::asio::post(common_.calling, [self = Self()] {
    const auto& request = self->parser_->get();
    Answer answer = self->Called(std::string(request.target()), request.body());
    self->common_.hub.observer().OnEntered(Entrance::kWebCall);
    boost::asio::post(self->strand_, [self, answer = std::move(answer)]() mutable {
      self->Reply(std::move(answer));
    });
  });
}

Request::Answer Request::Called(const std::string& path, const std::string& body) {
  const auto answer = [&](auto request, auto call) {
    if (!request.ParseFromString(body)) {
      return AnswerOf(Refuse(sync::v1::MALFORMED, "request"));
    }
    const auto reply = (common_.calls.*call)(request, peer_.address);
    if (!reply.ok()) return AnswerOf(reply.status());
    return Answer{.body = reply->SerializeAsString()};
  };
  return path == kEnrolPath ? answer(sync::v1::EnrolRequest(), &Calls::Enrol)
                            : answer(sync::v1::DeliverRequest(), &Calls::Deliver);
}

void Request::BecomeStream() {
  // Who talks before the answer is no WebSocket.
  if (buffer_.size() > 0) return Decline(Status::bad_request, "frames before the handshake");
  streams_ = true;
  const auto stream = std::make_shared<WebStream>(&common_, std::move(stream_), peer_);
  common_.visitors.Enter(stream);
  stream->Accept(parser_->release());
}

Request::Answer Request::AnswerOf(const absl::Status& refused) {
  return {HttpOf(refused.code()), static_cast<int>(refused.code()),
          RefusalOf(refused).SerializeAsString()};
}

void Request::Decline(Status status, absl::string_view words) {
  http::response<http::string_body> response(status, 11);
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.body() = absl::StrCat(words, "\n");
  response.keep_alive(false);
  if (status == Status::upgrade_required) response.set(http::field::upgrade, "websocket");
  if (status == Status::method_not_allowed) response.set(http::field::allow, "POST");
  Send(std::move(response));
}

void Request::Reply(Answer answer) {
  const auto& request = parser_->get();
  http::response<http::string_body> response(answer.status, 11);
  response.set(http::field::content_type, "application/x-protobuf");
  response.set(http::field::cache_control, "no-store");
  response.set("grpc-status", absl::StrCat(answer.grpc_status));
  if (const auto origin = request[http::field::origin]; !origin.empty()) {
    response.set(http::field::access_control_allow_origin, origin);
    response.set(http::field::access_control_allow_headers, "content-type");
    response.set(http::field::access_control_expose_headers, "grpc-status");
    response.set(http::field::vary, "origin");
  }
  response.keep_alive(parser_->is_done() && parser_->keep_alive());
  response.body() = std::move(answer.body);
  Send(std::move(response));
}

void Request::Send(http::response<http::string_body> response) {
  response_ = std::move(response);
  response_->prepare_payload();
  beast::get_lowest_layer(stream_).expires_after(
      std::chrono::seconds(common_.limits.handshake_seconds_max));
  http::async_write(stream_, *response_, [self = Self()](Error error, size_t) {
    if (error) return;
    if (self->response_->keep_alive()) return self->ReadHead();
    self->Close();
  });
}

void Request::Close() {
  beast::get_lowest_layer(stream_).expires_after(kLinger);
  if (!parser_->is_done()) {
    WorthOf(stream_).Brought(static_cast<size_t>(common_.limits.message_bytes_max));
    return Linger();
  }
  stream_.async_shutdown([self = Self()](Error) {});
}

void Request::Linger() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kPieceBytes), [self = Self()](Error error, size_t) {
    if (!error) self->Linger();
  });
}

}  // namespace zhibu::server
