#include "sync/rules/cel/parser.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sync/base/status.h"
#include "sync/rules/cel/lexer.h"
#include "sync/rules/cel/limits.h"
#include "sync/rules/cel/literal.h"
#include "sync/rules/cel/macros.h"
#include "sync/rules/cel/operators.h"
#include "sync/rules/cel/utf8.h"

namespace zhibu::cel {
namespace {

using Form = Expr::Form;

constexpr absl::string_view kReserved[] = {
    "as",        "break", "const",  "continue", "else", "false", "for",
    "function",  "if",    "import", "in",       "let",  "loop",  "package",
    "namespace", "null",  "return", "true",     "var",  "void",  "while"};

// 0: no operator between two.
int PrecedenceOf(const Token& token) {
  const bool named = token.kind == Token::Kind::kName && token.text == "in";
  if (token.kind != Token::Kind::kSign && !named) return 0;
  const absl::string_view text = token.text;
  if (text == "||") return 1;
  if (text == "&&") return 2;
  for (const absl::string_view relation : {"==", "!=", "<", "<=", ">", ">=", "in"}) {
    if (text == relation) return 3;
  }
  if (text == "+" || text == "-") return 4;
  return text == "*" || text == "/" || text == "%" ? 5 : 0;
}

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  absl::StatusOr<Expr> ParseAll() {
    ASSIGN_OR_RETURN(Expr expr, Expression());
    if (Next().kind != Token::Kind::kEnd) return Unexpected("an operator or the end");
    return expr;
  }

 private:
  // How many brackets and signs are open.
  class Level {
   public:
    explicit Level(int* nesting) : nesting_(*nesting) { ++nesting_; }
    ~Level() { --nesting_; }
    bool is_too_deep() const { return nesting_ > kNestingMax; }

   private:
    int& nesting_;
  };

  const Token& Next() const { return tokens_[next_]; }
  bool Sees(absl::string_view sign) const {
    return Next().kind == Token::Kind::kSign && Next().text == sign;
  }
  Token Take() { return tokens_[next_++]; }
  bool TakeIf(absl::string_view sign) {
    const bool seen = Sees(sign);
    if (seen) ++next_;
    return seen;
  }
  absl::Status Expect(absl::string_view sign) {
    return TakeIf(sign) ? absl::OkStatus() : Unexpected(absl::StrCat("'", sign, "'"));
  }
  absl::Status Unexpected(absl::string_view wanted) const {
    const std::string what =
        Next().kind == Token::Kind::kEnd ? "the end" : absl::StrCat("'", Next().text, "'");
    return ErrorAt(Next().at, absl::StrCat(wanted, " should stand where ", what, " does"));
  }
  absl::Status TooDeep() const { return ErrorAt(Next().at, "nested too deep"); }

  static absl::StatusOr<Expr> Make(Expr expr) {
    for (const Expr& child : expr.children) expr.depth = std::max(expr.depth, child.depth + 1);
    if (expr.depth > kDepthMax) return ErrorAt(expr.at, "nested too deep");
    return expr;
  }
  static absl::StatusOr<Expr> MakeCall(Position at, std::string name, std::vector<Expr> children,
                                       bool receiver = false) {
    Expr expr{Form::kCall, at};
    expr.name = std::move(name);
    expr.receiver = receiver;
    expr.children = std::move(children);
    return Make(std::move(expr));
  }

  absl::StatusOr<Expr> Expression() {
    const Level level(&nesting_);
    if (level.is_too_deep()) return TooDeep();
    ASSIGN_OR_RETURN(Expr condition, Binary(1));
    const Position at = Next().at;
    if (!TakeIf("?")) return condition;
    std::vector<Expr> children;
    children.push_back(std::move(condition));
    ASSIGN_OR_RETURN(children.emplace_back(), Binary(1));
    RETURN_IF_ERROR(Expect(":"));
    ASSIGN_OR_RETURN(children.emplace_back(), Expression());
    return MakeCall(at, kConditional, std::move(children));
  }

  absl::StatusOr<Expr> Binary(int lowest) {
    ASSIGN_OR_RETURN(Expr left, Unary());
    for (int precedence; (precedence = PrecedenceOf(Next())) >= lowest;) {
      const Token token = Take();
      std::vector<Expr> children;
      children.push_back(std::move(left));
      ASSIGN_OR_RETURN(children.emplace_back(), Binary(precedence + 1));
      const std::string name = token.text == "in" ? kIn : absl::StrCat("_", token.text, "_");
      ASSIGN_OR_RETURN(left, MakeCall(token.at, name, std::move(children)));
    }
    return left;
  }

