// A machine's disk, in memory, that fails when it is told to. SQLite reaches it
// as a VFS; everything above SQLite is production code.
//
//   Disk disk(seed);
//   Store::Open({.file = "device.db", .vfs = disk.vfs()});
//   disk.DieAtWrite(3);            // the process is killed within the third write
//   … calls fail; destroy the store …
//   disk.Restart(/*power_lost=*/true);
//
//   what survives a power loss = what was synced
//                              + any of the writes since, the last of them torn
//
// One thread. Connections must be closed before Restart.
#ifndef ZHIBU_TESTS_SIM_DISK_H_
#define ZHIBU_TESTS_SIM_DISK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/dice.h"

struct sqlite3_vfs;

namespace zhibu::sim {

// The contents of all files.
using Image = std::map<std::string, std::string>;

class Disk {
 public:
  explicit Disk(uint64_t seed);
  ~Disk();
  Disk(const Disk&) = delete;  // SQLite holds its address
  Disk& operator=(const Disk&) = delete;

  const std::string& vfs() const { return name_; }

  // ---- Faults ----
  // The process is killed within the nth thing that it writes, syncs or removes.
  void DieAtWrite(int n) { writes_to_live_ = n; }
  // The process is killed now: nothing that it still does has an effect.
  void Die() { dead_ = true; }
  bool dead() const { return dead_; }
  // Nothing is about to fail.
  bool Sound() const {
    return !dead_ && writes_to_live_ == 0 && failing_syncs_ == 0 && failing_reads_ == 0 && !full_;
  }
  // The machine starts again.
  void Restart(bool power_lost);
  void FailSyncs(int n) { failing_syncs_ = n; }
  void FailReads(int n) { failing_reads_ = n; }
  void SetFull(bool full) { full_ = full; }
  // As it was bought.
  void Mend();
  // Calls `body` while nothing fails: somebody looks on from outside.
  template <typename Body>
  auto Quietly(Body body) {
    const int reads = std::exchange(failing_reads_, 0);
    const int syncs = std::exchange(failing_syncs_, 0);
    auto result = body();
    failing_reads_ = reads;
    failing_syncs_ = syncs;
    return result;
  }
  // Whether something has failed since this was last asked.
  bool TakeFailed();

  // ---- Backups ----
  Image Copy() const;
  void Replace(Image image);

  struct File;
  struct Handle;

 private:
  friend struct Vfs;

  // Counts what the process does to its files; false once it is dead. `torn`: the
  // process dies within this one.
  bool Lives(bool* torn);
  void Write(File* file, int64_t offset, const char* data, int64_t size);
  void Truncate(File* file, int64_t size);

  Dice dice_;
  std::string name_;
  std::unique_ptr<sqlite3_vfs> registered_;
  std::map<std::string, std::unique_ptr<File>> files_;
  int opened_ = 0;          // temporary files
  int writes_to_live_ = 0;  // 0: no end in sight
  bool dead_ = false;
  int failing_syncs_ = 0;
  int failing_reads_ = 0;
  bool full_ = false;
  bool failed_ = false;
};

// SQLite's own chance, which goes into the WAL, follows from the seed too.
void SeedSqlite(uint64_t seed);

}  // namespace zhibu::sim

#endif  // ZHIBU_TESTS_SIM_DISK_H_
