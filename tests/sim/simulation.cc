#include "tests/sim/simulation.h"

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "sync/base/reason.h"
#include "sync/crypto/seal.h"

namespace zhibu::sim {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kYearMs = 365 * kDayMs;
constexpr size_t kDevicesMax = 14;
constexpr size_t kBackupsMax = 4;

class Runner {
 public:
  explicit Runner(Universe* universe) : universe_(*universe) {}

  void Take(const Step& step) {
    Dice dice(step.seed);
    auto& devices = universe_.devices();
    // Copies made meanwhile take part as well.
    const size_t index = dice.OneIn(3) ? dice.Below(devices.size()) : step.device;
    Device& device = *devices[index % devices.size()];
    universe_.PutServerClockRight();
    if (step.act >= kFirstFault) ++universe_.stats.faults[std::string(NameOf(step.act))];
    switch (step.act) {
      case Act::kEdit:
        universe_.Wait(dice.Below(10 * kMinuteMs));
        KeepBackup(device, &dice);
        return universe_.Edit(device, dice.Next());
      case Act::kConnect:
        return universe_.Connect(device);
      case Act::kTalk:
        universe_.Wait(dice.Below(1000));
        return universe_.Talk(&dice, 5 + dice.Below(40));
      case Act::kSync:
        return universe_.Sync(device);
      case Act::kHangUp:
        return universe_.HangUp(device);
      case Act::kWait:
        return universe_.Wait(dice.OneIn(3) ? dice.Below(10 * kDayMs) : dice.Below(kDayMs));
      case Act::kOperate:
        return universe_.Operate(dice.Next());
      case Act::kCheck:
        return universe_.CheckAll();
      default:
        Fault(step.act, device, &dice);
        universe_.Reap();
    }
  }

 private:
  void KeepBackup(Device& device, Dice* dice) {
    if (!dice->OneIn(6) || device.disk.dead()) return;
    if (device.backups.size() >= kBackupsMax) {
      device.backups.erase(device.backups.begin() + dice->Below(kBackupsMax));
    }
    device.backups.push_back({device.disk.Copy(), device.committed, device.lost});
  }

  Stream* AnyStream(Dice* dice) {
    if (universe_.streams().empty()) return nullptr;
    auto it = universe_.streams().begin();
    std::advance(it, dice->Below(universe_.streams().size()));
    return it->second.get();
  }

  void Fault(Act act, Device& device, Dice* dice) {
    switch (act) {
      case Act::kLost:
      case Act::kCut:
      case Act::kAckLost:
      case Act::kDuplicated:
      case Act::kSlowServer:
      case Act::kStranded:
      case Act::kTornFrame:
      case Act::kReconnects:
        return NetworkFault(act, dice);
      case Act::kDelayed:
        universe_.HangUp(device);
        device.away_until_ms = universe_.now_ms() + dice->Between(1, 60) * kDayMs;
        return;
      case Act::kClockSkew:
        device.clock = {dice->Between(-4 * kYearMs, 4 * kYearMs), std::nullopt};
        return;
      case Act::kClockJump:
        device.clock.error_ms += dice->Between(-30 * kDayMs, 30 * kDayMs);
        return;
      case Act::kClockFrozen:
        device.clock.frozen_at_ms = device.clock.frozen_at_ms
                                        ? std::nullopt
                                        : std::optional(device.clock.Now(universe_.now_ms()));
        return;
      case Act::kClockOnce: {
        const Clock before = std::exchange(device.clock, WrongClock(dice));
        universe_.Edit(device, dice->Next());
        device.clock = before;
        return;
      }
      case Act::kServerClock:
        return universe_.SetServerClock(WrongClock(dice));
      case Act::kDamage:
        return universe_.DamageServer(dice);
      case Act::kOldServer:
        return universe_.UpdateServer();
      case Act::kHostile:
        return universe_.LetHostileAct(dice->Next());
      case Act::kServerRestored:
        if (dice->OneIn(2)) return universe_.BackUpServer();
        universe_.copies = true;  // to the server that has forgotten, each is one
        return universe_.RestoreServer();
      case Act::kServerMoved:
        return universe_.MoveServer(dice);
      case Act::kClone:
      case Act::kRestore:
      case Act::kFileDeleted:
        return FileFault(act, device, dice);
      case Act::kKeyAbsent:
        return KeyFault(device, dice);
      case Act::kRevokedOffline:
      case Act::kMovedOffline:
        return PeopleFault(act, device, dice);
      case Act::kCourier:
        return Courier(device, dice);
      default:
        return DiskFault(act, device, dice);
    }
  }