  absl::StatusOr<Expr> Unary() {
    const Level level(&nesting_);
    if (level.is_too_deep()) return TooDeep();
    const Position at = Next().at;
    if (TakeIf("!")) return Prefixed(at, kNot);
    if (!TakeIf("-")) return Member(/*negative=*/false);
    if (IsNumberNext()) return Member(/*negative=*/true);
    return Prefixed(at, kNegate);
  }

  absl::StatusOr<Expr> Prefixed(Position at, const char* name) {
    std::vector<Expr> children;
    ASSIGN_OR_RETURN(children.emplace_back(), Unary());
    return MakeCall(at, name, std::move(children));
  }

  bool IsNumberNext() const {
    return Next().kind == Token::Kind::kInt || Next().kind == Token::Kind::kDouble;
  }

  absl::StatusOr<Expr> Member(bool negative) {
    ASSIGN_OR_RETURN(Expr expr, Primary(negative));
    while (true) {
      const Position at = Next().at;
      if (TakeIf(".")) {
        ASSIGN_OR_RETURN(expr, Selected(std::move(expr)));
      } else if (TakeIf("[")) {
        ASSIGN_OR_RETURN(expr, Indexed(std::move(expr), at));
      } else if (Sees("{") && IsMessageName(expr)) {
        ASSIGN_OR_RETURN(expr, MessageLiteral(expr));
      } else {
        return expr;
      }
    }
  }

  // After the dot.
  absl::StatusOr<Expr> Selected(Expr target) {
    const Token name = Next();
    const bool quoted = name.kind == Token::Kind::kQuotedName;
    if (!quoted && (name.kind != Token::Kind::kName || IsLiteralName(name.text))) {
      return Unexpected("the name of a field or function");
    }
    Take();
    if (!quoted && TakeIf("(")) {
      ASSIGN_OR_RETURN(std::vector<Expr> arguments, Arguments(")"));
      return Called(std::move(target), name, std::move(arguments));
    }
    Expr expr{Form::kSelect, name.at};
    expr.name = name.text;
    expr.children.push_back(std::move(target));
    return Make(std::move(expr));
  }

  static absl::StatusOr<Expr> Called(Expr target, const Token& name, std::vector<Expr> arguments) {
    if (MacroCalled(name.text, arguments.size()) != Macro::kNone) {
      ASSIGN_OR_RETURN(Expr expr,
                       MacroCall(std::move(target), name.at, name.text, std::move(arguments)));
      return Make(std::move(expr));
    }
    arguments.insert(arguments.begin(), std::move(target));
    return MakeCall(name.at, name.text, std::move(arguments), /*receiver=*/true);
  }

  absl::StatusOr<Expr> Indexed(Expr target, Position at) {
    std::vector<Expr> children;
    children.push_back(std::move(target));
    ASSIGN_OR_RETURN(children.emplace_back(), Expression());
    RETURN_IF_ERROR(Expect("]"));
    return MakeCall(at, kIndex, std::move(children));
  }

  static bool IsMessageName(const Expr& expr) {
    if (expr.form == Form::kName) return true;
    return expr.form == Form::kSelect && IsMessageName(expr.children[0]);
  }
  static std::string QualifiedName(const Expr& expr) {
    if (expr.form == Form::kName) return absl::StrCat(expr.rooted ? "." : "", expr.name);
    return absl::StrCat(QualifiedName(expr.children[0]), ".", expr.name);
  }

  absl::StatusOr<Expr> MessageLiteral(const Expr& name) {
    Expr expr{Form::kMessage, name.at};
    expr.name = QualifiedName(name);
    RETURN_IF_ERROR(Expect("{"));
    while (!TakeIf("}")) {
      const Token field = Next();
      if (field.kind != Token::Kind::kName && field.kind != Token::Kind::kQuotedName) {
        return Unexpected("the name of a field");
      }
      Take();
      expr.fields.push_back(field.text);
      RETURN_IF_ERROR(Expect(":"));
      ASSIGN_OR_RETURN(expr.children.emplace_back(), Expression());
      if (!TakeIf(",") && !Sees("}")) return Unexpected("',' or '}'");
    }
    return Make(std::move(expr));
  }

