// One connection over HTTPS, as long as it is not a stream: TLS, then one request after the other.
// A request at the path of Connect that asks for a WebSocket makes a WebStream of it; a POST at
// the path of a call is answered by the call.
//
// Each request, the handshake of TLS before the first included, has one deadline for its head and
// one for its body, however slowly it drips in. All of it happens on one strand, but the calls.
#ifndef ZHIBU_SERVER_WEB_REQUEST_H_
#define ZHIBU_SERVER_WEB_REQUEST_H_

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "server/web/common.h"

namespace zhibu::server {

class Request final : public Visitor {
 public:
  Request(WebCommon* common, boost::asio::ip::tcp::socket socket, Peer peer);
  void Start();

  void Leave() override { Cut(); }
  void Cut() override;

 private:
  using Status = boost::beast::http::status;
  using Error = boost::beast::error_code;
  struct Answer {
    Status status = Status::ok;
    int grpc_status = 0;
    std::string body;
  };

  std::shared_ptr<Request> Self();
  void ReadHead();
  void OnHead(Error error);
  void ReadBody();
  void OnBody(Error error);
  void Call();
  Answer Called(const std::string& path, const std::string& body);
  void BecomeStream();

  // Answers in words of HTTP alone, for a person who looks on.
  void Decline(Status status, absl::string_view words);
  void Reply(Answer answer);
  void Send(boost::beast::http::response<boost::beast::http::string_body> response);
  void Close();
  // So that whoever still sends hears the answer before the connection is gone.
  void Linger();

  static Answer AnswerOf(const absl::Status& refused);

  WebCommon& common_;
  const Peer peer_;
  const boost::asio::any_io_executor strand_;
  TlsStream stream_;  // moved out once `streams_`
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  std::optional<boost::beast::http::response<boost::beast::http::string_body>> response_;
  boost::beast::http::response<boost::beast::http::empty_body> go_on_;
  Budget::Share body_;
  bool streams_ = false;  // the connection is a WebStream's now
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_WEB_REQUEST_H_
