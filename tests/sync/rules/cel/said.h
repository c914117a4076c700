// What an expression comes to, as text, so that a test reads as a list of expressions:
//
//   EXPECT_EQ(Said("1 + 2"), "3");
//   EXPECT_EQ(Said("1 / 0"), "error: line 1, column 3: division by zero");
//   EXPECT_EQ(Said("1 + ''"), "refused: line 1, column 3: …");
#ifndef ZHIBU_TESTS_SYNC_RULES_CEL_SAID_H_
#define ZHIBU_TESTS_SYNC_RULES_CEL_SAID_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "sync/rules/cel/environment.h"

namespace zhibu::cel {

inline std::string Said(absl::string_view source, const Environment& environment = Environment(),
                        const Activation& activation = Activation(), Budget budget = {}) {
  const auto program = environment.Compile(source);
  if (!program.ok()) return absl::StrCat("refused: ", program.status().message());
  return program->Evaluate(activation, budget).ToText();
}

// `true`, `false`, an error or unknown, by the names t, f, e, e2, u, u2.
struct Truths {
  Truths() {
    Add("t", Value::Bool(true));
    Add("f", Value::Bool(false));
    Add("e", Value::Error("wrong"));
    Add("e2", Value::Error("wrong too"));
    Add("u", Value::Unknown("ref(a)"));
    Add("u2", Value::Unknown("ref(b)"));
  }
  std::string Say(absl::string_view source) const { return Said(source, environment, activation); }

  Environment environment;
  Activation activation;

 private:
  void Add(absl::string_view name, Value value) {
    activation.Set(environment.AddVariable(name, Type::Bool()), std::move(value));
  }
};

}  // namespace zhibu::cel

#endif  // ZHIBU_TESTS_SYNC_RULES_CEL_SAID_H_
