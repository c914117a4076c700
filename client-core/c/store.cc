// A store is opened, put to sleep, looked at and closed.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "client-core/actions/known.h"
#include "client-core/c/call.h"
#include "client-core/c/open_store.h"
#include "client-core/c/told.h"
#include "sync/base/reason.h"
#include "sync/crypto/seal.h"

namespace zhibu::client {
namespace {

absl::StatusOr<zhibu_handle> Open(zhibu_in options, zhibu_in key) {
  ASSIGN_OR_RETURN(const auto wanted, Read<api::v1::OpenOptions>(options));
  ASSIGN_OR_RETURN(const absl::string_view app_key, BytesIn(key));
  // A file that is not sealed is for tests of the core, and no app's.
  if (app_key.size() != Seal::kKeySize || wanted.file().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a store has a file, and a key of ", Seal::kKeySize, " bytes"));
  }
  // The system would take another file's name for it.
  if (absl::StrContains(wanted.file(), '\0')) return Refuse(sync::v1::MALFORMED, "file");
  ASSIGN_OR_RETURN(std::shared_ptr<Store> store,
                   Store::Open({.file = wanted.file(), .key = std::string(app_key)}));
  return AllHandles().Add(std::make_shared<OpenStore>(std::move(store)));
}

api::v1::State ToApi(const SyncState& from) {
  api::v1::State state;
  state.set_unsent(from.unsent);
  state.set_delivered(from.delivered);
  state.set_merged(from.merged);
  state.set_returned(from.returned);
  state.set_held(from.held);
  state.set_not_sent(from.not_sent);
  state.set_last_success_ms(from.last_success_ms);
  state.set_progress_done(from.progress_done);
  state.set_progress_total(from.progress_total);
  state.set_records_received(from.records_received);
  state.set_bytes_received(from.bytes_received);
  if (from.problem != sync::v1::NO_REASON) {
    *state.mutable_problem() = ErrorOf(from.problem, from.problem_detail);
  }
  state.set_synced(from.synced());
  return state;
}

}  // namespace
}  // namespace zhibu::client

using namespace zhibu;          // NOLINT
using namespace zhibu::client;  // NOLINT

int32_t zhibu_open(zhibu_in options, zhibu_in key, zhibu_handle* store, zhibu_out* error) {
  return Call(nullptr, error, [&]() -> Answer {
    if (store == nullptr) return absl::InvalidArgumentError("no place for the handle");
    *store = 0;
    ASSIGN_OR_RETURN(*store, Open(options, key));
    return std::string();
  });
}

int32_t zhibu_close(zhibu_handle store, zhibu_out* error) {
  return Call(nullptr, error, [&] { return Done(CloseHandle<OpenStore>(store)); });
}

int32_t zhibu_suspend(zhibu_handle store, zhibu_out* error) {
  return Call(nullptr, error, [&]() -> Answer {
    ASSIGN_OR_RETURN(const auto open, Opened<OpenStore>(store));
    open->Suspend();
    return std::string();
  });
}

int32_t zhibu_resume(zhibu_handle store, zhibu_out* error) {
  return OnStore(store, nullptr, error, [](Store& open) { return Done(open.Resume()); });
}

int32_t zhibu_rekey(zhibu_handle store, zhibu_in key, zhibu_out* error) {
  return OnStore(store, nullptr, error, [&](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const absl::string_view bytes, BytesIn(key));
    return Done(open.Rekey(std::string(bytes)));
  });
}

int32_t zhibu_state(zhibu_handle store, zhibu_out* state, zhibu_out* error) {
  return OnStore(store, state, error, [](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const SyncState now, open.State());
    api::v1::State told = ToApi(now);
    ASSIGN_OR_RETURN(const int64_t server_now, open.ServerNow());
    told.set_server_now_ms(server_now);
    ASSIGN_OR_RETURN(const absl::CivilDay today, Today(open));
    told.set_today(absl::FormatCivilTime(today));
    return Bytes(told);
  });
}

int32_t zhibu_identity(zhibu_handle store, zhibu_out* identity, zhibu_out* error) {
  return OnStore(store, identity, error, [](Store& open) -> Answer {
    ASSIGN_OR_RETURN(const Identity known, open.GetIdentity());
    api::v1::Identity told;
    told.set_device(known.device.value);
    told.set_person_id(known.person.str());
    if (!known.record.empty()) told.set_record_id(known.record.str());
    told.set_address(known.address);
    told.set_fingerprint(known.fingerprint);
    return Bytes(told);
  });
}
