#include "tests/sim/disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace zhibu::sim {

namespace {

constexpr int kShmLocks = SQLITE_SHM_NLOCK;

}  // namespace

// One file: as the process sees it, and how to undo what was not synced.
struct Disk::File {
  // What stood at `offset` before, what stands there since.
  struct Op {
    int64_t offset = 0;
    std::string before;
    std::string after;
    int64_t size_before = 0;
    int64_t size_after = 0;
  };

  std::string now;
  std::vector<Op> unsynced;
  std::vector<Handle*> handles;
  std::vector<std::unique_ptr<char[]>> shared_memory;

  void Undo() {
    for (auto op = unsynced.rbegin(); op != unsynced.rend(); ++op) {
      now.replace(op->offset, op->before.size(), op->before);
      now.resize(op->size_before);
    }
  }
  void Redo(const Op& op) {
    const int64_t end = std::max<int64_t>(op.offset + op.after.size(), op.size_after);
    if (op.after.empty()) {
      now.resize(op.size_after);  // a truncation
      return;
    }
    if (static_cast<int64_t>(now.size()) < end) now.resize(end);
    now.replace(op.offset, op.after.size(), op.after);
  }
};

struct Disk::Handle {
  sqlite3_file base;  // first: SQLite sees only this
  Disk* disk;
  File* file;
  bool temporary;
  int lock;
  uint8_t shared[kShmLocks];
  uint8_t exclusive[kShmLocks];
};

