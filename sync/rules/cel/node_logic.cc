// && || ?: where an error or unknown on one side may be outweighed by the other.
#include "absl/strings/str_cat.h"
#include "sync/rules/cel/node.h"

namespace zhibu::cel {
namespace {

// `decisive` is false for &&, true for ||: one such side settles it, whatever the other is.
class Logic : public Node {
 public:
  Logic(Position at, bool decisive, NodePtr left, NodePtr right)
      : Node(at), decisive_(decisive), left_(std::move(left)), right_(std::move(right)) {}

 private:
  Value Yield(Frame& frame) const override {
    const Value left = Side(*left_, frame);
    if (left.is_bool(decisive_)) return left;
    const Value right = Side(*right_, frame);
    if (right.is_bool(decisive_)) return right;
    if (left.is_proper() && right.is_proper()) return right;
    return Value::Worse(left, right);
  }

  Value Side(const Node& side, Frame& frame) const {
    Value value = side.Evaluate(frame);
    if (value.kind() == Kind::kBool || !value.is_proper()) return value;
    return Fail(absl::StrCat(decisive_ ? "||" : "&&", " asks for bool, not ", value.TypeName()));
  }

  const bool decisive_;
  const NodePtr left_;
  const NodePtr right_;
};

class Conditional : public Node {
 public:
  Conditional(Position at, NodePtr condition, NodePtr yes, NodePtr no)
      : Node(at), condition_(std::move(condition)), yes_(std::move(yes)), no_(std::move(no)) {}

 private:
  Value Yield(Frame& frame) const override {
    Value condition = condition_->Evaluate(frame);
    if (!condition.is_proper()) return condition;
    if (condition.kind() != Kind::kBool) {
      return Fail(absl::StrCat("? asks for bool, not ", condition.TypeName()));
    }
    return condition.bool_value() ? yes_->Evaluate(frame) : no_->Evaluate(frame);
  }

  const NodePtr condition_;
  const NodePtr yes_;
  const NodePtr no_;
};

}  // namespace

NodePtr MakeAnd(Position at, NodePtr left, NodePtr right) {
  return std::make_unique<Logic>(at, false, std::move(left), std::move(right));
}
NodePtr MakeOr(Position at, NodePtr left, NodePtr right) {
  return std::make_unique<Logic>(at, true, std::move(left), std::move(right));
}
NodePtr MakeConditional(Position at, NodePtr condition, NodePtr yes, NodePtr no) {
  return std::make_unique<Conditional>(at, std::move(condition), std::move(yes), std::move(no));
}

}  // namespace zhibu::cel
