// One stream over a WebSocket: each binary message is one frame. Everything it hears it hands to
// its connection, which says what to do next, one thing of each kind at a time, as it does to
// gRPC's (server/rpc/sync_service.cc).
//
// All of it happens on the strand of its socket.
#ifndef ZHIBU_SERVER_WEB_STREAM_H_
#define ZHIBU_SERVER_WEB_STREAM_H_

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "server/web/common.h"

namespace zhibu::server {

class WebStream final : public Visitor, public Transport {
 public:
  WebStream(WebCommon* common, TlsStream stream, Peer peer);
  void Accept(const boost::beast::http::request<boost::beast::http::string_body>& request);

  // ---- Visitor
  void Leave() override;
  void Cut() override;

  // ---- Transport
  void Read() override;
  void Write(sync::v1::ServerFrame frame) override;
  void Cancel() override { Cut(); }
  void Proved() override;
  void Finish() override;

 private:
  using Clock = std::chrono::steady_clock;
  using Error = boost::beast::error_code;
  using Code = boost::beast::websocket::close_code;

  template <typename F>
  void Post(F work);
  void ReadPiece();
  void OnPiece(Error error, size_t bytes);
  void OnMessage();
  void OnControl(boost::beast::websocket::frame_type kind);
  void Send(std::string bytes);
  // The stream ends, and is closed with this once its connection has let go of it.
  void EndWith(Code code);
  // A device that went away without a word is noticed.
  void Watch(Clock::duration patience);
  void OnSilence();

  WebCommon& common_;
  const Peer peer_;
  // Without compression of its own: what that inflates cannot be measured first. Frames may be
  // compressed, which is the session's.
  boost::beast::websocket::stream<TlsStream, false> socket_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Connection> connection_;  // null before the handshake
  // Itself, as long as the connection has it.
  std::shared_ptr<WebStream> held_;
  boost::beast::flat_buffer in_;
  std::string out_;
  Budget::Share in_share_;
  Budget::Share out_share_;
  Code code_ = Code::normal;
  bool proved_ = false;
  bool reading_ = false;
  bool finished_ = false;
  bool pinged_ = false;  // and nothing was heard since
  Clock::time_point heard_at_ = Clock::now();
  int controls_ = 0;  // pings and pongs since silence was last looked for
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_WEB_STREAM_H_