// What SQLite calls.
struct Vfs {
  static Disk& DiskOf(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }
  static Disk::Handle& HandleOf(sqlite3_file* file) {
    return *reinterpret_cast<Disk::Handle*>(file);
  }

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* base, int flags, int* out);
  static int Delete(sqlite3_vfs* vfs, const char* name, int) {
    Disk& disk = DiskOf(vfs);
    bool torn = false;
    if (!disk.Lives(&torn)) return SQLITE_IOERR_DELETE;
    const auto it = disk.files_.find(name);
    if (it == disk.files_.end()) return SQLITE_IOERR_DELETE_NOENT;
    if (!it->second->handles.empty()) return SQLITE_IOERR_DELETE;
    disk.files_.erase(it);
    return SQLITE_OK;
  }
  static int Access(sqlite3_vfs* vfs, const char* name, int, int* out) {
    *out = DiskOf(vfs).files_.count(name) > 0;
    return SQLITE_OK;
  }
  static int FullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }
  static int Randomness(sqlite3_vfs* vfs, int size, char* out) {
    const std::string bytes = DiskOf(vfs).dice_.Bytes(size);
    std::memcpy(out, bytes.data(), bytes.size());
    return size;
  }
  static int Sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int CurrentTime(sqlite3_vfs*, double* out) {
    *out = 2461000.5;
    return SQLITE_OK;
  }
  static int CurrentTimeInt64(sqlite3_vfs*, sqlite3_int64* out) {
    *out = static_cast<sqlite3_int64>(2461000.5 * 86'400'000);
    return SQLITE_OK;
  }
  static int GetLastError(sqlite3_vfs*, int, char*) { return 0; }

  static int Close(sqlite3_file* base) {
    Disk::Handle& handle = HandleOf(base);
    auto& handles = handle.file->handles;
    handles.erase(std::remove(handles.begin(), handles.end(), &handle), handles.end());
    if (!handles.empty()) return SQLITE_OK;
    handle.file->shared_memory.clear();
    if (handle.temporary) {
      auto& files = handle.disk->files_;
      files.erase(std::find_if(files.begin(), files.end(),
                               [&](const auto& file) { return file.second.get() == handle.file; }));
    }
    return SQLITE_OK;
  }
  static int Read(sqlite3_file* base, void* out, int size, sqlite3_int64 offset) {
    Disk::Handle& handle = HandleOf(base);
    Disk& disk = *handle.disk;
    if (disk.dead_) return SQLITE_IOERR_READ;
    if (disk.failing_reads_ > 0) {
      --disk.failing_reads_;
      disk.failed_ = true;
      return SQLITE_IOERR_READ;
    }
    const std::string& now = handle.file->now;
    const int64_t there = std::clamp<int64_t>(static_cast<int64_t>(now.size()) - offset, 0, size);
    if (there > 0) std::memcpy(out, now.data() + offset, there);
    if (there == size) return SQLITE_OK;
    std::memset(static_cast<char*>(out) + there, 0, size - there);
    return SQLITE_IOERR_SHORT_READ;
  }
  static int Write(sqlite3_file* base, const void* data, int size, sqlite3_int64 offset) {
    Disk::Handle& handle = HandleOf(base);
    Disk& disk = *handle.disk;
    bool torn = false;
    if (!disk.Lives(&torn)) return SQLITE_IOERR_WRITE;
    if (disk.full_ && offset + size > static_cast<int64_t>(handle.file->now.size())) {
      disk.failed_ = true;
      return SQLITE_FULL;
    }
    const int64_t part = torn ? disk.dice_.Below(size + 1) : size;
    if (part > 0) disk.Write(handle.file, offset, static_cast<const char*>(data), part);
    return torn ? SQLITE_IOERR_WRITE : SQLITE_OK;
  }
  static int Truncate(sqlite3_file* base, sqlite3_int64 size) {
    Disk::Handle& handle = HandleOf(base);
    bool torn = false;
    if (!handle.disk->Lives(&torn) || torn) return SQLITE_IOERR_TRUNCATE;
    handle.disk->Truncate(handle.file, size);
    return SQLITE_OK;
  }
  static int Sync(sqlite3_file* base, int) {
    Disk::Handle& handle = HandleOf(base);
    Disk& disk = *handle.disk;
    bool torn = false;
    if (!disk.Lives(&torn) || torn) return SQLITE_IOERR_FSYNC;
    if (disk.failing_syncs_ > 0) {
      --disk.failing_syncs_;
      disk.failed_ = true;
      return SQLITE_IOERR_FSYNC;
    }
    handle.file->unsynced.clear();
    return SQLITE_OK;
  }
  static int FileSize(sqlite3_file* base, sqlite3_int64* out) {
    *out = static_cast<sqlite3_int64>(HandleOf(base).file->now.size());
    return SQLITE_OK;
  }

  static int Lock(sqlite3_file* base, int level) {
    Disk::Handle& handle = HandleOf(base);
    if (handle.lock >= level) return SQLITE_OK;
    for (const Disk::Handle* other : handle.file->handles) {
      if (other == &handle) continue;
      if (level == SQLITE_LOCK_SHARED && other->lock >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
      if (level == SQLITE_LOCK_RESERVED && other->lock >= SQLITE_LOCK_RESERVED) return SQLITE_BUSY;
      if (level == SQLITE_LOCK_EXCLUSIVE && other->lock >= SQLITE_LOCK_SHARED) {
        if (other->lock < SQLITE_LOCK_RESERVED) handle.lock = SQLITE_LOCK_PENDING;
        return SQLITE_BUSY;
      }
    }
    handle.lock = level;
    return SQLITE_OK;
  }
  static int Unlock(sqlite3_file* base, int level) {
    HandleOf(base).lock = std::min(HandleOf(base).lock, level);
    return SQLITE_OK;
  }
  static int CheckReservedLock(sqlite3_file* base, int* out) {
    *out = 0;
    for (const Disk::Handle* other : HandleOf(base).file->handles) {
      if (other->lock >= SQLITE_LOCK_RESERVED) *out = 1;
    }
    return SQLITE_OK;
  }
  static int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int SectorSize(sqlite3_file*) { return 512; }
  static int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int ShmMap(sqlite3_file* base, int region, int size, int extend, void volatile** out) {
    auto& regions = HandleOf(base).file->shared_memory;
    *out = nullptr;
    if (region >= static_cast<int>(regions.size()) && extend == 0) return SQLITE_OK;
    while (region >= static_cast<int>(regions.size())) {
      regions.push_back(std::make_unique<char[]>(size));
    }
    *out = regions[region].get();
    return SQLITE_OK;
  }
  static int ShmLock(sqlite3_file* base, int offset, int n, int flags) {
    Disk::Handle& handle = HandleOf(base);
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    for (int i = offset; i < offset + n; ++i) {
      if ((flags & SQLITE_SHM_UNLOCK) != 0) continue;
      for (const Disk::Handle* other : handle.file->handles) {
        if (other == &handle) continue;
        if (other->exclusive[i] != 0 || (exclusive && other->shared[i] != 0)) return SQLITE_BUSY;
      }
    }
    for (int i = offset; i < offset + n; ++i) {
      const bool lock = (flags & SQLITE_SHM_LOCK) != 0;
      (exclusive ? handle.exclusive : handle.shared)[i] = lock ? 1 : 0;
    }
    return SQLITE_OK;
  }
  static void ShmBarrier(sqlite3_file*) {}
  static int ShmUnmap(sqlite3_file* base, int) {
    Disk::Handle& handle = HandleOf(base);
    std::memset(handle.shared, 0, sizeof(handle.shared));
    std::memset(handle.exclusive, 0, sizeof(handle.exclusive));
    return SQLITE_OK;
  }

  static const sqlite3_io_methods kMethods;
};

const sqlite3_io_methods Vfs::kMethods = {2,
                                          Vfs::Close,
                                          Vfs::Read,
                                          Vfs::Write,
                                          Vfs::Truncate,
                                          Vfs::Sync,
                                          Vfs::FileSize,
                                          Vfs::Lock,
                                          Vfs::Unlock,
                                          Vfs::CheckReservedLock,
                                          Vfs::FileControl,
                                          Vfs::SectorSize,
                                          Vfs::DeviceCharacteristics,
                                          Vfs::ShmMap,
                                          Vfs::ShmLock,
                                          Vfs::ShmBarrier,
                                          Vfs::ShmUnmap,
                                          nullptr,
                                          nullptr};

