// What the variables of a program are, for one or more evaluations.
//
//   Activation activation;
//   activation.Set(this_step, Value::OfMessage(&step));
//   activation.SetLazy(branch, [&] { return Find(step.branch_id()); });   // asked once, if at all
//   activation.set_host(&book);                                          // for its own functions
//
// One thread at a time: what was computed lazily is kept in it.
#ifndef ZHIBU_SYNC_RULES_CEL_ACTIVATION_H_
#define ZHIBU_SYNC_RULES_CEL_ACTIVATION_H_

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "sync/rules/cel/value.h"

namespace zhibu::cel {

// One that an Environment has declared.
struct Variable {
  size_t number = 0;
};

// Whoever evaluates: what functions of theirs find again (Call::host), and what may be read.
class Host {
 public:
  virtual ~Host() = default;

  // A field that is not known here, say because it may not be read: it is unknown, whatever the
  // message holds.
  virtual bool Hides(const google::protobuf::Message& /*of*/,
                     const google::protobuf::FieldDescriptor& /*field*/) const {
    return false;
  }
};

class Activation {
 public:
  void Set(Variable variable, Value value) { Place(variable).value = std::move(value); }
  void SetLazy(Variable variable, std::function<Value()> compute) {
    Place(variable) = {std::nullopt, std::move(compute)};
  }
  // Borrowed.
  void set_host(const Host* host) { host_ = host; }

  const Host* host() const { return host_; }
  // Null where nothing was set.
  const Value* Find(Variable variable) const;

 private:
  struct Slot {
    std::optional<Value> value;
    std::function<Value()> compute;
  };

  Slot& Place(Variable variable) {
    if (slots_.size() <= variable.number) slots_.resize(variable.number + 1);
    return slots_[variable.number];
  }

  mutable std::vector<Slot> slots_;
  const Host* host_ = nullptr;
};

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_ACTIVATION_H_
