#include "client-core/transport/syncer.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <atomic>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client-core/enrolment.h"
#include "client-core/sessions.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/courier.h"
#include "sync/crypto/handshake.h"
#include "zhibu/sync/v1/sync.grpc.pb.h"

namespace zhibu::client {
namespace {

using sync::v1::ClientFrame;
using sync::v1::ServerFrame;

constexpr int kMessageBytesMax = 16 << 20;

// The server is known by its certificate's fingerprint and by nothing else.
class PinnedVerifier : public grpc::experimental::ExternalCertificateVerifier {
 public:
  PinnedVerifier(std::string fingerprint, std::shared_ptr<std::atomic<bool>> met_other)
      : fingerprint_(std::move(fingerprint)), met_other_(std::move(met_other)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)> /*callback*/, grpc::Status* status) override {
    const grpc::string_ref pem = request->peer_cert();
    if (FingerprintOf({pem.data(), pem.size()}) != fingerprint_) {
      *met_other_ = true;
      *status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "another certificate");
    }
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest* /*request*/) override {}

 private:
  const std::string fingerprint_;
  const std::shared_ptr<std::atomic<bool>> met_other_;
};

// A way to the server, and whether somebody else was found there: gRPC tells
// that no differently from a server that cannot be reached.
struct Way {
  std::shared_ptr<grpc::Channel> channel;
  std::shared_ptr<std::atomic<bool>> met_other = std::make_shared<std::atomic<bool>>(false);

  absl::Status Told(const grpc::Status& status) const;
};

// As a Session has it: no time at all would be for ever.
int64_t MsOf(absl::Duration timeout) {
  return std::max<int64_t>(1, absl::ToInt64Milliseconds(timeout));
}

int MillisOf(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

Way WayTo(const std::string& address, const std::string& fingerprint,
          const SyncerOptions& options = {}) {
  Way way;
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_verify_server_certs(false);
  tls.set_check_call_host(false);
  tls.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<PinnedVerifier>(fingerprint,
                                                                              way.met_other));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, MillisOf(options.ping));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, MillisOf(options.pong));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // an idle stream goes on asking
  arguments.SetSslTargetNameOverride("zhibu");  // the name in every server's certificate
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  way.channel =
      grpc::CreateCustomChannel(address, grpc::experimental::TlsCredentials(tls), arguments);
  return way;
}

absl::Status Stopped() { return absl::CancelledError("stopped"); }

absl::Status Way::Told(const grpc::Status& status) const {
  if (*met_other) return Refuse(sync::v1::OTHER_SERVER, "");
  return WhyEnded(static_cast<absl::StatusCode>(status.error_code()), status.error_message(),
                  status.error_details());
}

}  // namespace

absl::Status Enrol(Store* store, absl::string_view text, absl::string_view device_name,
                   absl::Duration timeout) {
  ASSIGN_OR_RETURN(Enrolment enrolment, Enrolment::Begin(store, text, device_name));
  const Way way = WayTo(enrolment.ticket().address, enrolment.ticket().fingerprint);
  const auto stub = sync::v1::Sync::NewStub(way.channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  sync::v1::EnrolReply reply;
  RETURN_IF_ERROR(way.Told(stub->Enrol(&context, enrolment.request(), &reply)));
  return enrolment.Finish(reply);
}

absl::StatusOr<Delivered> Deliver(absl::string_view bundles, const std::string& address,
                                  const std::string& fingerprint, absl::Duration timeout) {
  ASSIGN_OR_RETURN(const sync::v1::Parcel parcel, FromFile(Cargo::kBundle, bundles));
  const Way way = WayTo(address, fingerprint);
  const auto stub = sync::v1::Sync::NewStub(way.channel);
  sync::v1::Parcel receipts;
  Delivered delivered;
  for (const std::string& sealed : parcel.sealed()) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    sync::v1::DeliverRequest request;
    request.set_bundle(sealed);
    sync::v1::DeliverReply reply;
    RETURN_IF_ERROR(way.Told(stub->Deliver(&context, request, &reply)));
    receipts.add_sealed(reply.receipt());
    if (delivered.refusal.reason() == sync::v1::NO_REASON) delivered.refusal = reply.refusal();
  }
  delivered.receipts = ToFile(Cargo::kReceipt, receipts);
  return delivered;
}

