// What a program is when it runs: a tree in which every name is resolved. Fields are descriptors,
// variables numbers, functions those of the kinds that fit.
//
// Each node costs a step. What it yields may be an error, which carries the place of the node
// where it arose, or unknown.
#ifndef ZHIBU_SYNC_RULES_CEL_NODE_H_
#define ZHIBU_SYNC_RULES_CEL_NODE_H_

#include <google/protobuf/descriptor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sync/rules/cel/activation.h"
#include "sync/rules/cel/ast.h"
#include "sync/rules/cel/budget.h"
#include "sync/rules/cel/function.h"
#include "sync/rules/cel/position.h"
#include "sync/rules/cel/type.h"
#include "sync/rules/cel/value.h"

namespace zhibu::cel {

// One evaluation.
struct Frame {
  const Activation& activation;
  Meter& meter;
  std::vector<Value> locals;  // what macros run through
};

class Node {
 public:
  explicit Node(Position at) : at_(at) {}
  virtual ~Node() = default;

  Value Evaluate(Frame& frame) const {
    if (!frame.meter.Charge(1)) return Fail("more steps than the budget has");
    return Yield(frame);
  }

 protected:
  virtual Value Yield(Frame& frame) const = 0;

  Value Fail(std::string words) const { return Value::Error(std::move(words), at_); }
  Position at() const { return at_; }

 private:
  const Position at_;
};

using NodePtr = std::unique_ptr<const Node>;

NodePtr MakeConstant(Position at, Value value);
NodePtr MakeFailure(Position at, std::string words);
NodePtr MakeVariable(Position at, Variable variable, std::string name, Type type);
NodePtr MakeLocal(Position at, size_t slot);

// Of a message whose type is known.
NodePtr MakeField(Position at, NodePtr of, const google::protobuf::FieldDescriptor& field);
NodePtr MakeHasField(Position at, NodePtr of, const google::protobuf::FieldDescriptor& field);
// Of a map, or of what only evaluation knows.
NodePtr MakeNamedField(Position at, NodePtr of, std::string name);
NodePtr MakeHasNamedField(Position at, NodePtr of, std::string name);

NodePtr MakeAnd(Position at, NodePtr left, NodePtr right);
NodePtr MakeOr(Position at, NodePtr left, NodePtr right);
NodePtr MakeConditional(Position at, NodePtr condition, NodePtr yes, NodePtr no);

// The first of `candidates` that accepts the arguments is called.
NodePtr MakeCall(Position at, std::vector<std::shared_ptr<const Function>> candidates,
                 std::vector<NodePtr> arguments);
NodePtr MakeList(Position at, std::vector<NodePtr> elements);
// Key, value, key, value …
NodePtr MakeMap(Position at, std::vector<NodePtr> entries);

// `filter` may be null.
NodePtr MakeMacro(Position at, Macro macro, size_t slot, NodePtr range, NodePtr filter,
                  NodePtr body);

}  // namespace zhibu::cel

#endif  // ZHIBU_SYNC_RULES_CEL_NODE_H_
