#include "sync/rules/cel/activation.h"

namespace zhibu::cel {

const Value* Activation::Find(Variable variable) const {
  if (slots_.size() <= variable.number) return nullptr;
  Slot& slot = slots_[variable.number];
  if (!slot.value.has_value()) {
    if (!slot.compute) return nullptr;
    slot.value = slot.compute();
  }
  return &*slot.value;
}

}  // namespace zhibu::cel
