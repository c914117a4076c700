// What runs through a list, or through the keys of a map.
//
//   all, exists      as && and || of every element: false, or true, outweighs errors and unknown
//   exists_one, map, filter   the first error or unknown is the result
#include <optional>

#include "absl/strings/str_cat.h"
#include "sync/rules/cel/collections.h"
#include "sync/rules/cel/macros.h"
#include "sync/rules/cel/node.h"

namespace zhibu::cel {
namespace {

bool IsRange(const Value& value) {
  return value.kind() == Kind::kList || value.kind() == Kind::kMap;
}
size_t SizeOf(const Value& range) {
  return range.kind() == Kind::kList ? range.list().size() : range.map().size();
}
Value ElementOf(const Value& range, size_t index) {
  return range.kind() == Kind::kList ? range.list().At(index) : range.map().entries()[index].first;
}

class MacroNode : public Node {
 public:
  MacroNode(Position at, Macro macro, size_t slot, NodePtr range, NodePtr filter, NodePtr body)
      : Node(at),
        macro_(macro),
        slot_(slot),
        range_(std::move(range)),
        filter_(std::move(filter)),
        body_(std::move(body)) {}

 private:
  Value Yield(Frame& frame) const override {
    const Value range = range_->Evaluate(frame);
    if (!range.is_proper()) return range;
    if (!IsRange(range)) {
      return Fail(absl::StrCat(NameOf(macro_), " runs through a list or map, not through ",
                               range.TypeName()));
    }
    switch (macro_) {
      case Macro::kAll:
        return Quantify(range, /*decisive=*/false, frame);
      case Macro::kExists:
        return Quantify(range, /*decisive=*/true, frame);
      case Macro::kExistsOne:
        return Count(range, frame);
      default:
        return Collect(range, frame);
    }
  }

  Value Quantify(const Value& range, bool decisive, Frame& frame) const {
    Value result = Value::Bool(!decisive);
    for (size_t i = 0; i < SizeOf(range) && !frame.meter.exhausted(); ++i) {
      const Value holds = Holds(*body_, ElementOf(range, i), frame);
      if (holds.is_bool(decisive)) return holds;
      if (!holds.is_proper()) result = result.is_proper() ? holds : Value::Worse(result, holds);
    }
    return result;
  }

  Value Count(const Value& range, Frame& frame) const {
    size_t count = 0;
    for (size_t i = 0; i < SizeOf(range); ++i) {
      Value holds = Holds(*body_, ElementOf(range, i), frame);
      if (!holds.is_proper()) return holds;
      if (holds.bool_value()) ++count;
    }
    return Value::Bool(count == 1);
  }

  // map and filter.
  Value Collect(const Value& range, Frame& frame) const {
    std::vector<Value> all;
    for (size_t i = 0; i < SizeOf(range); ++i) {
      std::optional<Value> one = Collected(ElementOf(range, i), frame);
      if (!one.has_value()) continue;
      if (!one->is_proper()) return *std::move(one);
      all.push_back(*std::move(one));
    }
    return Value::ListOf(std::move(all));
  }

  // Nothing where the element is left out.
  std::optional<Value> Collected(const Value& element, Frame& frame) const {
    const Node* filter = macro_ == Macro::kFilter ? body_.get() : filter_.get();
    if (filter != nullptr) {
      Value holds = Holds(*filter, element, frame);
      if (!holds.is_proper()) return holds;
      if (!holds.bool_value()) return std::nullopt;
    }
    if (macro_ == Macro::kFilter) return Value(element).At(at());
    frame.locals[slot_] = element;
    return body_->Evaluate(frame);
  }

  Value Holds(const Node& predicate, const Value& element, Frame& frame) const {
    frame.locals[slot_] = element;
    Value holds = predicate.Evaluate(frame);
    if (holds.kind() == Kind::kBool || !holds.is_proper()) return holds;
    return Fail(absl::StrCat(NameOf(macro_), " asks for bool, not ", holds.TypeName()));
  }

  const Macro macro_;
  const size_t slot_;
  const NodePtr range_;
  const NodePtr filter_;
  const NodePtr body_;
};

}  // namespace

NodePtr MakeMacro(Position at, Macro macro, size_t slot, NodePtr range, NodePtr filter,
                  NodePtr body) {
  return std::make_unique<MacroNode>(at, macro, slot, std::move(range), std::move(filter),
                                     std::move(body));
}

}  // namespace zhibu::cel
