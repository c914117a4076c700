// The language's own suite, which lies beside the project (data/README there says where it is
// from): every case but those that conformance_exceptions.txt names, each with its reason.
//
// Where the file has an escape of the format that it was made from as it stood (a backslash, u, and
// four digits, in place of the character; a backslash before a question mark in bytes), the value
// is put right by conformance_misprints.jsonl: such a case is judged as all others are.
#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sync/rules/cel/collections.h"
#include "sync/rules/cel/compare.h"
#include "sync/rules/cel/environment.h"
#include "tests/support/beside.h"

namespace zhibu::cel {
namespace {

using nlohmann::json;

constexpr size_t kExceptionsMax = 60;

Value ValueOf(const json& tagged);

Value ListOf(const json& elements) {
  std::vector<Value> values;
  for (const json& element : elements) values.push_back(ValueOf(element));
  return Value::ListOf(std::move(values));
}

Value MapOf(const json& entries) {
  std::vector<std::pair<Value, Value>> values;
  for (const json& entry : entries) values.emplace_back(ValueOf(entry[0]), ValueOf(entry[1]));
  return Value::MapOf(std::move(values));
}

template <typename T>
T NumberOf(const std::string& text) {
  T number{};
  if constexpr (std::is_same_v<T, double>) {
    EXPECT_TRUE(absl::SimpleAtod(text, &number)) << text;
  } else {
    EXPECT_TRUE(absl::SimpleAtoi(text, &number)) << text;
  }
  return number;
}

// {"int": "3"}
Value ValueOf(const json& tagged) {
  const std::string tag = tagged.begin().key();
  const json& held = tagged.begin().value();
  if (tag == "null") return Value::Null();
  if (tag == "bool") return Value::Bool(held.get<bool>());
  if (tag == "list") return ListOf(held);
  if (tag == "map") return MapOf(held);
  const auto text = held.get<std::string>();
  if (tag == "int") return Value::Int(NumberOf<int64_t>(text));
  if (tag == "uint") return Value::Uint(NumberOf<uint64_t>(text));
  if (tag == "double") return Value::Double(NumberOf<double>(text));
  if (tag == "string") return Value::String(text);
  if (tag == "type") return Value::TypeNamed(text);
  if (tag == "duration") {
    absl::Duration duration;
    EXPECT_TRUE(absl::ParseDuration(text, &duration)) << text;
    return Value::Duration(duration);
  }
  EXPECT_EQ(tag, "bytes");
  std::string bytes;
  EXPECT_TRUE(absl::Base64Unescape(text, &bytes));
  return Value::Bytes(bytes);
}

// Kinds must be the same too, all the way down; the order of a map's keys is nobody's.
bool IsSame(const Value& a, const Value& b);

bool IsSameList(const List& a, const List& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!IsSame(a.At(i), b.At(i))) return false;
  }
  return true;
}

bool IsSameMap(const Map& a, const Map& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [key, value] : a.entries()) {
    const Value* other = b.Find(key);
    if (other == nullptr || !IsSame(value, *other)) return false;
  }
  return true;
}

bool IsSame(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.kind() == Kind::kList) return IsSameList(a.list(), b.list());
  if (a.kind() == Kind::kMap) return IsSameMap(a.map(), b.map());
  if (a.kind() == Kind::kString || a.kind() == Kind::kBytes) return a.text() == b.text();
  return a.ToText() == b.ToText();
}

Value Run(const json& one) {
  Environment environment;
  Activation activation;
  const json bindings = one.value("bindings", json::object());
  for (const auto& [name, tagged] : bindings.items()) {
    const Value value = ValueOf(tagged);
    activation.Set(environment.AddVariable(name, TypeOfValue(value)), value);
  }
  const auto source = one["expr"].get<std::string>();
  const auto program = one.value("disable_check", false) ? environment.CompileUnchecked(source)
                                                         : environment.Compile(source);
  if (!program.ok()) return Value::Error(absl::StrCat("compiling: ", program.status().message()));
  return program->Evaluate(activation, Budget{});
}

// Empty where it is as it should be. `one` has an error, or a value.
std::string Complaint(const json& one) {
  const Value result = Run(one);
  if (one.value("error", false)) {
    return result.is_error() ? "" : absl::StrCat("an error, not ", result.ToText());
  }
  const Value expected = ValueOf(one["value"]);
  if (IsSame(result, expected)) return "";
  return absl::StrCat(expected.ToText(), ", not ", result.ToText());
}

std::ifstream OpenKept(const std::string& name) {
  return std::ifstream(std::string(ZHIBU_SOURCE) + "/tests/sync/rules/cel/" + name);
}

// The value by the name of the case.
std::map<std::string, json> Misprints() {
  std::map<std::string, json> misprints;
  std::ifstream file = OpenKept("conformance_misprints.jsonl");
  for (std::string line; std::getline(file, line);) {
    const json one = json::parse(line);
    misprints[one["name"].get<std::string>()] = one["value"];
  }
  return misprints;
}

std::map<std::string, std::string> Exceptions() {
  std::map<std::string, std::string> exceptions;
  std::ifstream file = OpenKept("conformance_exceptions.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t blank = line.find(' ');
    EXPECT_NE(blank, std::string::npos) << "without a reason: " << line;
    exceptions[line.substr(0, blank)] = line.substr(blank + 1);
  }
  return exceptions;
}

TEST(Conformance, EveryCaseOfTheLanguagesOwnSuiteIsAnsweredAsItSays) {
  const auto path = test::FindBeside("data/cel/conformance.jsonl");
  if (!path.has_value()) {
    GTEST_SKIP() << "the suite of CEL, shared/data/cel/conformance.jsonl, is in no folder above";
  }
  std::map<std::string, std::string> exceptions = Exceptions();
  std::map<std::string, json> misprints = Misprints();
  EXPECT_LE(exceptions.size() + misprints.size(), kExceptionsMax);
  std::ifstream file(*path);
  int cases = 0, passed = 0;
  for (std::string line; std::getline(file, line); ++cases) {
    json one = json::parse(line);
    const std::string name =
        absl::StrCat(one["file"].get<std::string>(), "/", one["section"].get<std::string>(), "/",
                     one["name"].get<std::string>());
    if (const auto right = misprints.find(name); right != misprints.end()) {
      EXPECT_NE(Complaint(one), "") << name << " is no misprint";
      one["value"] = right->second;
      misprints.erase(right);
    }
    const std::string complaint = Complaint(one);
    if (complaint.empty()) ++passed;
    const bool excepted = exceptions.erase(name) > 0;
    EXPECT_EQ(excepted, !complaint.empty())
        << name << ": " << one["expr"] << " should give " << complaint
        << (excepted ? " – it passes, and need not be excepted" : "");
  }
  EXPECT_THAT(exceptions, testing::IsEmpty()) << "excepted, and not in the suite";
  EXPECT_THAT(misprints, testing::IsEmpty()) << "misprinted, and not in the suite";
  EXPECT_EQ(cases, 1111);
  RecordProperty("passed", passed);
  std::cout << passed << " of " << cases << " cases pass" << std::endl;
}

}  // namespace
}  // namespace zhibu::cel
