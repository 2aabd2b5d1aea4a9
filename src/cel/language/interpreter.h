#pragma once

// A checked tree to a value, counting cost (CEL specification, "Evaluation"; costs as Kubernetes' API server counts
// them). Internal to the room.

#include <string_view>
#include <vector>

#include "cel/environment.h"
#include "cel/language/syntax.h"

namespace stead::cel {

// Evaluates one tree once.
class Interpreter {
 public:
  Interpreter(const Activation& activation, uint64_t cost_limit) : activation_(activation), limit_(cost_limit) {}

  Evaluation run(const Expression& root);

 private:
  Value evaluate(const Expression& expression);
  Value identifier(const Expression& expression);
  Value select(const Expression& expression);
  Value logic(const Expression& expression, bool absorbing);
  Value conditional(const Expression& expression);
  Value index(const Expression& expression, bool optional);
  Value optional_select(const Expression& expression);
  Value optional_else(const Expression& expression);
  Value call(const Expression& expression);
  Value dispatch(const Expression& expression, const std::vector<Value>& arguments);
  Value list(const Expression& expression);
  Value map(const Expression& expression);
  Value comprehension(const Expression& expression);
  Value mapped_optional(const Expression& expression);

  // Adds to the cost; false once the limit is passed, after which everything evaluates to an error.
  bool charge(uint64_t units);
  void charge_operand(const Expression& operand);
  Value over_limit() const;

  const Activation& activation_;
  uint64_t limit_;
  uint64_t cost_ = 0;
  bool over_ = false;
  uint64_t made_bytes_ = 0;    // of texts that functions made
  std::vector<Value> locals_;  // the macros' variables, outermost first
};

}  // namespace stead::cel
