#include "tests/e2e/hostile.h"

#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/environment.h"
#include "tests/e2e/process.h"
#include "tests/e2e/web.h"

namespace zhibu::e2e {

using grpc::ByteBuffer;
using sync::v1::ClientFrame;
using sync::v1::ServerFrame;

namespace {

class GrpcStream final : public HostileStream {
 public:
  GrpcStream(const std::shared_ptr<grpc::Channel>& channel,
             const std::function<void(grpc::ClientContext*)>& prepare) {
    context_.set_deadline(std::chrono::system_clock::now() + kPatience);
    prepare(&context_);
    // Bytes instead of messages: what is sent need not be one.
    static const grpc::internal::RpcMethod kConnect("/zhibu.sync.v1.Sync/Connect",
                                                    grpc::internal::RpcMethod::BIDI_STREAMING);
    stream_.reset(grpc::internal::ClientReaderWriterFactory<ByteBuffer, ByteBuffer>::Create(
        channel.get(), kConnect, &context_));
  }
  ~GrpcStream() override {
    context_.TryCancel();
    GrpcStream::End();
  }

  bool SendBytes(const std::string& bytes) override {
    const grpc::Slice slice(bytes);
    return stream_->Write(ByteBuffer(&slice, 1));
  }
  grpc::Status End() override {
    if (std::exchange(ended_, true)) return grpc::Status::OK;
    ByteBuffer rest;
    while (stream_->Read(&rest)) continue;
    return stream_->Finish();
  }

 protected:
  bool ReadBytes(std::string* bytes) override {
    ByteBuffer buffer;
    grpc::Slice slice;
    if (!stream_->Read(&buffer) || !buffer.DumpToSingleSlice(&slice).ok()) return false;
    bytes->assign(reinterpret_cast<const char*>(slice.begin()), slice.size());
    return true;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<ByteBuffer, ByteBuffer>> stream_;
  bool ended_ = false;
};

}  // namespace

sync::v1::Hello HelloOf(const Self& self) {
  sync::v1::Hello hello;
  hello.set_protocol(kProtocolVersion);
  hello.set_device(self.device);
  hello.set_server_id(self.server_id);
  hello.set_incarnation(self.incarnation);
  return hello;
}

sync::v1::NumberedEdit Edits::Next(std::string bytes) {
  sync::v1::NumberedEdit edit;
  edit.set_number(++number_);
  edit.set_stamp(StampAt(SystemEnvironment().now_ms()).value);
  edit.set_previous(std::exchange(link_, LinkTo(bytes)));
  edit.set_edit(std::move(bytes));
  return edit;
}

void AllowManyFiles() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 8192);
  setrlimit(RLIMIT_NOFILE, &limit);
}

ClientFrame PushOf(const std::vector<sync::v1::NumberedEdit>& edits) {
  ClientFrame frame;
  frame.mutable_push()->mutable_edits()->Add(edits.begin(), edits.end());
  return frame;
}

bool HostileStream::Say(const sync::v1::Hello& hello) {
  ClientFrame frame;
  frame.set_hello(hello.SerializeAsString());
  return Send(frame);
}

bool HostileStream::Prove(const std::string& signature) {
  ClientFrame frame;
  frame.mutable_proof()->set_signature(signature);
  return Send(frame);
}

ServerFrame HostileStream::Read() {
  ServerFrame frame;
  std::string bytes;
  if (ReadBytes(&bytes)) {
    EXPECT_TRUE(frame.ParseFromString(bytes));
  }
  return frame;
}

sync::v1::Welcome HostileStream::Open(const Self& self) { return Open(self, HelloOf(self)); }

sync::v1::Welcome HostileStream::Open(const Self& self, const sync::v1::Hello& hello) {
  Say(hello);
  const ServerFrame challenge = Read();
  Prove(SignProof(self.keys.secret_key, challenge.challenge().nonce(), self.fingerprint,
                  hello.SerializeAsString()));
  const ServerFrame welcome = Read();
  EXPECT_TRUE(welcome.has_welcome()) << welcome.ShortDebugString();
  return welcome.welcome();
}

std::vector<std::string> HostileStream::Answers(size_t count) {
  std::vector<std::string> answers;
  while (answers.size() < count) {
    const ServerFrame frame = Read();
    if (!frame.has_update()) {
      ADD_FAILURE() << "no update: " << frame.ShortDebugString();
      break;
    }
    for (const auto& answer : frame.update().answers()) {
      answers.push_back(absl::StrCat(
          answer.number(), " ", sync::v1::Verdict_Name(answer.verdict()),
          answer.reason() == 0 ? "" : absl::StrCat(" ", sync::v1::Reason_Name(answer.reason()))));
    }
  }
  return answers;
}

std::string HostileStream::Refused() {
  while (true) {
    const ServerFrame frame = Read();
    if (frame.has_refusal()) return sync::v1::Reason_Name(frame.refusal().reason());
    if (frame.frame_case() != ServerFrame::FRAME_NOT_SET) continue;
    const grpc::Status status = End();
    return absl::StrCat("status ", status.error_code(), " ", status.error_message());
  }
}

Hostile::Hostile(int port, Way way) : web_port_(port) {
  if (way == Way::kWeb) return;
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  grpc::ChannelArguments own;
  own.SetMaxReceiveMessageSize(-1);
  own.SetMaxSendMessageSize(-1);
  own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  own.SetSslTargetNameOverride("zhibu");
  channel_ = grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port),
                                       grpc::experimental::TlsCredentials(options), own);
}

Self Hostile::Enrol(const std::string& ticket, const std::string& name) {
  Self self;
  self.keys = NewKeyPair(SystemEnvironment());
  sync::v1::EnrolRequest request;
  const auto given = EnrolmentTicket::FromText(ticket);
  request.set_code(given->code);
  request.set_public_key(self.keys.public_key);
  request.set_device_name(name);
  sync::v1::EnrolReply reply;
  const grpc::Status status = TryToEnrol(request, &reply);
  EXPECT_TRUE(status.ok()) << status.error_message();
  self.device = reply.device();
  self.person = reply.person_id();
  self.server_id = reply.server_id();
  self.incarnation = reply.incarnation();
  self.fingerprint = given->fingerprint;
  return self;
}

grpc::Status Hostile::TryToEnrol(const sync::v1::EnrolRequest& request,
                                 sync::v1::EnrolReply* reply) {
  if (channel_ == nullptr) {
    const HttpReply told = WebConnection(web_port_).Post(kEnrolPath, request.SerializeAsString());
    reply->ParseFromString(told.status == 200 ? told.body : "");
    return StatusOf(told);
  }
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  return sync::v1::Sync::NewStub(channel_)->Enrol(&context, request, reply);
}

grpc::Status Hostile::Deliver(const std::string& bundle) {
  sync::v1::DeliverRequest request;
  request.set_bundle(bundle);
  if (channel_ == nullptr) {
    return StatusOf(WebConnection(web_port_).Post(kDeliverPath, request.SerializeAsString()));
  }
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  sync::v1::DeliverReply reply;
  return sync::v1::Sync::NewStub(channel_)->Deliver(&context, request, &reply);
}

std::unique_ptr<HostileStream> Hostile::Connect() {
  if (channel_ == nullptr) return std::make_unique<WebStream>(web_port_);
  return Connect([](grpc::ClientContext*) {});
}

std::unique_ptr<HostileStream> Hostile::Connect(
    const std::function<void(grpc::ClientContext*)>& prepare) {
  return std::make_unique<GrpcStream>(channel_, prepare);
}

}  // namespace zhibu::e2e
