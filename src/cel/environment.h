#pragma once

// Environment and Program: text to a checked expression, and that to a value.
//
//   Environment environment;                              what may be named
//   environment.declare("self", Type::object(schema));
//   Compilation compiled = environment.compile("self.replicas <= 3");
//   if (!compiled.ok()) … compiled.error_text() …         wrong text, before any value is there
//   Activation activation;
//   activation.bind("self", Value::document(document, self_type));
//   Evaluation result = compiled.program->evaluate(activation, kCostLimitPerCall);
//
// The language is CEL with the libraries that Kubernetes v1.35 gives to every expression (README.md lists them).
// Everything here is pure. An Environment may be copied, and used by several threads as long as none declares; a
// Program is immutable and safe in any thread.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cel/type.h"
#include "cel/value.h"

namespace stead::cel {

// Kubernetes' limits, in units of cost: of one evaluation; of all evaluations of one object's rules or one policy.
inline constexpr uint64_t kCostLimitPerCall = 1'000'000;
inline constexpr uint64_t kCostBudget = 10'000'000;
// Of an expression's estimate, for those in CustomResourceDefinitions: one rule, all rules.
inline constexpr uint64_t kEstimatedCostLimit = 10'000'000;
inline constexpr uint64_t kEstimatedCostLimitTotal = 100'000'000;

// The values of the variables during one evaluation.
class Activation {
 public:
  void bind(std::string name, Value value);  // replaces
  const Value* find(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, Value>> bindings_;
};

struct Evaluation {
  Value value;        // an error Value where evaluation failed ("no such key: x", "division by zero" …)
  uint64_t cost = 0;  // what was used, at most a little more than the limit
  bool over_limit = false;

  bool ok() const { return !value.is_error(); }
};

// Saturates at Type::kUnbounded.
struct CostEstimate {
  uint64_t min = 0;
  uint64_t max = 0;
};

struct Expression;  // the checked tree

class Program {
 public:
  explicit Program(std::shared_ptr<const Expression> root) : root_(std::move(root)) {}

  const Type& result_type() const;
  // Whether the expression reads a variable (CRD rules that name oldSelf are transition rules).
  bool uses(std::string_view variable) const;
  // Unbound variables are errors ("no such attribute(s): x").
  Evaluation evaluate(const Activation& activation, uint64_t cost_limit = kCostLimitPerCall) const;
  // Bounds of the cost of any evaluation, from the sizes that the variables' types declare.
  CostEstimate estimate_cost() const;

 private:
  std::shared_ptr<const Expression> root_;
};

struct CompileError {
  int line = 1;    // from 1
  int column = 0;  // from 0, in code points
  std::string message;
};

struct Compilation {
  std::shared_ptr<const Program> program;  // nullptr where there are errors
  std::vector<CompileError> errors;
  // Each error as clients know it: "ERROR: <input>:1:6: undeclared reference to 'foo' (in container '')", the line of
  // the expression and a mark below; joined by line ends. Empty without errors.
  std::string error_text() const;
  bool ok() const { return program != nullptr; }

  std::string text;  // the expression
};

class Environment {
 public:
  struct Variable {
    std::string name;  // may have dots: "authorizer.requestResource"
    Type type;
  };

  void declare(std::string name, Type type);  // replaces
  const Type* find(std::string_view name) const;

  // Bounded: texts of more than 100,000 code points or nested deeper than 250 are errors.
  Compilation compile(std::string_view text) const;

 private:
  std::vector<Variable> variables_;
};

}  // namespace stead::cel
