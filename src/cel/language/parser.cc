#include "cel/language/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "cel/language/lexer.h"
#include "cel/numbers.h"

namespace stead::cel {

namespace {

constexpr int kNestingMax = 250;
// Words that are fine as fields but not as variables.
constexpr std::array<std::string_view, 17> kReserved = {"as",        "break",  "const",  "continue", "else", "for",
                                                        "function",  "if",     "import", "let",      "loop", "package",
                                                        "namespace", "return", "var",    "void",     "while"};

struct Operator {
  std::string_view symbol;
  std::string_view name;
};
constexpr std::array<Operator, 7> kRelations = {
    {{"<", "_<_"}, {"<=", "_<=_"}, {">=", "_>=_"}, {">", "_>_"}, {"==", "_==_"}, {"!=", "_!=_"}, {"in", "@in"}}};
constexpr std::array<Operator, 2> kSums = {{{"+", "_+_"}, {"-", "_-_"}}};
constexpr std::array<Operator, 3> kProducts = {{{"*", "_*_"}, {"/", "_/_"}, {"%", "_%_"}}};

constexpr std::string_view kStarters =
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

class Parser {
 public:
  Parser(std::vector<Token> tokens, Problems& problems) : tokens_(std::move(tokens)), problems_(problems) {}

  ExpressionPtr run() {
    ExpressionPtr root = expression();
    if (root && !failed_ && now().kind != TokenKind::kEnd) {
      fail("Syntax error: extraneous input '" + shown(now()) + "' expecting <EOF>");
    }
    return failed_ || !problems_.empty() ? nullptr : std::move(root);
  }

 private:
  const Token& now() const { return tokens_[at_]; }
  const Token& ahead(size_t count) const { return tokens_[std::min(at_ + count, tokens_.size() - 1)]; }
  const Token& take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }
  bool accept(std::string_view symbol) {
    if (failed_ || !now().is(symbol)) return false;
    take();
    return true;
  }

  static std::string shown(const Token& token) {
    return token.kind == TokenKind::kEnd ? "<EOF>" : std::string(token.text);
  }

  // The first one ends parsing: everything returns nullptr until the top.
  ExpressionPtr fail(std::string message) {
    if (!failed_) problems_.add(now().offset, std::move(message));
    failed_ = true;
    return nullptr;
  }
  ExpressionPtr unexpected(std::string_view wanted) {
    return fail("Syntax error: mismatched input '" + shown(now()) + "' expecting " + std::string(wanted));
  }
  bool expect(std::string_view symbol) {
    if (accept(symbol)) return true;
    unexpected("'" + std::string(symbol) + "'");
    return false;
  }

  ExpressionPtr make(ExpressionKind kind, int offset, std::string name = {}) {
    auto made = std::make_unique<Expression>();
    made->kind = kind;
    made->offset = offset;
    made->name = std::move(name);
    return made;
  }

  void adopt(Expression& parent, ExpressionPtr child) {
    if (!child) return;
    parent.depth = std::max(parent.depth, child->depth + 1);
    if (parent.depth > kTreeDepthMax) fail("expression recursion limit exceeded: " + std::to_string(kNestingMax));
    parent.children.push_back(std::move(child));
  }

  template <class... Children>
  ExpressionPtr call(int offset, std::string_view name, Children... children) {
    auto made = make(ExpressionKind::kCall, offset, std::string(name));
    (adopt(*made, std::move(children)), ...);
    return failed_ ? nullptr : std::move(made);
  }

  ExpressionPtr expression() {
    if (failed_) return nullptr;
    if (++nesting_ > kNestingMax) return fail("expression recursion limit exceeded: " + std::to_string(kNestingMax));
    ExpressionPtr condition =
        chain("||", "_||_", [this] { return chain("&&", "_&&_", [this] { return relation(); }); });
    int offset = now().offset;
    if (accept("?")) {
      ExpressionPtr then = chain("||", "_||_", [this] { return chain("&&", "_&&_", [this] { return relation(); }); });
      if (!expect(":")) return nullptr;
      ExpressionPtr otherwise = expression();
      condition = call(offset, "_?_:_", std::move(condition), std::move(then), std::move(otherwise));
    }
    --nesting_;
    return failed_ ? nullptr : std::move(condition);
  }

