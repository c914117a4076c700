#include <memory>
#include <utility>

#include "server/rpc/services.h"
#include "sync/base/reason.h"
#include "sync/base/refusal.h"
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
  Stream(Hub* hub, Doors* doors, grpc::CallbackServerContext* context)
      : context_(*context),
        doors_(*doors),
        peer_(PeerOf(context->peer())),
        connection_(hub->Connect(this)) {
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
  void Proved() override {
    proved_ = true;
    doors_.Prove(peer_);
  }
  void Finish() override {
    if (proved_) doors_.Leave(peer_);
    ServerBidiReactor::Finish(grpc::Status::OK);
  }

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
  Doors& doors_;
  const Peer peer_;
  bool proved_ = false;
  const std::shared_ptr<Connection> connection_;
  ByteBuffer in_;
  ByteBuffer out_;
};

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      RefusalOf(status).SerializeAsString());
}

using Base = sync::v1::Sync::WithRawCallbackMethod_Connect<sync::v1::Sync::Service>;

class SyncService final : public Base {
 public:
  SyncService(Hub* hub, Admin* admin, Doors* doors) : hub_(hub), admin_(admin), doors_(doors) {}

  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* Connect(
      grpc::CallbackServerContext* context) override {
    return new Stream(hub_, doors_, context);
  }

  grpc::Status Enrol(grpc::ServerContext* context, const sync::v1::EnrolRequest* request,
                     sync::v1::EnrolReply* reply) override {
    const std::string address = PeerOf(context->peer()).address;
    if (const auto may = hub_->MayTryCode(address); !may.ok()) return ToGrpc(may);
    absl::StatusOr<sync::v1::EnrolReply> enrolled = admin_->EnrolDevice(*request);
    if (ReasonOf(enrolled.status()).reason == sync::v1::BAD_CODE) hub_->WrongCode(address);
    if (!enrolled.ok()) return ToGrpc(enrolled.status());
    *reply = *std::move(enrolled);
    return grpc::Status::OK;
  }

  grpc::Status Deliver(grpc::ServerContext* context, const sync::v1::DeliverRequest* request,
                       sync::v1::DeliverReply* reply) override {
    absl::StatusOr<sync::v1::DeliverReply> delivered =
        hub_->Deliver(request->bundle(), PeerOf(context->peer()).address);
    if (!delivered.ok()) return ToGrpc(delivered.status());
    *reply = *std::move(delivered);
    return grpc::Status::OK;
  }

 private:
  Hub* const hub_;
  Admin* const admin_;
  Doors* const doors_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSyncService(Hub* hub, Admin* admin, Doors* doors) {
  return std::make_unique<SyncService>(hub, admin, doors);
}

}  // namespace zhibu::server
