// What travels by hand in a universe: files that are copied, lost, altered, late,
// and brought in any order, to anybody.
#include "client-core/courier.h"

#include "absl/strings/str_cat.h"
#include "server/sessions/courier.h"
#include "sync/base/reason.h"
#include "sync/base/status.h"
#include "sync/crypto/courier.h"
#include "tests/sim/universe.h"

namespace zhibu::sim {
namespace {

constexpr size_t kCarriedMax = 12;  // one more, and some other is never seen again

bool Damaged(const absl::Status& status) {
  return ReasonOf(status).reason == sync::v1::COURIER_DAMAGED;
}

}  // namespace

void Universe::SendByCourier(Device& device) {
  if (device.store == nullptr || device.disk.dead()) return;
  const auto exported = client::Export(device.store.get());
  if (!exported.ok()) return Reap();
  const auto parcel = FromFile(Cargo::kBundle, exported->file);
  if (!parcel.ok()) return ledger_.Fail(kProtocol, parcel.status().ToString());
  sealed_.insert(parcel->sealed().begin(), parcel->sealed().end());
  bundles_.push_back({device.index, exported->file});
}

// Sometimes a copy stays where it was; sometimes it is not what it was.
Universe::Carried Universe::TakeUp(std::vector<Carried>* pool, Dice* dice, bool* altered) {
  if (pool->size() > kCarriedMax) {
    pool->erase(pool->begin() + static_cast<std::ptrdiff_t>(dice->Below(pool->size())));
  }
  const auto at = pool->begin() + static_cast<std::ptrdiff_t>(dice->Below(pool->size()));
  Carried carried = *at;
  if (!dice->OneIn(3)) pool->erase(at);
  *altered = dice->OneIn(6);
  if (*altered && dice->OneIn(4)) {
    carried.file.resize(dice->Below(carried.file.size()));
  } else if (*altered) {
    carried.file[dice->Below(carried.file.size())] ^= static_cast<char>(1 + dice->Below(255));
  }
  return carried;
}

void Universe::DeliverByCourier(Dice* dice) {
  if (bundles_.empty() || server_.store == nullptr) return;
  bool altered = false;
  const Carried carried = TakeUp(&bundles_, dice, &altered);
  const auto parcel = FromFile(Cargo::kBundle, carried.file);
  if (!parcel.ok()) {
    if (!altered || !Damaged(parcel.status())) ledger_.Fail(kProtocol, parcel.status().ToString());
    return;
  }
  sync::v1::Parcel receipts;
  for (const std::string& sealed : parcel->sealed()) {
    const auto delivery = server::OpenBundle(*server_.store, sealed);
    const bool genuine = sealed_.count(sealed) > 0;
    if (!delivery.ok()) {
      if (genuine && Damaged(delivery.status())) {
        ledger_.Fail(kProtocol, "a bundle is refused that nobody has altered");
      }
      return Reap();
    }
    if (!genuine) return ledger_.Fail(kUnaltered, "a bundle is opened that somebody has altered");
    const auto results = std::make_shared<std::vector<server::Result>>();
    if (!delivery->edits.empty()) {
      turns_.Add(
          delivery->device,
          [results](absl::StatusOr<std::vector<server::Result>> some) {
            if (some.ok()) results->insert(results->end(), some->begin(), some->end());
          },
          delivery->edits);
      CommitQueue(SIZE_MAX);
      if (results->size() != delivery->edits.size()) return Reap();  // to be brought again
    }
    stats.carried += results->size();
    const auto reply = server::ReplyTo(*delivery, *results);
    if (!reply.ok()) return ledger_.Fail(kProtocol, reply.status().ToString());
    const sync::v1::Reason refusal = reply->refusal().reason();
    if (refusal != sync::v1::NO_REASON && WordsFor(refusal, "").zh().empty()) {
      ledger_.Fail(kWords, sync::v1::Reason_Name(refusal));
    }
    receipts.add_sealed(reply->receipt());
  }
  receipts_.push_back({carried.device, ToFile(Cargo::kReceipt, receipts)});
}

void Universe::ReceiveByCourier(Dice* dice) {
  if (receipts_.empty()) return;
  bool altered = false;
  const Carried carried = TakeUp(&receipts_, dice, &altered);
  Device& device =
      dice->OneIn(8) ? *devices_[dice->Below(devices_.size())] : *devices_[carried.device];
  if (device.store == nullptr || device.disk.dead()) return;
  // Only what is set aside, or is to be judged anew, may change what is shown.
  struct Look {
    std::set<uint64_t> set_aside;
    uint64_t unsent = 0;
    std::map<RecordKey, std::string> shown;
  };
  const auto look = [&] {
    return device.disk.Quietly([&] {
      Look look;
      (void)device.store->ListSetAside(
          [&](const client::SetAside& item) { look.set_aside.insert(item.edit.salt()); });
      look.unsent = device.store->State().value_or(client::SyncState()).unsent;
      look.shown = Shown(device);
      return look;
    });
  };
  const auto before = look();
  const auto received = client::Receive(device.store.get(), carried.file);
  if (device.disk.dead()) return Reap();
  if (received.ok() && altered) {
    ledger_.Fail(kUnaltered, "a receipt is opened that somebody has altered");
  }
  const auto after = look();
  const bool may = after.set_aside != before.set_aside || after.unsent > before.unsent;
  if (!may && after.shown != before.shown) {
    ledger_.Fail(kOwn,
                 absl::StrCat("device ", device.index, " shows something else for a receipt"));
  }
  CheckAccount(device);
  CheckOwn(device);
}

// What the device believes to be at the server is there.
void Universe::CheckDelivered(Device& device, const std::vector<sync::v1::NumberedEdit>& pending,
                              uint64_t delivered) {
  if (delivered == 0 || OfEarlierLife(device)) return;
  for (uint64_t i = 0; i < delivered && i < pending.size(); ++i) {
    sync::v1::Edit edit;
    edit.ParseFromString(pending[i].edit());
    if (ledger_.Merged(edit.salt())) continue;
    ledger_.Fail(kAcknowledgedKept, absl::StrCat("device ", device.index, " is told that edit ",
                                                 pending[i].number(), " is in, and it is not"));
  }
}

}  // namespace zhibu::sim
