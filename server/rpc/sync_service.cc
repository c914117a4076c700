#include <memory>
#include <utility>

#include "server/rpc/services.h"
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
        observer_(hub->observer()),
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
    observer_.OnEntered(Entrance::kGrpcStream);
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
  Observer& observer_;
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
  SyncService(Hub* hub, Calls* calls, Doors* doors) : hub_(hub), calls_(calls), doors_(doors) {}

  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* Connect(
      grpc::CallbackServerContext* context) override {
    return new Stream(hub_, doors_, context);
  }

  grpc::Status Enrol(grpc::ServerContext* context, const sync::v1::EnrolRequest* request,
                     sync::v1::EnrolReply* reply) override {
    return Answer(calls_->Enrol(*request, PeerOf(context->peer()).address), reply);
  }

  grpc::Status Deliver(grpc::ServerContext* context, const sync::v1::DeliverRequest* request,
                       sync::v1::DeliverReply* reply) override {
    return Answer(calls_->Deliver(*request, PeerOf(context->peer()).address), reply);
  }

 private:
  template <typename Reply>
  grpc::Status Answer(absl::StatusOr<Reply> answered, Reply* reply) {
    hub_->observer().OnEntered(Entrance::kGrpcCall);
    if (!answered.ok()) return ToGrpc(answered.status());
    *reply = *std::move(answered);
    return grpc::Status::OK;
  }

  Hub* const hub_;
  Calls* const calls_;
  Doors* const doors_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSyncService(Hub* hub, Calls* calls, Doors* doors) {
  return std::make_unique<SyncService>(hub, calls, doors);
}

}  // namespace zhibu::server