int Vfs::Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* base, int flags, int* out) {
  Disk& disk = DiskOf(vfs);
  Disk::Handle& handle = HandleOf(base);
  handle.base.pMethods = nullptr;
  if (disk.dead_) return SQLITE_CANTOPEN;
  const std::string temporary = name == nullptr ? absl::StrCat("temporary-", ++disk.opened_) : "";
  if (name == nullptr) name = temporary.c_str();
  auto it = disk.files_.find(name);
  if (it == disk.files_.end()) {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    it = disk.files_.emplace(name, std::make_unique<Disk::File>()).first;
  }
  std::memset(&handle, 0, sizeof(handle));
  handle.base.pMethods = &kMethods;
  handle.disk = &disk;
  handle.file = it->second.get();
  handle.temporary = !temporary.empty();
  handle.file->handles.push_back(&handle);
  if (out != nullptr) *out = flags;
  return SQLITE_OK;
}

Disk::Disk(uint64_t seed) : dice_(seed), registered_(std::make_unique<sqlite3_vfs>()) {
  sqlite3_initialize();
  static int count = 0;
  name_ = absl::StrCat("zhibu-sim-", ++count);
  *registered_ = {};
  registered_->iVersion = 2;
  registered_->szOsFile = sizeof(Handle);
  registered_->mxPathname = 512;
  registered_->zName = name_.c_str();
  registered_->pAppData = this;
  registered_->xOpen = Vfs::Open;
  registered_->xDelete = Vfs::Delete;
  registered_->xAccess = Vfs::Access;
  registered_->xFullPathname = Vfs::FullPathname;
  registered_->xRandomness = Vfs::Randomness;
  registered_->xSleep = Vfs::Sleep;
  registered_->xCurrentTime = Vfs::CurrentTime;
  registered_->xGetLastError = Vfs::GetLastError;
  registered_->xCurrentTimeInt64 = Vfs::CurrentTimeInt64;
  sqlite3_vfs_register(registered_.get(), 0);
}

Disk::~Disk() { sqlite3_vfs_unregister(registered_.get()); }

bool Disk::Lives(bool* torn) {
  if (dead_) return false;
  if (writes_to_live_ == 0 || --writes_to_live_ > 0) return true;
  *torn = dead_ = true;
  return true;
}

void Disk::Write(File* file, int64_t offset, const char* data, int64_t size) {
  std::string& now = file->now;
  File::Op op;
  op.offset = offset;
  op.size_before = static_cast<int64_t>(now.size());
  op.after.assign(data, size);
  if (op.size_before > offset) op.before = now.substr(offset, size);
  if (op.size_before < offset + size) now.resize(offset + size);
  now.replace(offset, size, op.after);
  op.size_after = static_cast<int64_t>(now.size());
  file->unsynced.push_back(std::move(op));
}

void Disk::Truncate(File* file, int64_t size) {
  std::string& now = file->now;
  File::Op op;
  op.size_before = static_cast<int64_t>(now.size());
  op.offset = std::min(size, op.size_before);
  op.before = now.substr(op.offset);
  op.size_after = size;
  now.resize(size);
  file->unsynced.push_back(std::move(op));
}

void Disk::Restart(bool power_lost) {
  for (auto& [name, file] : files_) {
    if (power_lost && !file->unsynced.empty()) {
      std::vector<File::Op> ops = std::move(file->unsynced);
      file->unsynced = ops;
      file->Undo();
      const uint32_t luck = dice_.Below(4);  // none, all but the last, any, all
      for (size_t i = 0; i < ops.size(); ++i) {
        const bool last = i + 1 == ops.size();
        if (luck == 0 || (luck == 1 && last) || (luck == 2 && dice_.OneIn(2))) continue;
        if (last && ops[i].after.size() > 512 && dice_.OneIn(2)) {
          ops[i].after.resize(512 * (1 + dice_.Below(ops[i].after.size() / 512)));
          ops[i].size_after = 0;
        }
        file->Redo(ops[i]);
      }
    }
    file->unsynced.clear();
    file->shared_memory.clear();
  }
  dead_ = false;
  Mend();
}

void Disk::Mend() {
  writes_to_live_ = failing_syncs_ = failing_reads_ = 0;
  full_ = false;
}

bool Disk::TakeFailed() { return std::exchange(failed_, false); }

Image Disk::Copy() const {
  Image image;
  for (const auto& [name, file] : files_) image[name] = file->now;
  return image;
}

void Disk::Replace(Image image) {
  files_.clear();
  for (auto& [name, content] : image) {
    files_.emplace(name, std::make_unique<File>()).first->second->now = std::move(content);
  }
  Restart(false);
}

void SeedSqlite(uint64_t seed) {
  sqlite3_initialize();
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(seed | 1),
                       static_cast<sqlite3*>(nullptr));
  sqlite3_randomness(0, nullptr);
}

}  // namespace zhibu::sim
