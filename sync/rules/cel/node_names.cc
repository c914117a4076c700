// Constants, variables, and fields of what they hold.
#include "absl/strings/str_cat.h"
#include "sync/rules/cel/collections.h"
#include "sync/rules/cel/field.h"
#include "sync/rules/cel/node.h"

namespace zhibu::cel {

using google::protobuf::FieldDescriptor;

namespace {

class Constant : public Node {
 public:
  Constant(Position at, Value value) : Node(at), value_(std::move(value)) {}

 private:
  Value Yield(Frame& /*frame*/) const override { return value_; }
  const Value value_;
};

class VariableNode : public Node {
 public:
  VariableNode(Position at, Variable variable, std::string name, Type type)
      : Node(at), variable_(variable), name_(std::move(name)), type_(std::move(type)) {}

 private:
  Value Yield(Frame& frame) const override {
    const Value* value = frame.activation.Find(variable_);
    if (value == nullptr) return Fail(absl::StrCat("'", name_, "' was given no value"));
    if (!value->is_proper()) return Value(*value).At(at());
    if (AcceptsOrNull(type_, *value)) return *value;
    return Fail(absl::StrCat("'", name_, "' is declared as ", type_.ToText(), ", and was given ",
                             value->TypeName()));
  }

  const Variable variable_;
  const std::string name_;
  const Type type_;
};

class Local : public Node {
 public:
  Local(Position at, size_t slot) : Node(at), slot_(slot) {}

 private:
  Value Yield(Frame& frame) const override { return Value(frame.locals[slot_]).At(at()); }
  const size_t slot_;
};

class Failure : public Node {
 public:
  Failure(Position at, std::string words) : Node(at), words_(std::move(words)) {}

 private:
  Value Yield(Frame& /*frame*/) const override { return Fail(words_); }
  const std::string words_;
};

bool IsHidden(const Frame& frame, const MessageRef& of, const FieldDescriptor& field) {
  const Host* host = frame.activation.host();
  return host != nullptr && host->Hides(*of.message, field);
}

Value Read(Frame& frame, const MessageRef& of, const FieldDescriptor& field) {
  if (IsHidden(frame, of, field)) return Value::Unknown(field.full_name());
  const bool paid =
      !field.is_map() || frame.meter.Charge(static_cast<uint64_t>(
                             of.message->GetReflection()->FieldSize(*of.message, &field)));
  return paid ? ReadField(of, field) : Value::Error("too large a map");
}

Value Has(const Frame& frame, const MessageRef& of, const FieldDescriptor& field) {
  if (IsHidden(frame, of, field)) return Value::Unknown(field.full_name());
  return Value::Bool(HasField(of, field));
}

// Of a message of one type. Another than was declared is refused: its fields are others.
class Field : public Node {
 public:
  Field(Position at, NodePtr of, const FieldDescriptor& field, bool has)
      : Node(at), of_(std::move(of)), field_(field), has_(has) {}

 private:
  Value Yield(Frame& frame) const override {
    const Value of = of_->Evaluate(frame);
    if (!of.is_proper()) return of;
    if (of.kind() != Kind::kMessage ||
        of.message().message->GetDescriptor() != field_.containing_type()) {
      return Fail(absl::StrCat(of.TypeName(), " has no field '", field_.name(), "' of ",
                               field_.containing_type()->full_name()));
    }
    return has_ ? Has(frame, of.message(), field_) : Read(frame, of.message(), field_).At(at());
  }

  const NodePtr of_;
  const FieldDescriptor& field_;
  const bool has_;
};

class NamedField : public Node {
 public:
  NamedField(Position at, NodePtr of, std::string name, bool has)
      : Node(at), of_(std::move(of)), name_(Value::String(std::move(name))), has_(has) {}

 private:
  Value Yield(Frame& frame) const override {
    const Value of = of_->Evaluate(frame);
    if (!of.is_proper()) return of;
    if (of.kind() == Kind::kMap) return OfMap(of.map());
    if (of.kind() == Kind::kMessage) return OfMessage(frame, of.message());
    return Fail(absl::StrCat(of.TypeName(), " has no field '", name_.text(), "'"));
  }

  Value OfMap(const Map& map) const {
    const Value* found = map.Find(name_);
    if (has_) return Value::Bool(found != nullptr);
    return found != nullptr ? *found : Fail(absl::StrCat("no such key: '", name_.text(), "'"));
  }

  Value OfMessage(Frame& frame, const MessageRef& of) const {
    const FieldDescriptor* field =
        of.message->GetDescriptor()->FindFieldByName(std::string(name_.text()));
    if (field == nullptr) {
      return Fail(absl::StrCat(of.message->GetDescriptor()->full_name(), " has no field '",
                               name_.text(), "'"));
    }
    return has_ ? Has(frame, of, *field) : Read(frame, of, *field).At(at());
  }

  const NodePtr of_;
  const Value name_;
  const bool has_;
};

}  // namespace

NodePtr MakeConstant(Position at, Value value) {
  return std::make_unique<Constant>(at, std::move(value));
}
NodePtr MakeFailure(Position at, std::string words) {
  return std::make_unique<Failure>(at, std::move(words));
}
NodePtr MakeVariable(Position at, Variable variable, std::string name, Type type) {
  return std::make_unique<VariableNode>(at, variable, std::move(name), std::move(type));
}
NodePtr MakeLocal(Position at, size_t slot) { return std::make_unique<Local>(at, slot); }
NodePtr MakeField(Position at, NodePtr of, const FieldDescriptor& field) {
  return std::make_unique<Field>(at, std::move(of), field, /*has=*/false);
}
NodePtr MakeHasField(Position at, NodePtr of, const FieldDescriptor& field) {
  return std::make_unique<Field>(at, std::move(of), field, /*has=*/true);
}
NodePtr MakeNamedField(Position at, NodePtr of, std::string name) {
  return std::make_unique<NamedField>(at, std::move(of), std::move(name), /*has=*/false);
}
NodePtr MakeHasNamedField(Position at, NodePtr of, std::string name) {
  return std::make_unique<NamedField>(at, std::move(of), std::move(name), /*has=*/true);
}

}  // namespace zhibu::cel
