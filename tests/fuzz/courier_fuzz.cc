// Files that somebody brings by hand: as they are, opened as parcels and boxes; and as
// what a device, or a server, has signed and sealed with its own key. What must hold: the
// server goes on and its audit is whole, nobody else notices, and the author's device
// shows what it has written until a session says otherwise.
#include "client-core/courier.h"
#include "server/sessions/courier.h"
#include "sync/base/reason.h"
#include "sync/crypto/courier.h"
#include "sync/crypto/handshake.h"
#include "tests/fuzz/site.h"

namespace zhibu::test {
namespace {

class Smuggler {
 public:
  Smuggler(Site* site, Choices* in) : site_(*site), in_(*in) {
    identity_ = site_.zhangs.store().GetIdentity().value();
    number_ = site_.world.AuditOf(identity_.device).size();
    link_ = LinkTo(site_.world.AuditOf(identity_.device).back().edit);
  }

  void Act() {
    switch (in_.Below(6)) {
      case 0:
        return BringFile();
      case 1:
        return BringLetter();
      case 2:
        return BringBundle();
      case 3:
        return Write();
      case 4:
        return Return();
      default:
        return CarryHonestly();
    }
  }

 private:
  static std::string FileOf(Cargo cargo, const std::string& sealed) {
    sync::v1::Parcel parcel;
    parcel.add_sealed(sealed);
    return ToFile(cargo, parcel);
  }
  std::string SealedForServer(const std::string& content) {
    return SealCargo(Cargo::kBundle, content, identity_.secret_key, identity_.courier_key).value();
  }

  void BringFile() {
    const std::string bytes(in_.Bytes());
    Deliver(bytes);
    (void)client::Receive(&site_.zhangs.store(), bytes);
    Deliver(FileOf(Cargo::kBundle, bytes));
    (void)client::Receive(&site_.zhangs.store(), FileOf(Cargo::kReceipt, bytes));
  }
  // Signed by the device, whatever it is.
  void BringLetter() { Deliver(FileOf(Cargo::kBundle, SealedForServer(std::string(in_.Bytes())))); }

  void BringBundle() {
    sync::v1::Bundle bundle;
    const bool honest = in_.Below(4) != 3;
    bundle.set_device(honest ? identity_.device.value : static_cast<uint32_t>(in_.Number()));
    bundle.set_incarnation(honest ? identity_.incarnation : std::string(in_.Bytes()));
    uint64_t number = number_;
    uint64_t link = link_;
    for (uint32_t n = in_.Below(4); n > 0; --n) {
      auto& edit = *bundle.add_edits();
      const bool next = in_.Below(8) != 7;
      edit.set_number(next ? ++number : in_.Number());
      edit.set_previous(next ? link : in_.Number());
      edit.set_stamp(in_.Number());
      edit.set_edit(std::string(in_.Bytes()));
      link = LinkTo(edit.edit());
    }
    Deliver(FileOf(Cargo::kBundle, SealedForServer(bundle.SerializeAsString())));
  }

  void Write() {
    site_.zhangs.Change<zhibu::testing::Sampler>(
        site_.sampler, [](auto& sampler) { sampler.set_sum(sampler.sum() + 1); });
  }

  // What a server would say that says anything. It may take back what is pending, and
  // that is set aside.
  void Return() {
    sync::v1::Receipt receipt;
    receipt.set_device(in_.Coin() ? identity_.device.value : static_cast<uint32_t>(in_.Number()));
    receipt.set_incarnation(in_.Coin() ? identity_.incarnation : std::string(in_.Bytes()));
    for (uint32_t n = in_.Below(4); n > 0; --n) {
      auto& answer = *receipt.add_answers();
      answer.set_number(in_.Number());
      answer.set_link(in_.Number());
      answer.set_verdict(sync::v1::MERGED);
      answer.set_detail(std::string(in_.Bytes()));
    }
    std::string server_key;
    EXPECT_EQ(site_.world.store().Read([&](server::Reader& reader) -> absl::Status {
      const auto key = reader.GetSetting("courier_key");
      server_key = *key;
      return absl::OkStatus();
    }),
              absl::OkStatus());
    const auto sealed = SealCargo(Cargo::kReceipt, receipt.SerializeAsString(), server_key,
                                  PublicKeyOf(identity_.secret_key));
    (void)client::Receive(&site_.zhangs.store(), FileOf(Cargo::kReceipt, *sealed));
  }

  void CarryHonestly() {
    const auto exported = client::Export(&site_.zhangs.store());
    if (exported.ok()) Deliver(exported->file);
  }

  void Deliver(const std::string& file) {
    const auto receipts = site_.world.Deliver(file);
    if (!receipts.ok()) {
      EXPECT_NE(ReasonOf(receipts.status()).reason, sync::v1::NO_REASON) << receipts.status();
      return;
    }
    const auto rows = site_.world.AuditOf(identity_.device);
    number_ = rows.size();
    link_ = LinkTo(rows.back().edit);
    if (in_.Coin()) {
      EXPECT_TRUE(client::Receive(&site_.zhangs.store(), *receipts).ok());
    }
  }

  Site& site_;
  Choices& in_;
  client::Identity identity_;
  uint64_t number_ = 0;  // of the last edit that the server has
  uint64_t link_ = 0;
};

}  // namespace
}  // namespace zhibu::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace zhibu;
  using namespace zhibu::test;
  Site site;
  Choices in(data, size, site.Ids());
  Smuggler smuggler(&site, &in);
  while (!in.done()) smuggler.Act();
  site.world.CheckAudit();
  for (Phone* phone : {&site.lis, &site.zhangs, &site.lis}) {
    EXPECT_EQ(site.world.Sync(*phone), absl::OkStatus());
    EXPECT_EQ(site.world.Differences(*phone), std::vector<std::string>());
  }
  return 0;
}