  // Up to `close`, which is taken.
  absl::StatusOr<std::vector<Expr>> Arguments(absl::string_view close) {
    std::vector<Expr> arguments;
    if (TakeIf(close)) return arguments;
    do {
      if (close == "]" && Sees(close)) break;
      ASSIGN_OR_RETURN(arguments.emplace_back(), Expression());
    } while (TakeIf(","));
    if (!TakeIf(close)) return Unexpected(absl::StrCat("',' or '", close, "'"));
    return arguments;
  }

  absl::StatusOr<Expr> Primary(bool negative) {
    const Token token = Next();
    switch (token.kind) {
      case Token::Kind::kInt:
      case Token::Kind::kUint:
      case Token::Kind::kDouble: {
        Take();
        ASSIGN_OR_RETURN(Value number, ReadNumberLiteral(token, negative));
        return Constant(token.at, std::move(number));
      }
      case Token::Kind::kString:
        return Constant(Take().at, Value::String(token.text));
      case Token::Kind::kBytes:
        return Constant(Take().at, Value::Bytes(token.text));
      case Token::Kind::kName:
        return Named(/*rooted=*/false);
      default:
        return Bracketed();
    }
  }

  static Expr Constant(Position at, Value value) {
    Expr expr{Form::kConstant, at};
    expr.constant = std::move(value);
    return expr;
  }

  absl::StatusOr<Expr> Bracketed() {
    const Position at = Next().at;
    if (TakeIf(".")) return Named(/*rooted=*/true);
    if (TakeIf("(")) {
      ASSIGN_OR_RETURN(Expr expr, Expression());
      RETURN_IF_ERROR(Expect(")"));
      return expr;
    }
    if (TakeIf("{")) return MapLiteral(at);
    if (!TakeIf("[")) return Unexpected("a value");
    Expr expr{Form::kList, at};
    ASSIGN_OR_RETURN(expr.children, Arguments("]"));
    return Make(std::move(expr));
  }

  absl::StatusOr<Expr> MapLiteral(Position at) {
    Expr expr{Form::kMap, at};
    while (!TakeIf("}")) {
      ASSIGN_OR_RETURN(expr.children.emplace_back(), Expression());
      RETURN_IF_ERROR(Expect(":"));
      ASSIGN_OR_RETURN(expr.children.emplace_back(), Expression());
      if (!TakeIf(",") && !Sees("}")) return Unexpected("',' or '}'");
    }
    return Make(std::move(expr));
  }

  static bool IsLiteralName(absl::string_view name) {
    return name == "true" || name == "false" || name == "null" || name == "in";
  }

  absl::StatusOr<Expr> Named(bool rooted) {
    const Token name = Next();
    if (name.kind != Token::Kind::kName) return Unexpected("a name");
    if (!rooted && name.text == "null") return Constant(Take().at, Value::Null());
    if (!rooted && (name.text == "true" || name.text == "false")) {
      return Constant(Take().at, Value::Bool(name.text == "true"));
    }
    if (IsReserved(name.text)) {
      return ErrorAt(name.at, absl::StrCat("'", name.text, "' is reserved, and names nothing"));
    }
    Take();
    if (TakeIf("(")) return GlobalCall(name, rooted);
    Expr expr{Form::kName, name.at};
    expr.name = name.text;
    expr.rooted = rooted;
    return expr;
  }

  absl::StatusOr<Expr> GlobalCall(const Token& name, bool rooted) {
    ASSIGN_OR_RETURN(std::vector<Expr> arguments, Arguments(")"));
    if (name.text == "has" && !rooted) {
      ASSIGN_OR_RETURN(Expr expr, HasCall(name.at, std::move(arguments)));
      return Make(std::move(expr));
    }
    ASSIGN_OR_RETURN(Expr expr, MakeCall(name.at, name.text, std::move(arguments)));
    expr.rooted = rooted;
    return expr;
  }

  const std::vector<Token> tokens_;
  size_t next_ = 0;
  int nesting_ = 0;
};

}  // namespace

bool IsReserved(absl::string_view name) {
  return std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
}

absl::StatusOr<Expr> Parse(absl::string_view source) {
  if (source.size() > kSourceBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("an expression of ", source.size(), " bytes: at most ", kSourceBytesMax));
  }
  if (!IsUtf8(source)) return absl::InvalidArgumentError("an expression that is not UTF-8");
  ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokens(source));
  return Parser(std::move(tokens)).ParseAll();
}

}  // namespace zhibu::cel
