#include "cel/environment.h"

#include <algorithm>

#include "cel/language/checker.h"
#include "cel/language/cost.h"
#include "cel/language/interpreter.h"
#include "cel/language/parser.h"
#include "cel/library/texts.h"

namespace stead::cel {

namespace {

constexpr size_t kCodePointsMax = 100'000;

CompileError located(std::string_view text, const Problems::Problem& problem) {
  CompileError error{.message = problem.message};
  std::string_view before = text.substr(0, code_point_offset(text, static_cast<size_t>(problem.offset)));
  error.line = 1 + static_cast<int>(std::ranges::count(before, '\n'));
  size_t line_start = before.rfind('\n');
  error.column =
      static_cast<int>(count_code_points(before.substr(line_start == std::string_view::npos ? 0 : line_start + 1)));
  return error;
}

bool uses_variable(const Expression& expression, std::string_view variable) {
  if (expression.kind == ExpressionKind::kIdentifier && expression.local < 0 && !expression.constant &&
      expression.name == variable) {
    return true;
  }
  return std::ranges::any_of(expression.children, [&](const auto& child) { return uses_variable(*child, variable); });
}

// The text's line `number`, tabs as spaces.
std::string line_of(std::string_view text, int number) {
  for (int i = 1; i < number; ++i) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  std::string line(text.substr(0, text.find('\n')));
  std::ranges::replace(line, '\t', ' ');
  return line;
}

// Points up at a column; characters of several bytes are taken to be wide.
std::string mark_below(std::string_view line, int column) {
  std::string mark;
  for (int i = 0; i < column && !line.empty(); ++i) {
    size_t length = code_point_offset(line, 1);
    mark += length > 1 ? "\uff0e" : ".";
    line.remove_prefix(length);
  }
  return mark + (!line.empty() && code_point_offset(line, 1) > 1 ? "\uff3e" : "^");
}

}  // namespace

void Activation::bind(std::string name, Value value) {
  for (auto& [bound, current] : bindings_) {
    if (bound != name) continue;
    current = std::move(value);
    return;
  }
  bindings_.emplace_back(std::move(name), std::move(value));
}

const Value* Activation::find(std::string_view name) const {
  for (const auto& [bound, value] : bindings_) {
    if (bound == name) return &value;
  }
  return nullptr;
}

void Environment::declare(std::string name, Type type) {
  auto found = std::ranges::find(variables_, name, &Variable::name);
  if (found != variables_.end()) {
    found->type = std::move(type);
  } else {
    variables_.push_back({std::move(name), std::move(type)});
  }
}

const Type* Environment::find(std::string_view name) const {
  auto found = std::ranges::find(variables_, name, &Variable::name);
  return found == variables_.end() ? nullptr : &found->type;
}

Compilation Environment::compile(std::string_view text) const {
  Compilation compilation{.text = std::string(text)};
  Problems problems;
  ExpressionPtr root;
  size_t size = count_code_points(text);
  if (size > kCodePointsMax) {
    problems.add(0, "expression code point size exceeds limit: size: " + std::to_string(size) + ", limit " +
                        std::to_string(kCodePointsMax));
  } else if (!is_utf8(text)) {
    problems.add(0, "Syntax error: the expression is not valid UTF-8");
  } else {
    root = parse(text, problems);
  }
  if (root && problems.empty()) check(*root, *this, problems);
  if (problems.empty()) {
    fold(*root);
    compilation.program = std::make_shared<const Program>(std::shared_ptr<const Expression>(std::move(root)));
    return compilation;
  }
  std::ranges::stable_sort(problems.all(), {}, &Problems::Problem::offset);
  for (const Problems::Problem& problem : problems.all()) compilation.errors.push_back(located(text, problem));
  return compilation;
}

const Type& Program::result_type() const { return root_->type; }

bool Program::uses(std::string_view variable) const { return uses_variable(*root_, variable); }

Evaluation Program::evaluate(const Activation& activation, uint64_t cost_limit) const {
  return Interpreter(activation, cost_limit).run(*root_);
}

CostEstimate Program::estimate_cost() const { return estimate(*root_); }

std::string Compilation::error_text() const {
  std::string all;
  for (const CompileError& error : errors) {
    if (!all.empty()) all += '\n';
    std::string line = line_of(text, error.line);
    all +=
        "ERROR: <input>:" + std::to_string(error.line) + ":" + std::to_string(error.column + 1) + ": " + error.message;
    all += "\n | " + line + "\n | " + mark_below(line, error.column);
  }
  return all;
}

}  // namespace stead::cel
