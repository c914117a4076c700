// The machines of a simulated world: devices with their owners, one server, and
// the streams between them. All production code but what would be a socket, a
// disk, a clock or a thread.
#ifndef ZHIBU_TESTS_SIM_MACHINES_H_
#define ZHIBU_TESTS_SIM_MACHINES_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client-core/session.h"
#include "client-core/store/store.h"
#include "server/identity/certificate.h"
#include "server/ingest/ingest.h"
#include "server/sessions/session.h"
#include "server/store/store.h"
#include "tests/sim/dice.h"
#include "tests/sim/disk.h"
#include "tests/support/damage.h"
#include "tests/support/moved.h"

namespace zhibu::sim {

// The catalogue and what the tests declare; as an app of today, and of an earlier
// version.
std::shared_ptr<const Schema> TodaysSchema();
std::shared_ptr<const Schema> OldSchema();

// A machine's clock: right, wrong by years, or standing still.
struct Clock {
  int64_t error_ms = 0;
  std::optional<int64_t> frozen_at_ms;

  int64_t Now(int64_t true_ms) const { return frozen_at_ms.value_or(true_ms + error_ms); }
  friend bool operator==(const Clock&, const Clock&) = default;
};

// No more of a certificate than what has a fingerprint.
server::Certificate CertificateOf(const std::string& der);

struct Stream;

struct Device {
  Device(int index_in, uint64_t seed, const int64_t* now_ms);

  Environment environment();
  absl::Status Open();
  // As Open, with a key that may be missing or another.
  absl::StatusOr<std::unique_ptr<client::Store>> OpenWith(const std::string& key);
  // The process is gone; what it has not finished writing has no effect.
  void Kill(bool power_lost);
  // A second process reads the file: "ok" or what is wrong.
  std::string CheckIntegrity();

  const int index;
  const int64_t* const now_ms;
  Id person;
  bool old = false;  // runs an app of an earlier version
  Clock clock;
  Dice dice;
  Disk disk;
  std::unique_ptr<client::Store> store;
  Stream* stream = nullptr;
  // The edits that were answered, are not known to be safe and were not let go of.
  std::vector<std::string> Kept();
  // Whether there are records that a restored server has not yet spoken of.
  bool Stale();
  // The number that the server has for it; none for a device that never was enrolled.
  std::optional<DeviceNumber> Number();
  bool revoked = false;  // or not enrolled
  // Was told once to remove all that had an answer.
  bool lost = false;
  // Has no link until then.
  int64_t away_until_ms = 0;

  // What this copy of the device has committed and must be able to account for,
  // by the edits' salts.
  std::set<uint64_t> committed;
  // Of a commit that a crash cut short: how much it would have added.
  std::vector<std::pair<RecordKey, int64_t>> in_doubt;
  // Set-aside edits that were being discarded or made again when a disk failed.
  std::set<uint64_t> letting_go;
  struct Backup {
    Image image;
    std::set<uint64_t> committed;
    bool lost = false;
  };
  std::vector<Backup> backups;
  // What somebody has begun to write, and saves when more has come in.
  struct Begun {
    client::Draft draft;
    uint64_t version = 0;  // that the record had then
    std::vector<std::pair<RecordKey, int64_t>> deltas;
  };
  std::optional<Begun> begun;
  // What its owner asked for last.
  sync::v1::Ask looked_at;
  // The last push that it sent, to be delivered twice.
  std::string last_push;
  std::optional<DeviceNumber> last_push_by;
};

struct Server {
  Server(uint64_t seed, const int64_t* now_ms);

  Environment environment();
  std::shared_ptr<const Schema> schema() const { return old ? OldSchema() : TodaysSchema(); }
  absl::Status Open();
  void Kill(bool power_lost);
  std::string CheckIntegrity();
  // A bit flips in some row; nothing where there is none.
  std::optional<test::Damaged> Damage(const std::string& table, const std::string& column,
                                      Dice* dice);
  void PutBack(const test::Damaged& damaged);

  const int64_t* const now_ms;
  server::Observer* observer = server::Observer::None();
  bool old = false;  // runs an earlier version; looked at when it is opened
  // Where it listens, and by which certificate: what a device must know to find it.
  std::string address = "server-1";
  std::string fingerprint;
  Clock clock;
  Dice dice;
  Disk disk;
  test::Moved moved;
  std::unique_ptr<server::Store> store;
  std::unique_ptr<server::Ingest> ingest;
};

// One connection. Frames travel as bytes, in order, until it is cut.
struct Stream {
  Stream(uint64_t id, Device* device, Server* server, const server::SessionLimits& limits);

  const uint64_t id;
  const int64_t began_ms;
  Device& device;
  client::Session client;
  server::Session server;
  std::deque<std::string> up;
  std::deque<std::string> down;

  // What has passed, to judge what may come next.
  enum class Heard { kNothing, kChallenge, kWelcome, kEnd };
  Heard heard = Heard::kNothing;  // what the server has said
  bool welcomed = false;          // and the device has heard
  bool clock_was_right = false;   // the server's, when it told the time
  // What the server has said of each record that the device is to have, and as whom.
  std::map<RecordKey, std::string> told;
  std::map<Id, uint32_t> told_as;
  bool catches_up = false;  // there is more of it to come
  int64_t compared_ms = 0;  // when the device heard what the server's clock says
  int said = 0;             // hello, proof, then pushes
  // Where the server was and was to be when it heard the proof and welcomed the device; empty:
  // nothing was announced.
  std::string whereabouts;
};

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_MACHINES_H_
