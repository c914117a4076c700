// What is open on behalf of an app, by number.
//
//   handle = generation of its place << 32 | place
//
// A place is used again, a number never: a handle that has been closed names nothing from then on.
// A call that is under way keeps what it works on alive while another thread closes it.
#ifndef ZHIBU_CLIENT_CORE_C_HANDLES_H_
#define ZHIBU_CLIENT_CORE_C_HANDLES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace zhibu::client {

class Object {
 public:
  virtual ~Object() = default;
  // It is closed: no callback of it runs once this has returned, and none will.
  virtual void Close() {}
};

class Handles {
 public:
  uint64_t Add(std::shared_ptr<Object> object);
  // Null where the number names nothing.
  std::shared_ptr<Object> Find(uint64_t handle);
  std::shared_ptr<Object> Take(uint64_t handle);
  uint64_t live();

 private:
  struct Place {
    uint32_t generation = 1;
    std::shared_ptr<Object> object;
  };
  Place* PlaceOf(uint64_t handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::vector<Place> places_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint32_t> empty_ ABSL_GUARDED_BY(mutex_);
};

// Of this process. It is never destroyed: a thread of the app may still ask while the program ends.
Handles& AllHandles();

}  // namespace zhibu::client

#endif  // ZHIBU_CLIENT_CORE_C_HANDLES_H_
