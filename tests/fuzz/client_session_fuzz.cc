// A server that says whatever it likes, after a handshake as it should be, to a device whose
// owner goes on working. What must hold: the device goes on; no edit of its owner's is
// lost but by an answer to it; and what it shows is what it shows when started again.
#include "sync/base/reason.h"
#include "sync/crypto/handshake.h"
#include "tests/fuzz/site.h"

namespace zhibu::test {
namespace {

using google::protobuf::Message;
using sync::v1::ServerFrame;
using sync::v1::Update;

class Impostor {
 public:
  Impostor(Site* site, Choices* in) : site_(*site), phone_(site->zhangs), in_(*in) { Connect(); }

  void Act() {
    switch (in_.Below(8)) {
      case 0:
        return SayAnything();
      case 1:
        return Work();
      case 2:
        return Listen();
      case 3:
        return SayOutOfTurn();
      case 4:
        return Connect();
      default:
        return SayUpdate();
    }
  }

 private:
  void Connect() {
    stream_.reset();
    stream_ = std::make_unique<Stream>(&site_.world, &phone_);
    // The whole handshake and what follows, or as far as the story says.
    for (uint32_t frames = in_.Byte(); frames != 1 && stream_->Step(); --frames) continue;
  }

  void Say(const ServerFrame& frame) {
    const uint64_t before = phone_.State().unsent;
    ServerFrame sent = frame;
    if (++said_ % 2 == 0 && !frame.has_compressed()) CompressFrame(compressor_, &sent);
    const auto read =
        DecompressFrame<ServerFrame>(compressor_, frame.compressed(), size_t{8} << 20);
    const int answers = (read.ok() ? *read : frame).update().answers_size();
    stream_->client().OnFrame(sent);
    // An edit goes only where it is answered.
    EXPECT_GE(phone_.State().unsent + static_cast<uint64_t>(answers), before);
  }

  void SayAnything() {
    ServerFrame frame;
    if (frame.ParseFromString(std::string(in_.Bytes()))) Say(frame);
  }

  void SayOutOfTurn() {
    ServerFrame frame;
    switch (in_.Below(5)) {
      case 0:
        frame.mutable_challenge()->set_nonce(std::string(in_.Bytes()));
        frame.mutable_challenge()->set_server_time_ms(static_cast<int64_t>(in_.Number()));
        break;
      case 1:
        frame.mutable_welcome()->set_to_pass(in_.Number());
        frame.mutable_welcome()->set_safe(in_.Number());
        break;
      case 2:
        frame.mutable_renumber()->set_device(static_cast<uint32_t>(in_.Number()));
        break;
      case 3:
        frame.mutable_restored()->set_incarnation(in_.Text());
        break;
      default:
        frame.mutable_refusal()->set_reason(static_cast<sync::v1::Reason>(in_.Number()));
        frame.mutable_refusal()->set_detail(in_.Text());
    }
    Say(frame);
  }

  void SayUpdate() {
    ServerFrame frame;
    Update& update = *frame.mutable_update();
    for (uint32_t n = in_.Below(3); n > 0; --n) AddGroup(&update);
    for (uint32_t n = in_.Below(2); n > 0; --n) {
      auto& removal = *update.add_removals();
      removal.set_type(AType().number);
      removal.set_ids(in_.AnId().str());
    }
    const auto pending = phone_.store().Pending(EditNumber(0), 1 << 20);
    for (uint32_t n = in_.Below(3); n > 0 && pending.ok() && !pending->empty(); --n) {
      const auto& edit = (*pending)[in_.Below(static_cast<uint32_t>(pending->size()))];
      auto& answer = *update.add_answers();
      answer.set_number(edit.number());
      answer.set_link(in_.Below(4) == 3 ? in_.Number() : LinkTo(edit.edit()));
      answer.set_verdict(static_cast<sync::v1::Verdict>(in_.Number()));
      answer.set_reason(static_cast<sync::v1::Reason>(in_.Number()));
      answer.set_detail(in_.Text());
      if (answer.number() % 2 == 0) answer.set_as_made_at(answer.link());
    }
    for (uint32_t n = in_.Below(3); n > 0; --n) {
      auto& cursor = *update.add_cursors();
      cursor.set_scope(in_.AnId().str());
      cursor.set_version(in_.Number());
      cursor.set_audience(static_cast<uint32_t>(in_.Number()));
    }
    if (in_.Below(4) == 3) update.add_dropped(in_.Coin() ? in_.AnId().str() : in_.Text());
    // Its answers would be taken with the frame that ends it.
    update.set_continues(update.answers().empty() && in_.Below(4) == 3);
    update.set_catching_up(in_.Coin());
    update.set_passed(in_.Number());
    Say(frame);
  }

  void AddGroup(Update* update) {
    auto& group = *update->add_groups();
    const RecordType& type = AType();
    group.set_type(type.number);
    group.set_version(in_.Number());
    group.set_writer(static_cast<uint32_t>(in_.Number()));
    group.set_stamp(in_.Number());
    const bool traced = in_.Coin();
    for (uint32_t n = 1 + in_.Below(2); n > 0; --n) {
      group.mutable_ids()->append(in_.AnId().str());
      group.add_bodies(in_.Body(type));
      if (traced) group.add_traces(std::string(in_.Bytes()));
    }
  }

  void Work() {
    const RecordType& type = AType();
    client::Draft draft = phone_.store().New(type);
    if (in_.Coin()) {
      auto known = phone_.store().Edit(type, in_.AnId());
      if (known.ok()) draft = *std::move(known);
    }
    if (in_.Below(8) == 7) {
      draft.Delete();
    } else {
      in_.Fill(&draft.message());
    }
    const uint64_t before = phone_.State().unsent;
    const auto number = phone_.store().Commit({&draft});
    const bool written = number.ok() && number->value != 0;
    EXPECT_EQ(phone_.State().unsent, before + (written ? 1 : 0)) << number.status();
  }

  // To the true server, or nobody.
  void Listen() {
    if (in_.Coin()) {
      stream_->StepClient();
    } else {
      stream_->Lose();
    }
  }

  const RecordType& AType() { return in_.Type(phone_.store().schema()); }

  Site& site_;
  Phone& phone_;
  Choices& in_;
  Compressor compressor_;
  int said_ = 0;
  std::unique_ptr<Stream> stream_;
};

// As the app sees it; a type of which the server has sent something unreadable, as that.
std::vector<std::string> Shown(Phone& phone) {
  std::vector<std::string> lines;
  for (const RecordType& type : phone.store().schema().types()) {
    const auto status =
        phone.store().List({.type = type.number}, [&](const Id& id, const Message& message) {
          lines.push_back(Hex(id.bytes()) + " " + TextOf(message));
          return true;
        });
    EXPECT_TRUE(status.ok() || status.code() == absl::StatusCode::kDataLoss) << status;
    if (!status.ok()) lines.push_back(type.name + " cannot be read");
  }
  return lines;
}

}  // namespace
}  // namespace zhibu::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace zhibu;
  using namespace zhibu::test;
  Site site;
  Choices in(data, size, site.Ids());
  {
    Impostor impostor(&site, &in);
    while (!in.done()) impostor.Act();
  }
  const std::vector<std::string> shown = Shown(site.zhangs);
  site.zhangs.Crash();
  EXPECT_EQ(Shown(site.zhangs), shown);
  // Back with the true server, whatever it has been told: it may be refused, not stuck.
  const absl::Status status = site.world.Sync(site.zhangs);
  EXPECT_TRUE(status.ok() || ReasonOf(status).reason != sync::v1::NO_REASON) << status;
  return 0;
}
