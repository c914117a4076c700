// A device sends what it has recorded offline, each edit acknowledged once it is
// durable, against a raw stream of the same frames whose receiver inserts the
// same edits, one durable transaction to a frame, and acknowledges it.
#include <grpcpp/grpcpp.h>

#include <deque>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client-core/session.h"
#include "client-core/transport/syncer.h"
#include "tests/bench/floor.h"
#include "tests/bench/report.h"
#include "tests/bench/site.h"
#include "tests/support/unpacked.h"
#include "zhibu/sync/v1/sync.grpc.pb.h"

namespace zhibu::bench {
namespace {

using records::v1::Contact;
using sync::v1::ClientFrame;
using sync::v1::ServerFrame;

enum class How {
  kSyncer,    // frames as the app's transport makes them
  kFrames,    // frames of kBatch edits, one behind the other
  kOneByOne,  // frames of kBatch edits, each answered before the next leaves
};
constexpr int kBatch = 20;

// A session whose pushes are cut into frames of kBatch edits. Production code but
// for that: store, session, gRPC stream, a thread that listens.
class SmallFrames {
 public:
  SmallFrames(client::Store* store, const Tls& tls, bool one_by_one)
      : session_(store), one_by_one_(one_by_one) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetSslTargetNameOverride("zhibu");
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = sync::v1::Sync::NewStub(grpc::CreateCustomChannel(
        Must(store->GetIdentity(), "identity").address,
        grpc::SslCredentials({.pem_root_certs = tls.certificate_pem}), arguments));
    stream_ = stub_->Connect(&context_);
    listener_ = std::thread([this] { Listen(); });
  }
  ~SmallFrames() {
    context_.TryCancel();
    listener_.join();
  }

  void Run(uint64_t edits) {
    Check(session_.Start(), "push");
    while (answered_ < edits || !session_.caught_up()) {
      Check(!session_.closed(), session_.status().ToString());
      Send();
      Receive();
    }
  }

 private:
  void Listen() {
    ServerFrame frame;
    while (stream_->Read(&frame)) {
      absl::MutexLock lock(&mutex_);
      received_.push_back(std::move(frame));
      frame.Clear();
    }
    absl::MutexLock lock(&mutex_);
    ended_ = true;
  }

  void Send() {
    while (true) {
      if (waiting_.empty()) {
        ClientFrame sent;
        if (!session_.Next(&sent)) return;
        ClientFrame frame = test::Unpacked(sent);
        if (!frame.has_push()) {
          Check(stream_->Write(frame), "push: the stream has broken");
          continue;
        }
        auto* edits = frame.mutable_push()->mutable_edits();
        waiting_.insert(waiting_.end(), std::make_move_iterator(edits->begin()),
                        std::make_move_iterator(edits->end()));
      }
      if (one_by_one_ && answered_ < sent_) return;
      ClientFrame small;
      for (int i = 0; i < kBatch && !waiting_.empty(); ++i, ++sent_) {
        *small.mutable_push()->add_edits() = std::move(waiting_.front());
        waiting_.pop_front();
      }
      CompressFrame(compressor_, &small);
      Check(stream_->Write(small), "push: the stream has broken");
    }
  }

  void Receive() {
    std::deque<ServerFrame> received;
    {
      absl::MutexLock lock(&mutex_);
      const auto something = [this] { return ended_ || !received_.empty(); };
      mutex_.Await(absl::Condition(&something));
      Check(!received_.empty(), "push: the server has hung up");
      received.swap(received_);
    }
    for (const ServerFrame& frame : received) {
      answered_ += static_cast<uint64_t>(test::Unpacked(frame).update().answers_size());
      session_.OnFrame(frame);
    }
  }

  client::Session session_;
  Compressor compressor_;
  const bool one_by_one_;
  grpc::ClientContext context_;
  std::unique_ptr<sync::v1::Sync::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<ClientFrame, ServerFrame>> stream_;
  std::thread listener_;
  std::deque<sync::v1::NumberedEdit> waiting_;
  uint64_t sent_ = 0;
  uint64_t answered_ = 0;
  absl::Mutex mutex_;
  std::deque<ServerFrame> received_;
  bool ended_ = false;
};

class Scene {
 public:
  Scene(const Options& options, How how)
      : edits_(options.quick ? 200 : 5000),
        how_(how),
        site_(absl::StrCat(options.folder, "/push", static_cast<int>(how))) {
    site_.Start();
    const std::string file = Prepare();
    const auto store = OpenDevice(file);
    CutFrames(*store);
  }

