// + - * / % of numbers. Whole numbers do not overflow: that is an error.
#include <cmath>
#include <limits>

#include "sync/rules/cel/operators.h"
#include "sync/rules/cel/standard.h"

namespace zhibu::cel {
namespace {

Value Overflow() { return Value::Error("a number too large"); }

using IntPair = bool (*)(int64_t, int64_t, int64_t*);
using UintPair = bool (*)(uint64_t, uint64_t, uint64_t*);

template <IntPair operation>
Value OfInts(Call& call) {
  int64_t result = 0;
  if (operation(call[0].int_value(), call[1].int_value(), &result)) return Overflow();
  return Value::Int(result);
}

template <UintPair operation>
Value OfUints(Call& call) {
  uint64_t result = 0;
  if (operation(call[0].uint_value(), call[1].uint_value(), &result)) return Overflow();
  return Value::Uint(result);
}

// Each says whether the result does not fit.
template <typename T>
bool Add(T a, T b, T* result) {
  return __builtin_add_overflow(a, b, result);
}
template <typename T>
bool Subtract(T a, T b, T* result) {
  return __builtin_sub_overflow(a, b, result);
}
template <typename T>
bool Multiply(T a, T b, T* result) {
  return __builtin_mul_overflow(a, b, result);
}

// The quotient of the least int and -1 is the one that does not fit.
bool OverflowsDivided(int64_t a, int64_t b) {
  return a == std::numeric_limits<int64_t>::min() && b == -1;
}

Value DivideInts(Call& call) {
  const int64_t a = call[0].int_value(), b = call[1].int_value();
  if (b == 0) return Value::Error("division by zero");
  return OverflowsDivided(a, b) ? Overflow() : Value::Int(a / b);
}
Value RestOfInts(Call& call) {
  const int64_t a = call[0].int_value(), b = call[1].int_value();
  if (b == 0) return Value::Error("remainder of a division by zero");
  return OverflowsDivided(a, b) ? Overflow() : Value::Int(a % b);
}
Value DivideUints(Call& call) {
  const uint64_t b = call[1].uint_value();
  return b == 0 ? Value::Error("division by zero") : Value::Uint(call[0].uint_value() / b);
}
Value RestOfUints(Call& call) {
  const uint64_t b = call[1].uint_value();
  if (b == 0) return Value::Error("remainder of a division by zero");
  return Value::Uint(call[0].uint_value() % b);
}

Value NegateInt(Call& call) {
  int64_t result = 0;
  return Subtract<int64_t>(0, call[0].int_value(), &result) ? Overflow() : Value::Int(result);
}

void AddInts(std::vector<Function>* functions) {
  const Type type = Type::Int();
  const auto add = [&](const char* name, Implementation run) {
    functions->push_back({name, Style::kGlobal, {type, type}, type, std::move(run)});
  };
  add("_+_", OfInts<Add<int64_t>>);
  add("_-_", OfInts<Subtract<int64_t>>);
  add("_*_", OfInts<Multiply<int64_t>>);
  add("_/_", DivideInts);
  add("_%_", RestOfInts);
  functions->push_back({kNegate, Style::kGlobal, {type}, type, NegateInt});
}

void AddUints(std::vector<Function>* functions) {
  const Type type = Type::Uint();
  const auto add = [&](const char* name, Implementation run) {
    functions->push_back({name, Style::kGlobal, {type, type}, type, std::move(run)});
  };
  add("_+_", OfUints<Add<uint64_t>>);
  add("_-_", OfUints<Subtract<uint64_t>>);
  add("_*_", OfUints<Multiply<uint64_t>>);
  add("_/_", DivideUints);
  add("_%_", RestOfUints);
}

void AddDoubles(std::vector<Function>* functions) {
  const Type type = Type::Double();
  const auto add = [&](const char* name, double (*operation)(double, double)) {
    functions->push_back({name, Style::kGlobal, {type, type}, type, [operation](Call& call) {
                            return Value::Double(
                                operation(call[0].double_value(), call[1].double_value()));
                          }});
  };
  add("_+_", [](double a, double b) { return a + b; });
  add("_-_", [](double a, double b) { return a - b; });
  add("_*_", [](double a, double b) { return a * b; });
  // IEEE 754 says what division by zero is; C++ does not.
  add("_/_", [](double a, double b) {
    if (b != 0) return a / b;
    if (a == 0 || std::isnan(a)) return std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    return std::signbit(a) == std::signbit(b) ? infinity : -infinity;
  });
  functions->push_back({kNegate, Style::kGlobal, {type}, type, [](Call& call) {
                          return Value::Double(-call[0].double_value());
                        }});
}

}  // namespace

void AddArithmetic(std::vector<Function>* functions) {
  AddInts(functions);
  AddUints(functions);
  AddDoubles(functions);
}

}  // namespace zhibu::cel
