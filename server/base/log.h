// The observer of a server that runs: a line for whoever reads its log, and counts of all
// that it was told, which `zhibu admin counts` shows.
//
//   error  trouble what=edit device=7 edit=12 status=UNAVAILABLE said="…" do="…"
//   error  damage what="record 31 0194…" do="…"      once for each row, as long as it runs
//   debug  refused reason=NOT_ENTITLED device=7
//
// A refusal is told by its reason alone: its detail may be a name. Refusals are lines for
// debugging only, because anybody outside can make any number of them; they are counted.
#ifndef ZHIBU_SERVER_BASE_LOG_H_
#define ZHIBU_SERVER_BASE_LOG_H_

#include <map>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "server/base/observer.h"

namespace zhibu::server {

// What can be said of a status without anything that a client wrote.
std::string SaidOf(const absl::Status& status);
// What whoever operates the server is to do about it.
absl::string_view AdviceOn(const absl::Status& status);

class Log final : public Observer {
 public:
  void OnRefused(sync::v1::Reason reason, DeviceNumber device) override;
  void OnTrouble(const Trouble& trouble) override;
  void OnDamage(const Damage& damage) override;
  void OnEntered(Entrance by) override;
  void OnSessionOpened(DeviceNumber device) override;
  void OnSessionEnded(DeviceNumber device) override;
  void OnCommitted(size_t edits, std::chrono::nanoseconds took) override;
  void OnUpdate(DeviceNumber device, size_t bytes) override;

  // "refused.NOT_ENTITLED" → 3. What has not happened is not there.
  std::map<std::string, uint64_t> Counts() const;

 private:
  void Count(absl::string_view what, uint64_t more = 1);

  mutable absl::Mutex mutex_;
  std::map<std::string, uint64_t, std::less<>> counts_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> damaged_ ABSL_GUARDED_BY(mutex_);  // those that have had their line
};

}  // namespace zhibu::server

#endif  // ZHIBU_SERVER_BASE_LOG_H_