// What the threads of an attempt, the app's commits and Stop tell each other.
struct Syncer::Shared {
  absl::Mutex mutex;
  bool stopped ABSL_GUARDED_BY(mutex) = false;
  bool hurried ABSL_GUARDED_BY(mutex) = false;    // while there is no stream
  bool committed ABSL_GUARDED_BY(mutex) = false;  // here, or perhaps by others
  bool ended ABSL_GUARDED_BY(mutex) = false;      // the stream hears nothing more
  std::deque<ServerFrame> received ABSL_GUARDED_BY(mutex);
  grpc::ClientContext* call ABSL_GUARDED_BY(mutex) = nullptr;  // that of the stream there is

  // True for anything to do before `deadline`.
  bool Wait(absl::Time deadline) {
    absl::MutexLock lock(&mutex);
    const auto something = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
      return stopped || committed || ended || !received.empty();
    };
    mutex.AwaitWithDeadline(absl::Condition(&something), deadline);
    return std::exchange(committed, false) || stopped || ended || !received.empty();
  }
};

// A stream with a thread that listens.
class Syncer::Stream {
 public:
  Stream(Shared* shared, const Advice& to, const SyncerOptions& options, absl::Time deadline)
      : shared_(*shared),
        way_(WayTo(to.address, to.fingerprint, options)),
        stub_(sync::v1::Sync::NewStub(way_.channel)) {
    if (deadline != absl::InfiniteFuture()) context_.set_deadline(absl::ToChronoTime(deadline));
    {
      // Before what follows, which waits for the link.
      absl::MutexLock lock(&shared_.mutex);
      shared_.call = &context_;
      if (shared_.stopped) context_.TryCancel();
    }
    stream_ = stub_->Connect(&context_);
    listener_ = std::thread([this] { Listen(); });
  }

  ~Stream() {
    {
      absl::MutexLock lock(&shared_.mutex);
      shared_.call = nullptr;
      shared_.ended = true;  // a listener that waits for room waits no longer
    }
    context_.TryCancel();
    if (listener_.joinable()) listener_.join();
  }

  // All that there is to say.
  void WriteAll(Sessions* sessions) {
    ClientFrame frame;
    while (sessions->Next(&frame) && stream_->Write(frame)) {
    }
  }

  // Call once the stream has ended.
  absl::Status Finish() {
    listener_.join();
    return way_.Told(stream_->Finish());
  }

 private:
  // A server that sends faster than the disk takes it is not read from.
  static constexpr size_t kReceivedMax = 4;

  void Listen() {
    ServerFrame frame;
    while (stream_->Read(&frame)) {
      absl::MutexLock lock(&shared_.mutex);
      const auto room = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(shared_.mutex) {
        return shared_.received.size() < kReceivedMax || shared_.stopped || shared_.ended;
      };
      shared_.mutex.Await(absl::Condition(&room));
      if (shared_.ended) break;
      shared_.received.push_back(std::move(frame));
      frame.Clear();
    }
    absl::MutexLock lock(&shared_.mutex);
    shared_.ended = true;
  }

  Shared& shared_;
  const Way way_;
  grpc::ClientContext context_;
  const std::unique_ptr<sync::v1::Sync::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<ClientFrame, ServerFrame>> stream_;
  std::thread listener_;
};

Syncer::Syncer(Store* store, SyncerOptions options)
    : store_(*store), options_(options), shared_(std::make_shared<Shared>()) {}
Syncer::~Syncer() { Stop(); }

void Syncer::Look() {
  absl::MutexLock lock(&shared_->mutex);
  shared_->committed = true;
}

void Syncer::Stop() {
  absl::MutexLock lock(&shared_->mutex);
  shared_->stopped = true;
  if (shared_->call != nullptr) shared_->call->TryCancel();
}

void Syncer::Hurry() {
  absl::MutexLock lock(&shared_->mutex);
  shared_->hurried = true;
  shared_->committed = true;
}

bool Syncer::Sleep(int64_t ms) {
  absl::MutexLock lock(&shared_->mutex);
  const auto woken = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(shared_->mutex) {
    return shared_->stopped || shared_->hurried;
  };
  shared_->mutex.AwaitWithTimeout(absl::Condition(&woken), absl::Milliseconds(ms));
  return !shared_->stopped;
}

bool Syncer::TakeHurry() {
  absl::MutexLock lock(&shared_->mutex);
  return std::exchange(shared_->hurried, false);
}

