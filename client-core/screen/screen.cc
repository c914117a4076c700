#include "client-core/screen/screen.h"

#include <httplib.h>

#include <deque>
#include <thread>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "client-core/c/open_store.h"
#include "client-core/c/told.h"
#include "client-core/c/zhibu.h"
#include "client-core/screen/access.h"
#include "client-core/screen/functions.h"
#include "client-core/transport/syncer.h"
#include "sync/base/reason.h"
#include "zhibu/api/v1/api.pb.h"

namespace zhibu::client {
namespace {

constexpr char kHere[] = "127.0.0.1";
constexpr char kBytes[] = "application/octet-stream";
constexpr size_t kBodyBytesMax = 8 << 20;
constexpr size_t kAttemptsMax = 200;
// A browser keeps up to six connections open, each on a thread; two of them may be open.
constexpr size_t kThreads = 24;
constexpr absl::Duration kHeartbeat = absl::Seconds(10);

// Everything comes from here, nothing goes elsewhere, and nobody frames it.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Content-Security-Policy",
     "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
     "object-src 'none'"},
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(self), microphone=(), geolocation=()"}};

int HttpStatus(int32_t code) {
  switch (static_cast<absl::StatusCode>(code)) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
      return 409;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
      return 500;
    default:
      return 400;
  }
}

// How each attempt to be in step ended.
class Attempts {
 public:
  void Add(int64_t now_ms, const absl::Status& status) {
    api::v1::SyncLog::Attempt attempt;
    attempt.set_at_ms(now_ms);
    if (!status.ok()) *attempt.mutable_why() = ErrorOf(status);
    absl::MutexLock lock(&mutex_);
    attempts_.push_front(std::move(attempt));
    if (attempts_.size() > kAttemptsMax) attempts_.pop_back();
  }
  std::string Told() {
    api::v1::SyncLog log;
    absl::MutexLock lock(&mutex_);
    for (const auto& attempt : attempts_) *log.add_attempts() = attempt;
    return log.SerializeAsString();
  }

 private:
  absl::Mutex mutex_;
  std::deque<api::v1::SyncLog::Attempt> attempts_ ABSL_GUARDED_BY(mutex_);
};

// What one page has yet to be told.
class Feed {
 public:
  // Null: the store is closed.
  static std::shared_ptr<Feed> Open(zhibu_handle store) {
    auto feed = std::make_shared<Feed>();
    const int32_t code = zhibu_events_open(
        store, [](void* user) { static_cast<Feed*>(user)->Ring(); }, feed.get(), nullptr,
        &feed->events_, nullptr);
    return code == 0 ? feed : nullptr;
  }
  ~Feed() { zhibu_events_close(events_, nullptr); }

  // What has happened, in base64; empty where nothing has for a while.
  std::string Wait(absl::Duration most) {
    {
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&rung_), most);
      rung_ = false;
    }
    zhibu_out next = {nullptr, 0};
    zhibu_events_next(events_, &next, nullptr);
    const std::string bytes(reinterpret_cast<const char*>(next.data), next.size);
    zhibu_free(&next);
    return absl::Base64Escape(bytes);
  }

 private:
  void Ring() {
    absl::MutexLock lock(&mutex_);
    rung_ = true;
  }

  zhibu_handle events_ = 0;
  absl::Mutex mutex_;
  bool rung_ ABSL_GUARDED_BY(mutex_) = false;
};

std::string CookieIn(const httplib::Request& request, const std::string& name) {
  const std::string header = request.get_header_value("Cookie");
  for (absl::string_view part : absl::StrSplit(header, ';')) {
    part = absl::StripAsciiWhitespace(part);
    if (absl::ConsumePrefix(&part, absl::StrCat(name, "="))) return std::string(part);
  }
  return "";
}

}  // namespace

class Screen::Server {
 public:
  Server(Store* store, absl::Span<const Page> pages, ScreenOptions options)
      : store_(*store), pages_(pages), options_(std::move(options)), syncer_(store) {
    // Whoever handed it in keeps it.
    handle_ =
        AllHandles().Add(std::make_shared<OpenStore>(std::shared_ptr<Store>(store, [](Store*) {})));
  }
  ~Server() { zhibu_close(handle_, nullptr); }

  absl::Status Run() {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_payload_max_length(kBodyBytesMax);
    server_.set_tcp_nodelay(true);
    const int port = options_.port == 0                           ? server_.bind_to_any_port(kHere)
                     : server_.bind_to_port(kHere, options_.port) ? options_.port
                                                                  : -1;
    if (port < 0) return absl::UnavailableError(absl::StrCat("port ", options_.port));
    access_ = std::make_unique<Access>(store_.environment(), port, options_.idle_ms);
    Serve();
    std::thread syncing;
    if (options_.syncs) syncing = std::thread([this] { Sync(); });
    std::thread watching([this] { Watch(); });
    server_.listen_after_bind();
    {
      absl::MutexLock lock(&mutex_);
      stopped_ = true;
      ended_ = true;
    }
    syncer_.Stop();
    watching.join();
    if (syncing.joinable()) syncing.join();
    return absl::OkStatus();
  }

  void Stop() {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }

