#include "server/base/observer.h"

#include "absl/strings/str_cat.h"
#include "sync/base/damage.h"
#include "sync/base/environment.h"

namespace zhibu::server {

std::string TextOf(const Damage& damage) {
  switch (damage.what) {
    case Damage::What::kRecord:
      return absl::StrCat("record ", damage.record.type, " ", Hex(damage.record.id.bytes()));
    case Damage::What::kEdit:
      return absl::StrCat("edit ", damage.edit.value, " of device ", damage.device.value);
    case Damage::What::kName:
      return absl::StrCat("name of device ", damage.device.value);
    case Damage::What::kSums:
      return absl::StrCat("sums of ", Hex(damage.scope.bytes()));
  }
  return "";
}

absl::Status StatusOf(const Damage& damage) { return DamagedRow(TextOf(damage)); }

Observer* Observer::None() {
  static Observer none;
  return &none;
}

}  // namespace zhibu::server
