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
#include "client-core/session.h"
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
constexpr absl::Duration kRetryMin = absl::Milliseconds(500);
constexpr absl::Duration kRetryMax = absl::Minutes(1);

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

absl::Status Offline() { return Refuse(sync::v1::OFFLINE, ""); }
absl::Status Stopped() { return absl::CancelledError("stopped"); }

absl::Status Way::Told(const grpc::Status& status) const {
  if (*met_other) return Refuse(sync::v1::OTHER_SERVER, "");
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return absl::OkStatus();
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
      return Offline();
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return Refuse(sync::v1::LIMIT_REACHED, status.error_message());
    default:
      break;
  }
  sync::v1::Refusal refusal;
  if (!status.error_details().empty() && refusal.ParseFromString(status.error_details())) {
    return Refuse(refusal.reason(), refusal.detail());
  }
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace

absl::Status Enrol(Store* store, absl::string_view text, absl::string_view device_name,
                   absl::Duration timeout) {
  // With the key that it has, if the server has forgotten it or wants to know again
  // whose it is: copies of it that enrol again must be known for what they are.
  const absl::StatusOr<Identity> known = store->GetIdentity();
  ASSIGN_OR_RETURN(const SyncState state, store->State());
  const bool same_key = known.ok() && state.problem != sync::v1::DEVICE_REVOKED;
  const bool again =
      state.problem == sync::v1::UNKNOWN_DEVICE || state.problem == sync::v1::REAUTHENTICATE ||
      state.problem == sync::v1::OTHER_SERVER || state.problem == sync::v1::OFFLINE ||
      (state.problem == sync::v1::DEVICE_REVOKED && state.unsent == 0);
  if (known.ok() && !again) {
    return Refuse(sync::v1::ALREADY_HERE,
                  InBoth("这台设备的登记。要给别人用，请另用一个文件夹（--home）登记",
                         "this device's enrolment; for somebody else use another folder (--home)"));
  }
  ASSIGN_OR_RETURN(const EnrolmentTicket ticket, EnrolmentTicket::FromText(text));
  const bool same_certificate = known.ok() && known->fingerprint == ticket.fingerprint;
  // A server that cannot be reached is one that has moved only if it is said to be elsewhere.
  const bool moved = state.problem == sync::v1::OTHER_SERVER || state.problem == sync::v1::OFFLINE;
  if (moved && same_certificate && known->address == ticket.address) {
    return Refuse(sync::v1::ALREADY_HERE,
                  InBoth("这台设备的登记。要给别人用，请另用一个文件夹（--home）登记",
                         "this device's enrolment; for somebody else use another folder (--home)"));
  }
  const std::string secret_key =
      same_key ? known->secret_key : NewKeyPair(store->environment()).secret_key;
  const Way way = WayTo(ticket.address, ticket.fingerprint);
  const auto stub = sync::v1::Sync::NewStub(way.channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  sync::v1::EnrolRequest request;
  request.set_code(ticket.code);
  request.set_public_key(PublicKeyOf(secret_key));
  request.set_device_name(std::string(device_name));
  if (same_key) request.set_device(known->device.value);
  sync::v1::EnrolReply reply;
  RETURN_IF_ERROR(way.Told(stub->Enrol(&context, request, &reply)));
  const auto person = Id::FromBytes(reply.person_id());
  if (!person) return Refuse(sync::v1::PROTOCOL_ERROR, "person");
  // What was recorded for one server goes to no other, whoever has handed out the code.
  const bool proves = same_certificate ||
                      (known.ok() && VerifyEnrolment(known->courier_key, PublicKeyOf(secret_key),
                                                     ticket.fingerprint, reply.signature()));
  if (same_key && (!proves || known->server_id != reply.server_id())) {
    return Refuse(sync::v1::OTHER_SERVER, "");
  }
  return store->SetIdentity({DeviceNumber(reply.device()), *person, reply.server_id(),
                             ticket.address, ticket.fingerprint, secret_key, reply.incarnation(),
                             reply.courier_key()});
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
  Stream(Shared* shared, const Identity& identity, const SyncerOptions& options,
         absl::Time deadline)
      : shared_(*shared),
        way_(WayTo(identity.address, identity.fingerprint, options)),
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

  // All that the session has to say.
  void WriteAll(Session* session) {
    ClientFrame frame;
    while (session->Next(&frame) && stream_->Write(frame)) {
    }
  }

  // Call once the stream has ended.
  absl::Status Finish() {
    listener_.join();
    const absl::Status status = way_.Told(stream_->Finish());
    return status.ok() ? Offline() : status;  // the server stops
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

void Syncer::Rest(absl::Time deadline, const absl::StatusOr<int64_t>& commits) {
  while (!shared_->Wait(std::min(deadline, absl::Now() + options_.look))) {
    if (absl::Now() >= deadline) return;
    const auto now = store_.CommitsOfOthers();
    if (!commits.ok() || !now.ok() || *now != *commits) return;
  }
}

absl::Status Syncer::Attempt(absl::Time deadline, absl::FunctionRef<bool(Session&)> enough,
                             const std::function<void(const absl::Status&)>& on_change) {
  for (size_t tried = 1;; ++tried) {
    absl::Status status = AttemptThere(deadline, enough, on_change);
    const sync::v1::Reason reason = ReasonOf(status).reason;
    const bool found = reason != sync::v1::OFFLINE && reason != sync::v1::OTHER_SERVER;
    if (found || absl::Now() >= deadline) return status;
    ASSIGN_OR_RETURN(const size_t addresses, store_.LookElsewhere());
    if (tried >= addresses) return status;
  }
}

absl::Status Syncer::AttemptThere(absl::Time deadline, absl::FunctionRef<bool(Session&)> enough,
                                  const std::function<void(const absl::Status&)>& on_change) {
  ASSIGN_OR_RETURN(const Identity identity, store_.GetIdentity());
  Session session(&store_);
  RETURN_IF_ERROR(session.Start());
  {
    absl::MutexLock lock(&shared_->mutex);
    shared_->received.clear();
    shared_->ended = false;
  }
  const auto subscription = store_.Subscribe([shared = shared_](const Changes&) {
    absl::MutexLock lock(&shared->mutex);
    shared->committed = true;
  });
  Stream stream(shared_.get(), identity, options_, deadline);
  bool in_step = false;
  while (true) {
    const auto commits = store_.CommitsOfOthers();
    stream.WriteAll(&session);
    if (session.closed()) {
      return session.again() ? absl::AbortedError("again") : session.status();
    }
    const bool was_in_step = std::exchange(in_step, session.caught_up());
    if (enough(session)) return absl::OkStatus();
    if (in_step && !was_in_step) {
      RETURN_IF_ERROR(store_.EndAttempt(absl::OkStatus()));
      on_change(absl::OkStatus());
    }
    stream.WriteAll(&session);  // what it asks for, now that something has come
    Rest(deadline, commits);
    std::deque<ServerFrame> received;
    bool ended = false;
    {
      absl::MutexLock lock(&shared_->mutex);
      if (shared_->stopped) return Stopped();
      received.swap(shared_->received);
      ended = shared_->ended && received.empty();
    }
    for (const ServerFrame& one : received) session.OnFrame(one);
    if (session.closed()) continue;
    if (ended) return stream.Finish();
    if (absl::Now() >= deadline) return Offline();
  }
}

absl::Status Syncer::SyncOnce(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  absl::Status status;
  do {
    status = Attempt(
        deadline, [](const Session& session) { return session.caught_up(); },
        [](const absl::Status&) {});
  } while (absl::IsAborted(status));
  if (absl::IsCancelled(status)) return status;
  RETURN_IF_ERROR(store_.EndAttempt(status));
  return status;
}

absl::Status Syncer::Ask(sync::v1::Ask ask, absl::FunctionRef<bool(const sync::v1::Page&)> on_page,
                         absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  absl::Status refused;
  bool asked = false;
  const auto enough = [&](Session& session) {
    if (!std::exchange(asked, true)) session.Ask(ask);
    const auto page = session.TakePage();
    if (!page) return false;
    if (page->has_refusal()) {
      refused = Refuse(page->refusal().reason(), page->refusal().detail());
      return true;
    }
    if (!on_page(*page) || page->next().empty()) return true;
    ask.set_after(page->next());
    ask.clear_reason();  // it has been opened
    session.Ask(ask);
    return false;
  };
  absl::Status status;
  do {
    asked = false;
    status = Attempt(deadline, enough, [](const absl::Status&) {});
  } while (absl::IsAborted(status));
  return status.ok() ? refused : status;
}

void Syncer::Run(const std::function<void(const absl::Status&)>& on_change) {
  absl::Duration pause = kRetryMin;
  while (true) {
    const absl::Time began = absl::Now();
    const absl::Status status = Attempt(
        absl::InfiniteFuture(), [](const Session&) { return false; }, on_change);
    if (absl::IsCancelled(status)) return;
    if (absl::IsAborted(status)) continue;
    if (const auto noted = store_.EndAttempt(status); !noted.ok()) on_change(noted);
    on_change(status);
    // A link that held for a while is tried again at once.
    pause = absl::Now() - began > kRetryMax ? kRetryMin : std::min(pause * 2, kRetryMax);
    absl::MutexLock lock(&shared_->mutex);
    shared_->mutex.AwaitWithTimeout(absl::Condition(&shared_->stopped), pause);
    if (shared_->stopped) return;
  }
}

}  // namespace zhibu::client
