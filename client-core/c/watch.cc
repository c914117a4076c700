// A list that is watched.
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client-core/c/call.h"
#include "client-core/c/open_store.h"
#include "client-core/c/rows.h"
#include "client-core/c/told.h"
#include "client-core/query/live_list.h"

namespace zhibu::client {
namespace {

class OpenWatch final : public OnAStore {
 public:
  OpenWatch(const std::shared_ptr<Store>& store, Selection selection, size_t window, bool json)
      : OnAStore(store),
        json_(json),
        list_(std::make_shared<LiveList>(store.get(), std::move(selection), window)),
        subscription_(
            store->Subscribe([list = list_](const Changes& changes) { list->Happened(changes); })) {
  }

  bool json() const { return json_; }
  absl::StatusOr<std::optional<Difference>> Next() {
    absl::MutexLock lock(&mutex_);
    return list_->Next();
  }

 private:
  const bool json_;
  absl::Mutex mutex_;  // one difference after the other
  // A commit of another thread may still be telling of itself while this is closed.
  const std::shared_ptr<LiveList> list_;
  const Store::Subscription subscription_;
};

api::v1::Difference::Known ToApi(Difference::Known known) {
  switch (known) {
    case Difference::Known::kNotYet:
      return api::v1::Difference::NOT_YET;
    case Difference::Known::kInPart:
      return api::v1::Difference::IN_PART;
    case Difference::Known::kWhole:
      return api::v1::Difference::WHOLE;
  }
  return api::v1::Difference::KNOWN_UNSPECIFIED;
}

api::v1::Difference ToApi(const Difference& from, bool json) {
  const auto place = [&](size_t at, const Row& row, api::v1::Difference::Placed* placed) {
    placed->set_at(static_cast<uint32_t>(at));
    *placed->mutable_row() = ToApi(row, json);
  };
  api::v1::Difference told;
  for (const size_t at : from.removed) told.add_removed(static_cast<uint32_t>(at));
  for (const auto& [old, now] : from.moved) {
    auto& moved = *told.add_moved();
    moved.set_from(static_cast<uint32_t>(old));
    moved.set_to(static_cast<uint32_t>(now));
  }
  for (const auto& inserted : from.inserted) place(inserted.at, inserted.row, told.add_inserted());
  for (const auto& changed : from.changed) {
    auto* placed = told.add_changed();
    place(changed.at, changed.row, placed);
    placed->set_marks_only(changed.marks_only);
  }
  told.set_selected(static_cast<uint32_t>(from.selected));
  told.set_known(ToApi(from.known));
  told.set_as_of_ms(from.as_of_ms);
  if (!from.damage.ok()) *told.mutable_damage() = ErrorOf(from.damage);
  return told;
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_watch_open(zhibu_handle store, zhibu_in query, zhibu_handle* watch,
                         zhibu_out* error) {
  return Call(nullptr, error, [&]() -> Answer {
    if (watch == nullptr) return absl::InvalidArgumentError("no place for the handle");
    *watch = 0;
    ASSIGN_OR_RETURN(const auto open, Opened<OpenStore>(store));
    ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::Query>(query));
    ASSIGN_OR_RETURN(Selection selection, SelectionIn(open->store(), wanted));
    ASSIGN_OR_RETURN(*watch,
                     open->Add(std::make_shared<OpenWatch>(open->shared(), std::move(selection),
                                                           LimitIn(wanted), wanted.json())));
    return std::string();
  });
}

int32_t zhibu_watch_next(zhibu_handle watch, zhibu_out* difference, zhibu_out* error) {
  return Call(difference, error, [&]() -> Answer {
    ASSIGN_OR_RETURN(const auto open, Opened<OpenWatch>(watch));
    ASSIGN_OR_RETURN(const auto next, open->Next());
    return next ? Bytes(ToApi(*next, open->json())) : std::string();
  });
}

int32_t zhibu_watch_close(zhibu_handle watch, zhibu_out* error) {
  return Call(nullptr, error, [&] { return Done(CloseHandle<OpenWatch>(watch)); });
}