  // One call for any number of terms, so that long chains are flat.
  template <class Term>
  ExpressionPtr chain(std::string_view symbol, std::string_view name, Term term) {
    ExpressionPtr first = term();
    if (failed_ || !now().is(symbol)) return first;
    auto made = make(ExpressionKind::kCall, now().offset, std::string(name));
    adopt(*made, std::move(first));
    while (accept(symbol)) adopt(*made, term());
    return failed_ ? nullptr : std::move(made);
  }

  template <size_t N, class Operand>
  ExpressionPtr binary(const std::array<Operator, N>& operators, Operand operand) {
    ExpressionPtr left = operand();
    while (!failed_) {
      auto found = std::ranges::find_if(operators, [&](const Operator& each) { return now().is(each.symbol); });
      if (found == operators.end()) break;
      int offset = take().offset;
      ExpressionPtr right = operand();
      left = call(offset, found->name, std::move(left), std::move(right));
    }
    return failed_ ? nullptr : std::move(left);
  }

  ExpressionPtr relation() {
    return binary(kRelations,
                  [this] { return binary(kSums, [this] { return binary(kProducts, [this] { return unary(); }); }); });
  }

  ExpressionPtr unary() {
    for (auto [symbol, name] : {Operator{"!", "!_"}, Operator{"-", "-_"}}) {
      if (!now().is(symbol)) continue;
      const Token& number = ahead(1);
      if (symbol == "-" && (number.kind == TokenKind::kInt || number.kind == TokenKind::kDouble)) break;
      int offset = now().offset;
      size_t count = 0;
      while (accept(symbol)) ++count;
      // Two of them undo each other.
      ExpressionPtr operand = member();
      return count % 2 == 0 ? std::move(operand) : call(offset, name, std::move(operand));
    }
    return member();
  }

  ExpressionPtr member() {
    ExpressionPtr operand = primary();
    while (!failed_) {
      int offset = now().offset;
      if (accept(".")) {
        operand = dotted(std::move(operand), offset);
      } else if (accept("[")) {
        bool optional = accept("?");
        ExpressionPtr index = expression();
        if (!expect("]")) return nullptr;
        operand = call(offset, optional ? "_[?_]" : "_[_]", std::move(operand), std::move(index));
      } else {
        break;
      }
    }
    return failed_ ? nullptr : std::move(operand);
  }

  ExpressionPtr dotted(ExpressionPtr operand, int offset) {
    bool optional = accept("?");
    bool quoted = now().kind == TokenKind::kQuotedIdentifier;
    if (now().kind != TokenKind::kIdentifier && !quoted) return unexpected("IDENTIFIER");
    std::string name = quoted ? now().value : std::string(now().text);
    take();
    if (optional) {
      auto field = make(ExpressionKind::kLiteral, offset);
      field->constant = true;
      field->value = Value::string(name);
      return call(offset, "_?._", std::move(operand), std::move(field));
    }
    if (!quoted && now().is("(")) return call_of(std::move(name), std::move(operand));
    auto select = make(ExpressionKind::kSelect, offset, std::move(name));
    adopt(*select, std::move(operand));
    return failed_ ? nullptr : std::move(select);
  }

  // At the parenthesis.
  ExpressionPtr call_of(std::string name, ExpressionPtr receiver) {
    auto made = make(ExpressionKind::kCall, take().offset, std::move(name));
    made->member = receiver != nullptr;
    if (receiver) adopt(*made, std::move(receiver));
    if (!accept(")")) {
      do {
        adopt(*made, expression());
      } while (accept(","));
      if (!expect(")")) return nullptr;
    }
    if (failed_) return nullptr;
    expand_macro(made, problems_);
    if (made && made->depth > kTreeDepthMax) return fail("expression recursion limit exceeded: 250");
    return made;
  }

  ExpressionPtr primary() {
    if (failed_) return nullptr;
    const Token& token = now();
    if (accept("(")) {
      ExpressionPtr inside = expression();
      return expect(")") ? std::move(inside) : nullptr;
    }
    if (token.is("[")) return list();
    if (token.is("{")) return map();
    if (token.is(".") || token.kind == TokenKind::kIdentifier) return name();
    return literal();
  }

