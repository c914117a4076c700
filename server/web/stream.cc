#include "server/web/stream.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace zhibu::server {
namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

// A stream is silent for so long before it is pinged, and has so long to answer: as over gRPC.
constexpr std::chrono::seconds kSilence{60};
constexpr std::chrono::seconds kPongPatience{20};
// Pings and pongs in that time; a device that pings twice as often as it may sends four.
constexpr int kControlsMax = 20;
// For the other side to say that it has heard that the stream is closed.
constexpr std::chrono::seconds kClosePatience{2};

}  // namespace

WebStream::WebStream(WebCommon* common, TlsStream stream, Peer peer)
    : common_(*common),
      peer_(std::move(peer)),
      socket_(std::move(stream)),
      timer_(socket_.get_executor()),
      in_share_(&common->budget, peer_.address),
      out_share_(&common->budget, peer_.address) {}

template <typename F>
void WebStream::Post(F work) {
  boost::asio::post(socket_.get_executor(),
                    [self = std::static_pointer_cast<WebStream>(shared_from_this()),
                     work = std::move(work)]() mutable { work(); });
}

void WebStream::Accept(const beast::http::request<beast::http::string_body>& request) {
  const auto self = std::static_pointer_cast<WebStream>(shared_from_this());
  // The library's clock is for its handshake and its close: it would end a stream that is not
  // read from because its device is to wait.
  beast::get_lowest_layer(socket_).expires_never();
  socket_.set_option(
      websocket::stream_base::timeout{std::chrono::seconds(common_.limits.handshake_seconds_max),
                                      websocket::stream_base::none(), /*keep_alive_pings=*/false});
  socket_.read_message_max(0);  // see OnPiece: whoever sends too much is told so
  socket_.auto_fragment(false);
  socket_.binary(true);
  socket_.control_callback(
      [this](websocket::frame_type kind, beast::string_view) { OnControl(kind); });
  socket_.async_accept(request, [self](Error error) {
    if (error) return;
    self->held_ = self;
    self->connection_ = self->common_.hub.Connect(self.get());
    self->connection_->Start();
    self->Watch(kSilence);
  });
}

void WebStream::Leave() {
  Post([this] {
    if (connection_ == nullptr) return Cut();
    EndWith(Code::going_away);
  });
}

void WebStream::Cut() {
  Post([this] {
    beast::get_lowest_layer(socket_).close();
    if (connection_ != nullptr) connection_->OnGone();
  });
}

void WebStream::Read() {
  Post([this] {
    reading_ = true;
    ReadPiece();
  });
}

void WebStream::ReadPiece() {
  socket_.async_read_some(in_, kPieceBytes,
                          [self = std::static_pointer_cast<WebStream>(shared_from_this())](
                              Error error, size_t bytes) { self->OnPiece(error, bytes); });
}

void WebStream::OnPiece(Error error, size_t bytes) {
  heard_at_ = Clock::now();
  WorthOf(socket_).Brought(bytes);
  if (finished_) return;
  if (error) return connection_->OnGone();
  if (!socket_.got_binary()) return EndWith(Code::unknown_data);
  if (in_.size() > static_cast<size_t>(common_.limits.message_bytes_max)) {
    return EndWith(Code::too_big);
  }
  if (!in_share_.GrowTo(in_.size())) return EndWith(Code::try_again_later);
  if (!socket_.is_message_done()) return ReadPiece();
  reading_ = false;
  OnMessage();
}

void WebStream::OnMessage() {
  sync::v1::ClientFrame frame;
  const auto bytes = in_.cdata();
  const bool parsed = frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  in_ = {};
  in_share_.Clear();
  if (parsed) {
    connection_->OnFrame(std::move(frame));
  } else {
    connection_->OnGarbage("frame");
  }
}

void WebStream::OnControl(websocket::frame_type kind) {
  heard_at_ = Clock::now();
  if (kind != websocket::frame_type::close && ++controls_ > kControlsMax) {
    EndWith(Code::policy_error);
  }
}

void WebStream::Write(sync::v1::ServerFrame frame) {
  Post([this, bytes = frame.SerializeAsString()]() mutable { Send(std::move(bytes)); });
}

void WebStream::Send(std::string bytes) {
  if (!out_share_.GrowTo(bytes.size())) return EndWith(Code::try_again_later);
  out_ = std::move(bytes);
  socket_.async_write(
      boost::asio::buffer(out_),
      [self = std::static_pointer_cast<WebStream>(shared_from_this())](Error error, size_t) {
        self->out_.clear();
        self->out_share_.Clear();
        if (self->finished_) return;
        if (error) return self->connection_->OnGone();
        self->connection_->OnWritten();
      });
}

void WebStream::Proved() {
  common_.doors.Prove(peer_);
  common_.hub.observer().OnEntered(Entrance::kWebStream);
  Post([this] {
    proved_ = true;
    in_share_.Prove();
    out_share_.Prove();
  });
}

void WebStream::EndWith(Code code) {
  if (code_ == Code::normal) code_ = code;
  connection_->OnGone();
}

void WebStream::Finish() {
  Post([this] {
    finished_ = true;
    if (proved_) common_.doors.Leave(peer_);
    const auto self = std::exchange(held_, nullptr);
    // What it was about to say is read, so that it hears why it is not.
    WorthOf(socket_).Brought(static_cast<size_t>(common_.limits.message_bytes_max));
    timer_.expires_after(kClosePatience);
    timer_.async_wait([self](Error put_off) {
      if (!put_off) beast::get_lowest_layer(self->socket_).close();
    });
    socket_.async_close(code_, [self](Error) { self->timer_.cancel(); });
  });
}

void WebStream::Watch(Clock::duration patience) {
  timer_.expires_after(patience);
  timer_.async_wait(
      [self = std::static_pointer_cast<WebStream>(shared_from_this())](Error put_off) {
        if (!put_off && !self->finished_) self->OnSilence();
      });
}

void WebStream::OnSilence() {
  controls_ = 0;
  const Clock::duration silent = Clock::now() - heard_at_;
  // Of a device that is not read from nothing can be heard.
  if (silent < kSilence || !reading_) {
    pinged_ = false;
    return Watch(reading_ ? kSilence - silent : kSilence);
  }
  if (std::exchange(pinged_, true)) return Cut();
  socket_.async_ping({},
                     [self = std::static_pointer_cast<WebStream>(shared_from_this())](Error) {});
  Watch(kPongPatience);
}

}  // namespace zhibu::server
