// A device that says whatever it likes, after a handshake as it should be. What must hold:
// the server goes on, its audit's chains are whole, and to everyone else it is as if
// the device had been an honest one, for what was merged is all there is.
#include "sync/crypto/handshake.h"
#include "tests/fuzz/site.h"

namespace zhibu::test {
namespace {

using sync::v1::ClientFrame;
using sync::v1::NumberedEdit;
using sync::v1::ServerFrame;

class Intruder {
 public:
  Intruder(Site* site, Choices* in) : site_(*site), in_(*in) {
    identity_ = site_.zhangs.store().GetIdentity().value();
    number_ = site_.world.AuditOf(identity_.device).size();
    if (number_ > 0) link_ = LinkTo(site_.world.AuditOf(identity_.device).back().edit);
    Connect();
  }

  void Act() {
    switch (in_.Below(8)) {
      case 0:
        return SayAnything();
      case 1:
        return Hear();
      case 2:
        return Connect();
      case 3:
        return Elsewhere();
      case 4:
        return Ask();
      default:
        return Push();
    }
  }

  // Until the server has nothing more to say.
  void Hear() {
    ServerFrame frame;
    while (session_->Next(&frame)) continue;
  }

 private:
  // Honestly signed, whatever it says it has seen.
  void Connect() {
    session_ = std::make_unique<server::Session>(
        &site_.world.store(), &site_.world.ingest(), site_.world.fate().environment(),
        server::SessionLimits{.update_bytes = in_.Coin() ? size_t{256} : size_t{256} << 10,
                              .frame_bytes = in_.Coin() ? size_t{1024} : size_t{2} << 20});
    ClientFrame frame;
    sync::v1::Hello hello;
    hello.set_protocol(kProtocolVersion);
    hello.set_device(identity_.device.value);
    hello.set_server_id(identity_.server_id);
    hello.set_incarnation(identity_.incarnation);
    hello.set_unanswered(in_.Number());
    hello.set_dictionary(DictionaryNumber());
    hello.set_own_as_made(true);
    for (uint32_t n = in_.Below(4); n > 0; --n) {
      auto& cursor = *hello.add_cursors();
      cursor.set_scope(in_.AnId().str());
      cursor.set_version(in_.Number());
      cursor.set_audience(static_cast<uint32_t>(in_.Number()));
    }
    // Its own among them, so that some of the seals are good.
    const auto cursors = site_.zhangs.store().Cursors();
    for (size_t n = 0; cursors.ok() && n < cursors->size(); ++n) {
      if (in_.Coin()) *hello.add_cursors() = (*cursors)[n];
    }
    frame.set_hello(hello.SerializeAsString());
    said_ = 0;  // before the Welcome nothing is compressed
    Say(frame);
    ServerFrame challenge;
    EXPECT_TRUE(session_->Next(&challenge));
    if (!challenge.has_challenge()) return;
    ClientFrame proof;
    proof.mutable_proof()->set_signature(SignProof(
        identity_.secret_key, challenge.challenge().nonce(), identity_.fingerprint, frame.hello()));
    said_ = 0;
    Say(proof);
  }

  void Say(const ClientFrame& frame) {
    ClientFrame sent = frame;
    if (++said_ % 2 == 0 && !frame.has_compressed()) CompressFrame(compressor_, &sent);
    session_->OnFrame(sent);
    const auto submitted = session_->TakeSubmitted();
    if (submitted.empty()) return;
    const auto results = site_.world.Commit(submitted);
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i].forked || submitted[i].edit.number() != number_ + 1) continue;
      ++number_;
      link_ = LinkTo(submitted[i].edit.edit());
    }
    session_->OnResults(results);
  }

  void SayAnything() {
    ClientFrame frame;
    if (frame.ParseFromString(std::string(in_.Bytes()))) {
      Say(frame);
    } else {
      session_->OnGarbage("not a frame");
    }
  }

  void Push() {
    ClientFrame frame;
    uint64_t number = number_;
    uint64_t link = link_;
    for (uint32_t n = 1 + in_.Below(3); n > 0; --n) {
      NumberedEdit& edit = *frame.mutable_push()->add_edits();
      const bool honest = in_.Below(16) != 15;
      edit.set_number(honest ? ++number : in_.Number());
      edit.set_previous(honest ? link : in_.Number());
      edit.set_stamp(in_.Number());
      edit.add_builds_on(in_.Below(3));
      edit.set_edit(AnEdit());
      link = LinkTo(edit.edit());
    }
    Say(frame);
  }

  void Ask() {
    ClientFrame frame;
    auto& ask = *frame.mutable_ask();
    ask.set_type(in_.Type(*site_.world.schema()).number);
    (in_.Coin() ? ask.mutable_organisation_id() : ask.mutable_member_id())
        ->assign(in_.AnId().str());
    if (in_.Coin()) ask.set_after(std::string(in_.Bytes()));
    ask.set_limit(in_.Below(4));
    if (in_.Coin()) ask.set_reason("核对");
    Say(frame);
  }

  std::string AnEdit() {
    if (in_.Below(16) == 15) return std::string(in_.Bytes());
    sync::v1::Edit edit;
    edit.set_device_time_ms(static_cast<int64_t>(in_.Number()));
    for (uint32_t n = 1 + in_.Below(3); n > 0; --n) {
      auto& change = *edit.add_changes();
      const RecordType& type = in_.Type(*site_.world.schema());
      in_.Fill(type, &change);
      change.set_id(type.name == "Sampler" && in_.Coin() ? site_.sampler.str() : in_.AnId().str());
    }
    return edit.SerializeAsString();
  }

  // Others go on meanwhile.
  void Elsewhere() {
    World& world = site_.world;
    switch (in_.Below(5)) {
      case 0:
        world.Wait(static_cast<int64_t>(in_.Below(200)) * 3'600'000);
        break;
      case 1:
        world.Dismiss(site_.zhang, site_.branch, SECRETARY);
        break;
      case 2:
        world.Appoint(site_.zhang, site_.branch, SECRETARY);
        break;
      case 3:
        world.Appoint(site_.zhang, world.Branch("白石村党支部"), DEPUTY);
        break;
      default:
        world.Place(site_.li, site_.branch);
    }
    session_->OnMoved();
  }

  Site& site_;
  Choices& in_;
  client::Identity identity_;
  uint64_t number_ = 0;  // of the last edit that the server has
  uint64_t link_ = 0;
  std::unique_ptr<server::Session> session_;
  Compressor compressor_;
  int said_ = 0;
};

}  // namespace
}  // namespace zhibu::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace zhibu;
  using namespace zhibu::test;
  Site site;
  Choices in(data, size, site.Ids());
  Intruder intruder(&site, &in);
  while (!in.done()) intruder.Act();
  intruder.Hear();
  site.world.CheckAudit();
  EXPECT_EQ(site.world.Sync(site.lis), absl::OkStatus());
  EXPECT_EQ(site.world.Differences(site.lis), std::vector<std::string>());
  EXPECT_EQ(site.world.Sync(site.zhangs), absl::OkStatus());
  EXPECT_EQ(site.world.Differences(site.zhangs), std::vector<std::string>());
  return 0;
}