 private:
  void Serve() {
    server_.set_pre_routing_handler([this](const auto& request, auto& response) {
      for (const auto& [name, value] : kHeaders) response.set_header(name, value);
      const bool reads = request.method == "GET" || request.method == "HEAD";
      const bool here = access_->ComesFromHere(request.get_header_value("Host"),
                                               request.get_header_value("Origin"),
                                               request.get_header_value("Sec-Fetch-Site"), !reads);
      if (here) return httplib::Server::HandlerResponse::Unhandled;
      response.status = 403;
      return httplib::Server::HandlerResponse::Handled;
    });
    for (const Page& page : pages_) {
      server_.Get(std::string(page.path), [&page](const auto&, auto& response) {
        // As a whole body it would be packed for each request by the best means, which takes
        // seconds.
        response.set_content_provider(page.body.size(), std::string(page.type),
                                      [&page](size_t from, size_t size, httplib::DataSink& sink) {
                                        return sink.write(page.body.data() + from, size);
                                      });
      });
    }
    server_.Post("/token", [this](const auto& request, auto& response) {
      const auto cookie = access_->Exchange(request.body);
      if (!cookie) return Refused(&response);
      response.status = 204;
      response.set_header("Set-Cookie", absl::StrCat(access_->cookie_name(), "=", *cookie,
                                                     "; HttpOnly; SameSite=Strict; Path=/"));
    });
    server_.Post(R"(/core/([a-z_]+))", [this](const auto& request, auto& response) {
      if (!MayAsk(request)) return Refused(&response);
      const auto result = Call(request.matches[1].str(), request.body);
      if (!result) {
        response.status = 404;
        return;
      }
      response.status = HttpStatus(result->code);
      response.set_content(result->bytes, kBytes);
    });
    server_.Get("/events", [this](const auto& request, auto& response) {
      if (!MayAsk(request)) return Refused(&response);
      Follow(CookieIn(request, access_->cookie_name()), &response);
    });
  }

  // A page that asks by itself says so: it keeps nothing open that nobody looks at.
  bool MayAsk(const httplib::Request& request) {
    return access_->MayAsk(CookieIn(request, access_->cookie_name()),
                           !request.has_header("Zhibu-By-Itself") && request.path != "/events");
  }

  static void Refused(httplib::Response* response) {
    response->status = 401;
    api::v1::Error error;
    error.set_code(static_cast<int>(absl::StatusCode::kUnauthenticated));
    error.set_words_zh("页面已锁定，没有保存的内容都在本机。请在打开它的窗口里找到新的地址。");
    error.set_words_en(
        "The pages are locked; what was not saved is kept on this device. The window that shows "
        "them has a new address.");
    response->set_content(error.SerializeAsString(), kBytes);
  }

  std::optional<Result> Call(const std::string& name, const std::string& body) {
    if (name == "host_log") return Result{0, attempts_.Told()};
    if (name == "host_hurry") {
      syncer_.Hurry();
      return Result{};
    }
    const Function* function = FindFunction(name);
    if (function == nullptr) return std::nullopt;
    return (*function)(handle_, body);
  }

  void Follow(const std::string& cookie, httplib::Response* response) {
    const std::shared_ptr<Feed> feed = Feed::Open(handle_);
    if (feed == nullptr) {
      response->status = 503;
      return;
    }
    // The first word opens the stream at once.
    response->set_chunked_content_provider(
        "text/event-stream",
        [this, feed, cookie, first = true](size_t, httplib::DataSink& sink) mutable {
          std::string text = std::exchange(first, false) ? ":\n\n" : Next(feed.get());
          if (stopped() || !access_->MayAsk(cookie, /*by_hand=*/false)) {
            sink.done();
            return true;
          }
          return sink.write(text.data(), text.size());
        });
  }

  // Often enough awake to end with the screen.
  std::string Next(Feed* feed) {
    const absl::Time until = absl::Now() + kHeartbeat;
    while (!stopped() && absl::Now() < until) {
      const std::string events = feed->Wait(absl::Milliseconds(500));
      if (!events.empty()) return absl::StrCat("data: ", events, "\n\n");
    }
    return ":\n\n";
  }

  void Sync() {
    syncer_.Run([this](const absl::Status& status) {
      attempts_.Add(store_.environment().now_ms(), status);
    });
  }

  // Tells where to open it, again whenever it has locked.
  void Watch() {
    options_.on_address(access_->Address());
    absl::MutexLock lock(&mutex_);
    while (!mutex_.AwaitWithTimeout(absl::Condition(&stopped_), absl::Seconds(1))) {
      if (access_->TakeLocked()) options_.on_address(access_->Address());
    }
    // One that is stopped before it has begun to listen does not notice.
    while (!mutex_.AwaitWithTimeout(absl::Condition(&ended_), absl::Milliseconds(50))) {
      server_.stop();
    }
  }

  bool stopped() {
    absl::MutexLock lock(&mutex_);
    return stopped_;
  }

  Store& store_;
  const absl::Span<const Page> pages_;
  const ScreenOptions options_;
  zhibu_handle handle_ = 0;
  Syncer syncer_;
  Attempts attempts_;
  std::unique_ptr<Access> access_;  // once the port is known
  httplib::Server server_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;  // nothing is served any longer
};

Screen::Screen(Store* store, absl::Span<const Page> pages, ScreenOptions options)
    : server_(std::make_unique<Server>(store, pages, std::move(options))) {}
Screen::~Screen() = default;

absl::Status Screen::Run() { return server_->Run(); }
void Screen::Stop() { server_->Stop(); }

}  // namespace zhibu::client
