// A device of somebody's in the year, and what is written on it.
//
//   Edit edit(&device);                             // one edit: all of it, or nothing
//   const Id meeting = edit.Make<Meeting>([&](Meeting& m) { m.set_place("村委会"); });
//   edit.Change<Visit>(visit, [](Visit& v) { v.set_state(Visit::DONE); });
//   edit.Commit();                                  // durable; goes with the next sync
//
// A folder is one device, as `zhibu device --home` has it: device.db, and device.key.
#ifndef ZHIBU_TESTS_DEMO_YEAR_DEVICE_H_
#define ZHIBU_TESTS_DEMO_YEAR_DEVICE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client-core/store/store.h"
#include "tests/demo/year/clock.h"
#include "tests/demo/year/must.h"
#include "tests/demo/year/town.h"

namespace zhibu::year {

// What has been written, on all devices together.
struct Tally {
  uint64_t edits = 0;
  std::map<std::string, uint64_t> made;     // records, by type
  std::map<std::string, uint64_t> changed;  // how often one was changed
  // Of all that was written, in its order: the same seed and day give the same.
  std::string digest;

  uint64_t Made() const;
  void Note(const client::Draft& draft, bool is_new);
};

class Device {
 public:
  // Enrolled by that ticket. `folder`: where the homes of all devices lie.
  Device(const std::string& folder, std::string name, const Person& owner, const Clock* clock,
         uint64_t seed, const std::string& ticket, Tally* tally);

  const std::string& name() const { return name_; }
  const Person& owner() const { return owner_; }
  const Id& me() const { return owner_.id; }
  client::Store& store() { return *store_; }
  Tally& tally() { return *tally_; }
  const Clock& clock() const { return clock_; }

  void Sync();
  bool Has(const RecordType& type, const Id& id) { return store_->Edit(type, id).ok(); }
  template <typename T>
  T Get(const Id& id) {
    return Must(store_->Edit<T>(id), T::descriptor()->name()).template message<T>();
  }
  // The file is left to the real program.
  void Close() { store_.reset(); }

  int syncs() const { return syncs_; }

 private:
  const std::string name_;
  const Person owner_;
  const Clock& clock_;
  Tally* const tally_;
  std::unique_ptr<client::Store> store_;
  int syncs_ = 0;
};

class Edit {
 public:
  explicit Edit(Device* device) : device_(*device) {}

  template <typename T>
  Id Make(const std::function<void(T&)>& fill) {
    auto draft = device_.store().New<T>();
    fill(draft.template message<T>());
    return Add(std::move(draft), true);
  }
  template <typename T>
  void Change(const Id& id, const std::function<void(T&)>& change) {
    auto draft = Must(device_.store().Edit<T>(id), T::descriptor()->name());
    change(draft.template message<T>());
    Add(std::move(draft), false);
  }
  // A draft that an action has made. The id: also where the fields make it.
  Id Add(client::Draft draft, bool is_new);

  void Commit();
  // Why it is refused where it is to be, and nothing stays of it.
  absl::Status TryCommit();

 private:
  Device& device_;
  std::vector<std::pair<client::Draft, bool>> drafts_;
};

}  // namespace zhibu::year

#endif  // ZHIBU_TESTS_DEMO_YEAR_DEVICE_H_
