#include "server/base/log.h"

#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"
#include "sync/base/damage.h"
#include "sync/base/reason.h"

namespace zhibu::server {
namespace {

// Beyond so many rows the store is to be restored, and each need not be named.
constexpr size_t kDamagedMax = 1000;

absl::string_view NameOf(Trouble::What what) {
  switch (what) {
    case Trouble::What::kEdit:
      return "edit";
    case Trouble::What::kFault:
      return "fault";
    case Trouble::What::kComposed:
      return "composed";
    case Trouble::What::kSession:
      return "session";
    case Trouble::What::kSeen:
      return "seen";
    case Trouble::What::kSums:
      return "sums";
    case Trouble::What::kRule:
      return "rule";
  }
  return "";
}

absl::string_view NameOf(Damage::What what) {
  switch (what) {
    case Damage::What::kRecord:
      return "record";
    case Damage::What::kEdit:
      return "edit";
    case Damage::What::kName:
      return "name";
    case Damage::What::kSums:
      return "sums";
  }
  return "";
}

absl::string_view NameOf(Entrance by) {
  switch (by) {
    case Entrance::kGrpcStream:
      return "streams.grpc";
    case Entrance::kWebStream:
      return "streams.web";
    case Entrance::kGrpcCall:
      return "calls.grpc";
    case Entrance::kWebCall:
      return "calls.web";
  }
  return "";
}

}  // namespace

// Words of these kinds are the program's own and the system's; others may quote.
std::string SaidOf(const absl::Status& status) {
  if (const Refused refused = ReasonOf(status); refused.reason != sync::v1::NO_REASON) {
    return sync::v1::Reason_Name(refused.reason);
  }
  const bool own = absl::IsUnavailable(status) || absl::IsDataLoss(status) ||
                   absl::IsInternal(status) || absl::IsResourceExhausted(status);
  return own ? std::string(status.message()) : "";
}

absl::string_view AdviceOn(const absl::Status& status) {
  if (absl::IsDataLoss(status)) {
    return "run zhibu admin check; restore the newest backup (docs/operating.md)";
  }
  if (absl::IsUnavailable(status)) {
    return "look at the disk: full, read-only or failing; devices try again by themselves";
  }
  if (absl::IsResourceExhausted(status)) {
    return "look at zhibu admin duplicates";
  }
  return "report it with this line and the program's version; nothing of the edit was taken";
}

void Log::OnRefused(sync::v1::Reason reason, DeviceNumber device) {
  Count(absl::StrCat("refused.", sync::v1::Reason_Name(reason)));
  spdlog::debug("refused reason={} device={}", sync::v1::Reason_Name(reason), device.value);
}

void Log::OnTrouble(const Trouble& trouble) {
  Count(absl::StrCat("trouble.", NameOf(trouble.what)));
  const auto level = trouble.what == Trouble::What::kRule || trouble.what == Trouble::What::kSeen
                         ? spdlog::level::warn
                         : spdlog::level::err;
  spdlog::log(level, "trouble what={} device={} edit={} type={} status={} said=\"{}\" do=\"{}\"",
              std::string(NameOf(trouble.what)), trouble.device.value, trouble.edit.value,
              trouble.type, absl::StatusCodeToString(trouble.status.code()), SaidOf(trouble.status),
              std::string(AdviceOn(trouble.status)));
}

void Log::OnDamage(const Damage& damage) {
  Count(absl::StrCat("damage.", NameOf(damage.what)));
  const std::string what = TextOf(damage);
  {
    absl::MutexLock lock(&mutex_);
    if (damaged_.size() >= kDamagedMax || !damaged_.insert(what).second) return;
  }
  spdlog::error("damage what=\"{}\" do=\"{}\"", what, std::string(AdviceOn(DamagedRow(what))));
}

void Log::OnEntered(Entrance by) { Count(NameOf(by)); }

void Log::OnSessionOpened(DeviceNumber device) {
  Count("sessions.opened");
  spdlog::debug("session opened device={}", device.value);
}

void Log::OnSessionEnded(DeviceNumber device) {
  Count("sessions.ended");
  spdlog::debug("session ended device={}", device.value);
}

void Log::OnCommitted(size_t edits, std::chrono::nanoseconds took) {
  Count("commits");
  Count("edits", edits);
  spdlog::trace("committed edits={} us={}", edits, took.count() / 1000);
}

void Log::OnUpdate(DeviceNumber device, size_t bytes) {
  Count("updates");
  Count("updates.bytes", bytes);
  spdlog::trace("update device={} bytes={}", device.value, bytes);
}

std::map<std::string, uint64_t> Log::Counts() const {
  absl::MutexLock lock(&mutex_);
  return {counts_.begin(), counts_.end()};
}

void Log::Count(absl::string_view what, uint64_t more) {
  absl::MutexLock lock(&mutex_);
  const auto it = counts_.find(what);
  if (it != counts_.end()) {
    it->second += more;
  } else {
    counts_.emplace(what, more);
  }
}

}  // namespace zhibu::server