  ExpressionPtr name() {
    std::string name = accept(".") ? "." : "";
    if (now().kind != TokenKind::kIdentifier) return unexpected("IDENTIFIER");
    int offset = now().offset;
    if (std::ranges::find(kReserved, now().text) != kReserved.end()) {
      return fail("reserved identifier: " + std::string(now().text));
    }
    name += take().text;
    if (now().is("(")) return call_of(std::move(name), nullptr);
    if (is_message()) return message(std::move(name), offset);
    return make(ExpressionKind::kIdentifier, offset, std::move(name));
  }

  // Whether the names at hand end with a brace: `a.b{`.
  bool is_message() const {
    size_t count = 0;
    while (ahead(count).is(".") && ahead(count + 1).kind == TokenKind::kIdentifier) count += 2;
    return ahead(count).is("{");
  }

  ExpressionPtr message(std::string name, int) {
    while (accept(".")) name += "." + std::string(take().text);
    auto made = make(ExpressionKind::kMessage, take().offset, std::move(name));
    while (!failed_ && !now().is("}")) {
      accept("?");
      if (now().kind != TokenKind::kIdentifier && now().kind != TokenKind::kQuotedIdentifier) {
        return unexpected("IDENTIFIER");
      }
      take();
      if (!expect(":")) return nullptr;
      adopt(*made, expression());
      if (!accept(",")) break;
    }
    return expect("}") ? std::move(made) : nullptr;
  }

  ExpressionPtr list() {
    auto made = make(ExpressionKind::kList, take().offset);
    while (!failed_ && !now().is("]")) {
      made->optionals.push_back(accept("?"));
      adopt(*made, expression());
      if (!accept(",")) break;
    }
    return expect("]") ? std::move(made) : nullptr;
  }

  ExpressionPtr map() {
    auto made = make(ExpressionKind::kMap, take().offset);
    while (!failed_ && !now().is("}")) {
      made->optionals.push_back(accept("?"));
      adopt(*made, expression());
      if (!expect(":")) return nullptr;
      adopt(*made, expression());
      if (!accept(",")) break;
    }
    return expect("}") ? std::move(made) : nullptr;
  }

  ExpressionPtr literal() {
    auto made = make(ExpressionKind::kLiteral, now().offset);
    made->constant = true;
    bool negative = now().is("-");
    const Token& token = negative ? ahead(1) : now();
    std::optional<Value> value;
    switch (token.kind) {
      case TokenKind::kInt:
        value = integer(token.text, negative);
        if (!value) return fail("invalid int literal");
        break;
      case TokenKind::kUint:
        value = unsigned_integer(token.text);
        if (!value) return fail("invalid uint literal");
        break;
      case TokenKind::kDouble:
        value = floating(token.text, negative);
        if (!value) return fail("invalid double literal");
        break;
      case TokenKind::kString:
        value = Value::string(token.value);
        break;
      case TokenKind::kBytes:
        value = Value::bytes(token.value);
        break;
      default:
        if (token.is("true") || token.is("false")) value = Value::boolean(token.is("true"));
        if (token.is("null")) value = Value::null();
        break;
    }
    if (!value) return unexpected(kStarters);
    if (negative) take();
    take();
    made->value = *std::move(value);
    return made;
  }

  static std::optional<uint64_t> magnitude(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
      base = 16;
      text.remove_prefix(2);
    }
    uint64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
  }

  static std::optional<Value> integer(std::string_view text, bool negative) {
    auto number = magnitude(text);
    uint64_t limit = static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0);
    if (!number || *number > limit) return std::nullopt;
    return Value::integer(static_cast<int64_t>(negative ? 0 - *number : *number));
  }

  static std::optional<Value> unsigned_integer(std::string_view text) {
    auto number = magnitude(text.substr(0, text.size() - 1));
    if (!number) return std::nullopt;
    return Value::unsigned_integer(*number);
  }

  static std::optional<Value> floating(std::string_view text, bool negative) {
    auto number = parse_double(text);
    if (!number) return std::nullopt;
    return Value::floating(negative ? -*number : *number);
  }

  std::vector<Token> tokens_;
  Problems& problems_;
  size_t at_ = 0;
  int nesting_ = 0;
  bool failed_ = false;
};

}  // namespace

ExpressionPtr parse(std::string_view text, Problems& problems) {
  Lexed lexed = lex(text);
  for (Lexed::Problem& problem : lexed.problems) problems.add(problem.offset, std::move(problem.message));
  return Parser(std::move(lexed.tokens), problems).run();
}

}  // namespace stead::cel
