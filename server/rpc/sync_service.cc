#include <memory>
#include <utility>

#include "server/rpc/services.h"
#include "sync/reason.h"
#include "zhibu/sync/v1/sync.grpc.pb.h"

namespace zhibu::server {
namespace {

using grpc::ByteBuffer;

// One stream. Everything it hears it hands to its connection, which says what to
// do next, one thing of each kind at a time; it ends in OnDone.
//
// Frames are taken as bytes and parsed here, so that one that is no message gets
// an answer in words.
class Stream final : public grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>, public Transport {
 public:
  Stream(Hub* hub, grpc::CallbackServerContext* context)
      : context_(*context), connection_(hub->Connect(this)) {
    connection_->Start();
  }

  // ---- Transport
  void Read() override { StartRead(&in_); }
  void Write(sync::v1::ServerFrame frame) override {
    bool own_buffer = false;
    out_.Clear();
    grpc::GenericSerialize<grpc::ProtoBufferWriter, sync::v1::ServerFrame>(frame, &out_,
                                                                           &own_buffer);
    StartWrite(&out_);
  }
  void Cancel() override { context_.TryCancel(); }
  void Finish() override { ServerBidiReactor::Finish(grpc::Status::OK); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return connection_->OnGone();
    sync::v1::ClientFrame frame;
    const grpc::Status parsed =
        grpc::GenericDeserialize<grpc::ProtoBufferReader, sync::v1::ClientFrame>(&in_, &frame);
    if (parsed.ok()) {
      connection_->OnFrame(std::move(frame));
    } else {
      connection_->OnGarbage("frame");
    }
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      connection_->OnWritten();
    } else {
      connection_->OnGone();
    }
  }
  void OnCancel() override { connection_->OnGone(); }
  void OnDone() override { delete this; }

  grpc::CallbackServerContext& context_;
  const std::shared_ptr<Connection> connection_;
  ByteBuffer in_;
  ByteBuffer out_;
};

grpc::Status ToGrpc(const absl::Status& status) {
  const Refused refused = ReasonOf(status);
  std::string details;
  if (refused.reason != sync::v1::NO_REASON) {
    sync::v1::Refusal refusal;
    refusal.set_reason(refused.reason);
    refusal.set_detail(refused.detail);
    details = refusal.SerializeAsString();
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      details);
}

using Base = sync::v1::Sync::WithRawCallbackMethod_Connect<sync::v1::Sync::Service>;

class SyncService final : public Base {
 public:
  SyncService(Hub* hub, Admin* admin) : hub_(hub), admin_(admin) {}

  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* Connect(
      grpc::CallbackServerContext* context) override {
    return new Stream(hub_, context);
  }

  grpc::Status Enrol(grpc::ServerContext* /*context*/, const sync::v1::EnrolRequest* request,
                     sync::v1::EnrolReply* reply) override {
    absl::StatusOr<sync::v1::EnrolReply> enrolled = admin_->EnrolDevice(*request);
    if (!enrolled.ok()) return ToGrpc(enrolled.status());
    *reply = *std::move(enrolled);
    return grpc::Status::OK;
  }

  grpc::Status Deliver(grpc::ServerContext* /*context*/, const sync::v1::DeliverRequest* request,
                       sync::v1::DeliverReply* reply) override {
    absl::StatusOr<sync::v1::DeliverReply> delivered = hub_->Deliver(request->bundle());
    if (!delivered.ok()) return ToGrpc(delivered.status());
    *reply = *std::move(delivered);
    return grpc::Status::OK;
  }

 private:
  Hub* const hub_;
  Admin* const admin_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSyncService(Hub* hub, Admin* admin) {
  return std::make_unique<SyncService>(hub, admin);
}

}  // namespace zhibu::server
