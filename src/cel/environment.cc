#include "cel/environment.h"

#include <algorithm>

namespace stead::cel {

struct Expression {
  Type type;
};

void Activation::bind(std::string name, Value value) {
  auto found = std::ranges::find(bindings_, name, [](const auto& binding) { return binding.first; });
  if (found != bindings_.end()) {
    found->second = std::move(value);
  } else {
    bindings_.emplace_back(std::move(name), std::move(value));
  }
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
  compilation.errors.push_back({.message = "not compiled"});
  return compilation;
}

const Type& Program::result_type() const { return root_->type; }
bool Program::uses(std::string_view) const { return false; }
Evaluation Program::evaluate(const Activation&, uint64_t) const { return {.value = Value::error("not compiled")}; }
CostEstimate Program::estimate_cost() const { return {}; }

std::string Compilation::error_text() const {
  std::string text_of_errors;
  for (const CompileError& error : errors) text_of_errors += error.message;
  return text_of_errors;
}

}  // namespace stead::cel