  // By years, by weeks or by half an hour.
  static Clock WrongClock(Dice* dice) {
    const int64_t most = dice->OneIn(3) ? 4 * kYearMs : dice->OneIn(2) ? 30 * kDayMs : kHourMs;
    return {dice->Between(-most, most), std::nullopt};
  }

  void NetworkFault(Act act, Dice* dice) {
    if (act == Act::kSlowServer) return universe_.SetSlow(5 + dice->Below(60));
    if (act == Act::kReconnects) {
      for (const auto& device : universe_.devices()) universe_.HangUp(*device);
      for (const auto& device : universe_.devices()) universe_.Connect(*device);
      return universe_.Talk(dice, 60);
    }
    if (dice->OneIn(2)) {  // in the middle of something
      universe_.Connect(*universe_.devices()[dice->Below(universe_.devices().size())]);
      universe_.Talk(dice, dice->Below(40));
    }
    Stream* stream = AnyStream(dice);
    if (stream == nullptr) return;
    Device& device = stream->device;
    switch (act) {
      case Act::kDuplicated:
        Replay(stream);
        return;
      case Act::kStranded:
        universe_.Strand(device);
        return universe_.Connect(device);
      case Act::kTornFrame:
        return universe_.Tear(*stream, dice->OneIn(2), dice);
      case Act::kCut:  // what was sent before it arrives, what comes after does not
        universe_.Deliver(*stream, dice->Below(stream->up.size() + 1));
        break;
      case Act::kAckLost:  // the server has taken all, and the device hears of none
        universe_.Deliver(*stream, stream->up.size());
        universe_.CommitQueue(SIZE_MAX);
        break;
      default:
        break;
    }
    if (device.stream == nullptr) return;  // the server has died of it
    universe_.HangUp(device);
    if (dice->OneIn(2)) universe_.Connect(device);
  }

  // Who has no link writes, and gives it to somebody; some of what was given before,
  // by whomever, arrives.
  void Courier(Device& device, Dice* dice) {
    if (dice->OneIn(2)) universe_.HangUp(device);
    for (uint32_t i = dice->Below(4); i > 0; --i) universe_.Edit(device, dice->Next());
    universe_.SendByCourier(device);
    for (uint32_t i = dice->Below(5); i > 0; --i) {
      if (dice->OneIn(2)) {
        universe_.DeliverByCourier(dice);
      } else {
        universe_.ReceiveByCourier(dice);
      }
      universe_.Reap();
      if (dice->OneIn(3)) universe_.Wait(dice->Below(10 * kDayMs));
      if (dice->OneIn(4)) universe_.Talk(dice, static_cast<int>(dice->Below(20)));
    }
  }

  // What the device has pushed before is pushed again.
  void Replay(Stream* stream) {
    Device& device = stream->device;
    if (stream->heard != Stream::Heard::kWelcome || device.last_push.empty()) return;
    if (device.Number() != device.last_push_by) return;
    stream->up.push_back(device.last_push);
  }

  void FileFault(Act act, Device& device, Dice* dice) {
    if (act == Act::kClone) {
      if (universe_.devices().size() >= kDevicesMax || device.revoked) return;
      Device& copy = universe_.AddDevice(device.person, device.old);
      copy.disk.Replace(device.disk.Copy());
      universe_.copies = true;
      copy.committed = device.committed;
      universe_.copied.insert(device.committed.begin(), device.committed.end());
      copy.letting_go = device.letting_go;
      copy.lost = device.lost;
      copy.clock = device.clock;
      return Reopen(copy);
    }
    if (act == Act::kRestore) {
      if (device.backups.empty() || device.revoked) return;
      const Device::Backup backup = dice->Of(device.backups);
      universe_.copies = true;
      universe_.HangUp(device);
      device.store.reset();
      device.disk.Replace(backup.image);
      device.committed = backup.committed;
      universe_.copied.insert(backup.committed.begin(), backup.committed.end());
      return Reopen(device);
    }
    universe_.HangUp(device);
    device.store.reset();
    device.disk.Replace({});
    device.committed.clear();  // nothing can be expected of them
    device.backups.clear();
    device.last_push.clear();
    device.revoked = device.lost = false;
    Reopen(device);
    universe_.Enrol(device);
  }

  // Is refused in words, and everything is there when the key is back.
  void KeyFault(Device& device, Dice* dice) {
    universe_.HangUp(device);
    device.disk.Mend();
    if (device.disk.dead()) return;
    device.store.reset();
    const Image before = device.disk.Copy();
    const auto opened = device.OpenWith(dice->OneIn(2) ? "" : dice->Bytes(Seal::kKeySize));
    if (ReasonOf(opened.status()).reason != sync::v1::WRONG_KEY || device.disk.Copy() != before) {
      universe_.ledger().Fail(
          kSealed,
          absl::StrCat("device ", device.index, " without its key: ", opened.status().ToString()));
    }
    Reopen(device);
  }