  int edits() const { return edits_; }
  size_t frames() const { return frames_.size(); }
  double wire_bytes() const { return static_cast<double>(wire_bytes_); }
  double edit_bytes() const { return static_cast<double>(edit_bytes_); }

  double Subject() {
    const auto store = OpenDevice(Prepare());
    const Stopwatch watch;
    if (how_ == How::kSyncer) {
      client::Syncer syncer(store.get());
      Check(syncer.SyncOnce(absl::Minutes(5)), "push");
    } else {
      SmallFrames(store.get(), site_.tls(), how_ == How::kOneByOne).Run(edits_);
    }
    const double seconds = watch.seconds();
    const client::SyncState state = Must(store->State(), "state");
    Check(state.unsent == 0 && state.set_aside == 0, "not every edit was acknowledged");
    Check(site_.MergedEdits(Must(store->GetIdentity(), "identity").device) ==
              static_cast<uint64_t>(edits_),
          "the server has not taken every edit");
    return seconds;
  }

  double Floor() {
    RawTable table(site_.Name("floor"), RawTable::Layout::kAppend);
    const double seconds = RawPush(site_.tls(), frames_, how_ == How::kOneByOne,
                                   [&](size_t i) { table.Insert(rows_[i]); });
    Check(table.Count() == static_cast<uint64_t>(edits_), "the floor lost rows");
    return seconds;
  }

 private:
  // The file of a device that has synced and then been offline.
  std::string Prepare() {
    // Written in memory, because it is not what is measured.
    const std::string draft = absl::StrCat("/dev/shm/zhibu-bench-", getpid(), ".db");
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(draft + part);
    {
      const auto store = site_.Enrol(draft);
      client::Syncer syncer(store.get());
      Check(syncer.SyncOnce(absl::Minutes(5)), "prepare");
      const Id member = Must(store->GetIdentity(), "identity").person;
      for (int i = 0; i < edits_; ++i) {
        client::Draft contact = store->New<Contact>();
        contact.message<Contact>() = MakeContact(site_.branch(), member, i);
        Check(store->Commit({&contact}).status(), "prepare");
      }
    }
    const std::string file = site_.Name("device");
    std::filesystem::copy_file(draft, file);
    std::filesystem::remove(draft);
    return file;
  }

  void CutFrames(client::Store& store) {
    Compressor compressor;
    EditNumber after;
    while (true) {
      const auto edits =
          Must(store.Pending(after, how_ == How::kSyncer ? 64 << 10 : 1 << 20), "pending");
      if (edits.empty()) break;
      after = EditNumber(edits.back().number());
      const size_t step = how_ == How::kSyncer ? edits.size() : kBatch;
      for (size_t at = 0; at < edits.size(); at += step) {
        ClientFrame frame;
        auto& rows = rows_.emplace_back();
        for (size_t i = at; i < std::min(at + step, edits.size()); ++i) {
          *frame.mutable_push()->add_edits() = edits[i];
          rows.push_back({0, "", edits[i].edit()});
          edit_bytes_ += edits[i].edit().size();
        }
        CompressFrame(compressor, &frame);
        frames_.push_back(frame.SerializeAsString());
        wire_bytes_ += frames_.back().size();
      }
    }
  }

  const int edits_;
  const How how_;
  Site site_;
  std::vector<std::string> frames_;
  std::vector<std::vector<RawTable::Row>> rows_;
  uint64_t wire_bytes_ = 0;
  uint64_t edit_bytes_ = 0;
};

void Measure(const Options& options, How how, const std::string& name, Report* report) {
  Scene scene(options, how);
  const Times times = Alternate(
      options.rounds, [&] { return scene.Floor(); }, [&] { return scene.Subject(); });
  report->AddRatio(name, Aim{true, 0.5}, times, scene.edits(), "edits",
                   absl::StrCat(scene.edits() / scene.frames(), " to a frame"));
  report->AddValue(
      absl::StrCat(name, ".bytes/edit"), std::nullopt, scene.wire_bytes() / scene.edits(),
      absl::StrCat("frames; the edits themselves ", scene.edit_bytes() / scene.edits()));
}

}  // namespace

void MeasurePush(const Options& options, Report* report) {
  Measure(options, How::kFrames, "push.batches_of_20", report);
  Measure(options, How::kOneByOne, "push.batches_of_20_one_by_one", report);
  Measure(options, How::kSyncer, "push.as_it_is", report);
}

}  // namespace zhibu::bench