void Syncer::Rest(absl::Time until, const absl::StatusOr<int64_t>& commits) {
  while (!shared_->Wait(std::min(until, absl::Now() + options_.look))) {
    if (absl::Now() >= until) return;
    const auto now = store_.CommitsOfOthers();
    if (!commits.ok() || !now.ok() || *now != *commits) return;
  }
}

std::unique_ptr<Syncer::Stream> Syncer::Open(const Advice& advice, absl::Time deadline) {
  {
    absl::MutexLock lock(&shared_->mutex);
    shared_->received.clear();
    shared_->ended = false;
  }
  return std::make_unique<Stream>(shared_.get(), advice, options_, deadline);
}

bool Syncer::Hear(Sessions* sessions, Stream* stream) {
  std::deque<ServerFrame> received;
  bool ended = false;
  {
    absl::MutexLock lock(&shared_->mutex);
    if (shared_->stopped) return false;
    received.swap(shared_->received);
    ended = shared_->ended && received.empty();
  }
  for (const ServerFrame& one : received) sessions->Receive(one);
  if (ended) sessions->Ended(stream->Finish());
  return true;
}

absl::Status Syncer::Follow(Sessions* sessions, absl::Time deadline,
                            absl::FunctionRef<bool()> enough,
                            const std::function<void(const absl::Status&)>& on_change) {
  const auto subscription = store_.Subscribe([shared = shared_](const Changes&) {
    absl::MutexLock lock(&shared->mutex);
    shared->committed = true;
  });
  std::unique_ptr<Stream> stream;
  bool in_step = false;
  while (true) {
    const auto commits = store_.CommitsOfOthers();
    const Advice advice = sessions->Advise();
    switch (advice.what) {
      case Advice::What::kConnect:
        stream.reset();
        in_step = false;
        TakeHurry();
        stream = Open(advice, deadline);
        sessions->Connected();
        break;
      case Advice::What::kSend:
        stream->WriteAll(sessions);
        break;
      case Advice::What::kIdle: {
        const bool was_in_step = std::exchange(in_step, sessions->caught_up());
        if (in_step && !was_in_step) on_change(absl::OkStatus());
        if (enough()) return absl::OkStatus();
        stream->WriteAll(sessions);  // what it asks for, now that something has come
        Rest(advice.ms == 0 ? deadline : absl::Now() + absl::Milliseconds(advice.ms), commits);
        if (!Hear(sessions, stream.get())) return Stopped();
        break;
      }
      case Advice::What::kWait:
        stream.reset();
        on_change(advice.why);
        if (!Sleep(advice.ms + 1)) return Stopped();
        if (TakeHurry()) sessions->Hurry();
        break;
      case Advice::What::kDone:
        return absl::OkStatus();
      case Advice::What::kStop:
        return advice.why;
    }
  }
}

absl::Status Syncer::SyncOnce(absl::Duration timeout) {
  Sessions sessions(&store_, {.mode = Sessions::Options::Mode::kOnce, .within_ms = MsOf(timeout)});
  return Follow(
      &sessions, absl::Now() + timeout, [] { return false; }, [](const absl::Status&) {});
}

absl::Status Syncer::Ask(sync::v1::Ask ask, absl::FunctionRef<bool(const sync::v1::Page&)> on_page,
                         absl::Duration timeout) {
  absl::Status refused;
  Sessions sessions(&store_,
                    {.mode = Sessions::Options::Mode::kUnnoted, .within_ms = MsOf(timeout)});
  sessions.Ask(ask);
  const auto enough = [&] {
    const auto page = sessions.TakePage();
    if (!page) return false;
    if (page->has_refusal()) {
      refused = Refuse(page->refusal().reason(), page->refusal().detail());
      return true;
    }
    if (!on_page(*page) || page->next().empty()) return true;
    ask.set_after(page->next());
    ask.clear_reason();  // it has been opened
    sessions.Ask(ask);
    return false;
  };
  const absl::Status status =
      Follow(&sessions, absl::Now() + timeout, enough, [](const absl::Status&) {});
  return status.ok() ? refused : status;
}

void Syncer::Run(const std::function<void(const absl::Status&)>& on_change) {
  Sessions sessions(&store_, {});
  (void)Follow(
      &sessions, absl::InfiniteFuture(), [] { return false; }, on_change);
}

}  // namespace zhibu::client