  void Reopen(Device& device) {
    device.disk.Mend();
    if (!device.Open().ok()) {
      universe_.ledger().Fail(kIntegrity, absl::StrCat("device ", device.index, " does not open"));
      return;
    }
    universe_.NoteRevoked(device);
    universe_.CheckAccount(device);
  }

  void PeopleFault(Act act, Device& device, Dice* dice) {
    universe_.HangUp(device);
    for (uint32_t i = 1 + dice->Below(2); i > 0; --i) universe_.Edit(device, dice->Next());
    if (act == Act::kMovedOffline) {
      return universe_.Move(dice->OneIn(2) ? device.person : dice->Of(universe_.people()),
                            dice->Of(universe_.branches()));
    }
    if (dice->OneIn(8)) {
      if (dice->OneIn(2)) {  // in the middle of a session, with edits on the way
        universe_.SetSlow(20);
        universe_.Connect(device);
        universe_.Talk(dice, 40);
      }
      return universe_.Revoke(device, dice->OneIn(2));
    }
    for (const Office office : {SECRETARY, DEPUTY}) {
      const Id& branch = dice->Of(universe_.branches());
      if ((universe_.ledger().OfficesIn(device.person, branch, universe_.now_ms()) >> office) & 1) {
        universe_.Appoint(device.person, branch, office, universe_.now_ms());
      }
    }
  }

  void DiskFault(Act act, Device& device, Dice* dice) {
    const bool at_server = dice->OneIn(3);
    Disk& disk = at_server ? universe_.server().disk : device.disk;
    switch (act) {
      case Act::kDeviceCrash:
        if (dice->OneIn(4)) return universe_.RestartDevice(device, dice->OneIn(2));
        device.disk.DieAtWrite(static_cast<int>(1 + dice->Below(dice->OneIn(2) ? 6 : 40)));
        if (dice->OneIn(2)) return universe_.Edit(device, dice->Next());
        return universe_.Sync(device);
      case Act::kServerCrash:
        if (dice->OneIn(4)) return universe_.RestartServer(dice->OneIn(2));
        universe_.server().disk.DieAtWrite(
            static_cast<int>(1 + dice->Below(dice->OneIn(2) ? 6 : 60)));
        return;
      case Act::kFsyncFails:
        disk.FailSyncs(static_cast<int>(1 + dice->Below(3)));
        break;
      case Act::kReadError:
        disk.FailReads(static_cast<int>(1 + dice->Below(3)));
        break;
      case Act::kDiskFull:
        disk.SetFull(true);
        break;
      default:
        return;
    }
    universe_.Edit(device, dice->Next());
    universe_.Talk(dice, static_cast<int>(dice->Below(20)));
    universe_.Sync(device);
    // After a sync that failed nobody knows what is on the disk: a power loss is
    // the worst that can follow.
    if (act == Act::kFsyncFails && dice->OneIn(3)) disk.Die();
    disk.Mend();
  }

  Universe& universe_;
};

}  // namespace

Report Run(const Plan& plan, bool trace) {
  Report report;
  Universe universe(plan.options);
  Runner runner(&universe);
  const int64_t began_ms = universe.now_ms();
  const int steps = static_cast<int>(plan.steps.size());
  for (report.step = 0; report.step < steps && !universe.failure(); ++report.step) {
    const Step& step = plan.steps[report.step];
    if (trace) {
      std::cerr << report.step << " " << NameOf(step.act) << " " << step.device << std::endl;
    }
    runner.Take(step);
  }
  if (universe.failure()) {
    --report.step;
  } else {
    universe.CheckAll();
  }
  report.failure = universe.failure();
  if (report.failure && report.failure->record) {
    report.history = universe.ledger().HistoryOf(*report.failure->record);
  }
  report.digest = universe.Digest();
  report.stats = universe.stats;
  report.merged = universe.ledger().merged_rows();
  report.hostile = universe.ledger().hostile_rows();
  report.rows = universe.ledger().rows();
  report.notes = universe.ledger().notes();
  report.verified = universe.ledger().verified();
  report.opened = universe.ledger().opened();
  report.found_twice = universe.ledger().found_twice();
  report.decided = universe.ledger().decided();
  report.returned_unknown = universe.ledger().returned_unknown();
  report.merged_unknown = universe.ledger().merged_unknown();
  report.virtual_ms = universe.now_ms() - began_ms;
  return report;
}

}  // namespace zhibu::sim
