// A rule that anybody wrote, against a record that anybody filled in. What must hold, besides that
// it ends and breaks nothing:
//
//   Parse(Unparse(Parse(x))) = Parse(x)
//   a program that was checked fails only where evaluation can: no name is unknown to it
//   the same again gives the same
//
//   input = an expression, a zero byte, a record's own bytes
#include <gtest/gtest.h>
#include <re2/re2.h>

#include "proto/policies.pb.h"
#include "sync/rules/cel/environment.h"
#include "sync/rules/cel/limits.h"
#include "sync/rules/cel/parser.h"
#include "sync/rules/cel/unparse.h"
#include "tests/sync/rules/cel/outline.h"

namespace zhibu::cel {
namespace {

using zhibu::testing::Sampler;

constexpr Budget kBudget{2'000};

class Reader : public Host {
 public:
  bool Hides(const google::protobuf::Message&,
             const google::protobuf::FieldDescriptor& field) const override {
    return field.name() == "server";
  }
};

struct Rules {
  Rules() {
    environment.AddEnum("Sampler", *Sampler::Step_descriptor());
    environment.AddFunction(
        {"param", Style::kGlobal, {Type::String()}, Type::Int(), [](Call& call) {
           if (call[0].text() == "known") return Value::Int(12);
           return Value::Unknown("param");
         }});
    environment.AddFunction({"ref",
                             Style::kReceiver,
                             {Type::Message(*Sampler::descriptor())},
                             Type::Message(*Sampler::descriptor()),
                             [](Call& call) { return call[0]; }});
  }

  Environment environment;
  const Variable record = environment.AddVariable("this", Type::Message(*Sampler::descriptor()));
  const Variable any = environment.AddVariable("any", Type::Dyn());
};

void ExpectWrittenAgain(absl::string_view source) {
  const auto expr = Parse(source);
  if (!expr.ok()) {
    EXPECT_EQ(expr.status().code(), absl::StatusCode::kInvalidArgument);
    return;
  }
  const std::string text = Unparse(*expr);
  if (text.size() > kSourceBytesMax) return;
  const auto again = Parse(text);
  EXPECT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(Outline(*again), Outline(*expr));
  EXPECT_EQ(Unparse(*again), text);
}

void ExpectTheSameTwice(const absl::StatusOr<Program>& program, const Activation& activation) {
  if (!program.ok()) return;
  const std::string said = program->Evaluate(activation, kBudget).ToText();
  EXPECT_EQ(program->Evaluate(activation, kBudget).ToText(), said);
}

void ExpectNothingUnresolved(const absl::StatusOr<Program>& program, const Activation& activation) {
  if (!program.ok()) return;
  const Value value = program->Evaluate(activation, kBudget);
  // The whole head of the message: a rule may say those words itself.
  EXPECT_FALSE(
      RE2::PartialMatch(value.ToText(), "^error: line \\d+, column \\d+: nothing is called '"))
      << value.ToText();
  EXPECT_TRUE(!value.is_proper() || AcceptsOrNull(program->type(), value)) << value.ToText();
}

}  // namespace
}  // namespace zhibu::cel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace zhibu::cel;
  static const Rules& rules = *new Rules;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const absl::string_view source = input.substr(0, input.find('\0'));
  ExpectWrittenAgain(source);

  zhibu::testing::Sampler sampler;
  if (source.size() < input.size()) {
    (void)sampler.ParsePartialFromString(std::string(input.substr(source.size() + 1)));
  }
  const Reader reader;
  Activation activation;
  activation.Set(rules.record, Value::OfMessage(&sampler));
  activation.Set(rules.any, Value::OfMessage(&sampler));
  activation.set_host(&reader);
  const auto checked = rules.environment.Compile(source);
  ExpectTheSameTwice(checked, activation);
  ExpectNothingUnresolved(checked, activation);
  ExpectTheSameTwice(rules.environment.CompileUnchecked(source), activation);
  return 0;
}
