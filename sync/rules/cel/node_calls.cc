// Calls, and the lists and maps that are written out: each asks for all of its parts.
#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sync/rules/cel/node.h"
#include "sync/rules/cel/operators.h"

namespace zhibu::cel {
namespace {

using Values = absl::InlinedVector<Value, 4>;

// Null where all are proper; else what they come to, in *worst.
bool EvaluateAll(const std::vector<NodePtr>& nodes, Frame& frame, Values* values, Value* worst) {
  bool proper = true;
  for (const NodePtr& node : nodes) {
    values->push_back(node->Evaluate(frame));
    if (values->back().is_proper()) continue;
    *worst = proper ? values->back() : Value::Worse(*worst, values->back());
    proper = false;
  }
  return proper;
}

bool AcceptsAll(const Function& function, const Values& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!Accepts(function.parameters[i], arguments[i])) return false;
  }
  return true;
}

class CallNode : public Node {
 public:
  CallNode(Position at, std::vector<std::shared_ptr<const Function>> candidates,
           std::vector<NodePtr> arguments)
      : Node(at), candidates_(std::move(candidates)), arguments_(std::move(arguments)) {}

 private:
  Value Yield(Frame& frame) const override {
    Values values;
    Value worst;
    if (!EvaluateAll(arguments_, frame, &values, &worst)) return worst;
    for (const auto& function : candidates_) {
      if (AcceptsAll(*function, values)) return Run(*function, values, frame);
    }
    return Fail(NoneFits(values));
  }

  Value Run(const Function& function, const Values& values, Frame& frame) const {
    Call call(values, frame.activation.host(), &frame.meter);
    Value result = function.run(call);
    if (!result.is_proper()) return std::move(result).At(at());
    if (AcceptsOrNull(function.result, result)) return result;
    return Fail(absl::StrCat(function.name, "() is declared to give ", function.result.ToText(),
                             ", and gave ", result.TypeName()));
  }

  std::string NoneFits(const Values& values) const {
    std::string kinds = absl::StrJoin(values, ", ", [](std::string* text, const Value& value) {
      absl::StrAppend(text, value.TypeName());
    });
    return absl::StrCat("'", ShownName(candidates_[0]->name), "' is not declared for ", kinds);
  }

  const std::vector<std::shared_ptr<const Function>> candidates_;
  const std::vector<NodePtr> arguments_;
};

class ListNode : public Node {
 public:
  ListNode(Position at, std::vector<NodePtr> elements) : Node(at), elements_(std::move(elements)) {}

 private:
  Value Yield(Frame& frame) const override {
    Values values;
    Value worst;
    if (!EvaluateAll(elements_, frame, &values, &worst)) return worst;
    return Value::ListOf(
        {std::make_move_iterator(values.begin()), std::make_move_iterator(values.end())});
  }

  const std::vector<NodePtr> elements_;
};

class MapNode : public Node {
 public:
  MapNode(Position at, std::vector<NodePtr> entries) : Node(at), entries_(std::move(entries)) {}

 private:
  Value Yield(Frame& frame) const override {
    Values values;
    Value worst;
    if (!EvaluateAll(entries_, frame, &values, &worst)) return worst;
    std::vector<std::pair<Value, Value>> entries;
    for (size_t i = 0; i + 1 < values.size(); i += 2)
      entries.emplace_back(values[i], values[i + 1]);
    return Value::MapOf(std::move(entries)).At(at());
  }

  const std::vector<NodePtr> entries_;
};

}  // namespace

NodePtr MakeCall(Position at, std::vector<std::shared_ptr<const Function>> candidates,
                 std::vector<NodePtr> arguments) {
  return std::make_unique<CallNode>(at, std::move(candidates), std::move(arguments));
}
NodePtr MakeList(Position at, std::vector<NodePtr> elements) {
  return std::make_unique<ListNode>(at, std::move(elements));
}
NodePtr MakeMap(Position at, std::vector<NodePtr> entries) {
  return std::make_unique<MapNode>(at, std::move(entries));
}

}  // namespace zhibu::cel
