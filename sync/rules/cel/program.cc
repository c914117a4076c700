#include "sync/rules/cel/program.h"

#include "absl/strings/str_cat.h"

namespace zhibu::cel {

std::string FieldUse::ToText() const {
  std::string text = root;
  for (const auto* field : path) absl::StrAppend(&text, ".", field->name());
  return text;
}

Value Program::Evaluate(const Activation& activation, Budget budget) const {
  Meter meter(budget);
  return Evaluate(activation, &meter);
}

Value Program::Evaluate(const Activation& activation, Meter* meter) const {
  Frame frame{activation, *meter, std::vector<Value>(code_->locals)};
  Value result = code_->root->Evaluate(frame);
  if (!meter->exhausted()) return result;
  return Value::Error(absl::StrCat("more than the budget of ", meter->budget().steps, " steps"));
}

}  // namespace zhibu::cel
