#include "apiserver/policies/policy.h"

#include <fmt/format.h>

#include <map>

#include "apiserver/webhooks/request_match.h"

namespace stead::apiserver {
namespace {

using object::Value;

constexpr size_t kMessageBytesMax = 5 * 1024;

// `variables`: each is evaluated when an expression asks for it, once.
class LazyVariables final : public cel::LazyObject {
 public:
  // References outlive this.
  LazyVariables(const std::vector<kinds::PolicyProgram::Variable>& variables, const cel::Activation& activation,
                CostBudget& budget)
      : variables_(variables), activation_(activation), budget_(budget) {}

  std::optional<cel::Value> field(std::string_view name) const override {
    for (size_t i = 0; i < variables_.size(); ++i) {
      if (variables_[i].name != name) continue;
      auto known = values_.find(i);
      if (known == values_.end()) known = values_.emplace(i, compute(variables_[i])).first;
      return known->second;
    }
    return std::nullopt;
  }

 private:
  cel::Value compute(const kinds::PolicyProgram::Variable& variable) const {
    cel::Value value = evaluate(*variable.program, activation_, budget_);
    if (!value.is_error()) return value;
    return cel::Value::error(
        fmt::format("composited variable \"{}\" fails to evaluate: {}", variable.name, value.error_message()));
  }

  const std::vector<kinds::PolicyProgram::Variable>& variables_;
  const cel::Activation& activation_;
  CostBudget& budget_;
  mutable std::map<size_t, cel::Value> values_;
};

// Text of a messageExpression; empty where it yields none that could be shown.
std::string message_of(const cel::Program& program, const cel::Activation& activation, CostBudget& budget) {
  const cel::Value value = evaluate(program, activation, budget);
  if (!value.is_string()) return {};
  std::string_view text = kinds::trimmed(value.as_string());
  if (text.size() > kMessageBytesMax || text.find('\n') != std::string_view::npos) return {};
  return std::string(text);
}

class Judge {
 public:
  Judge(const Policy& policy, RequestScope& scope) : policy_(policy), activation_(scope.activation()) {}

  Verdict judge() {
    CostBudget of_conditions;
    Result<bool> meant = all_hold(policy_.program.conditions, activation_, of_conditions);
    if (!meant.ok()) fail(meant.error().message, 0);
    if (!meant.ok() || !*meant) return std::move(verdict_);
    const kinds::PolicyProgram& program = policy_.program;
    activation_.bind("variables",
                     cel::Value::lazy(std::make_shared<LazyVariables>(program.variables, activation_, budget_)));
    for (size_t i = 0; i < program.validations.size() && !budget_.spent; ++i) validate(i);
    if (!budget_.spent) {
      for (const kinds::PolicyProgram::Annotation& annotation : program.annotations) annotate(annotation);
    }
    activation_.bind("variables", cel::Value::null());
    return std::move(verdict_);
  }

 private:
  void fail(std::string message, size_t index) {
    if (policy_.failure_is_fatal) verdict_.refusals.push_back({std::move(message), "Invalid", index});
  }

  void validate(size_t index) {
    const kinds::PolicyProgram::Validation& validation = policy_.program.validations[index];
    const cel::Value held = evaluate(*validation.program, activation_, budget_);
    if (budget_.spent) {
      return fail("validation failed due to running out of cost budget, no further validation rules will be run",
                  index);
    }
    if (held.is_error()) return fail(failure_text(validation.expression, held), index);
    if (held.is_bool() && held.as_bool()) return;
    std::string message;
    if (validation.message_program) message = message_of(*validation.message_program, activation_, budget_);
    if (message.empty()) message = validation.message;
    if (message.empty()) message = fmt::format("failed expression: {}", validation.expression);
    verdict_.refusals.push_back({std::move(message), validation.reason, index});
  }

  void annotate(const kinds::PolicyProgram::Annotation& annotation) {
    const cel::Value value = evaluate(*annotation.program, activation_, budget_);
    if (value.is_error()) {
      if (!policy_.failure_is_fatal) return;
      verdict_.refusals.push_back({failure_text(annotation.expression, value), "Invalid", 0, true});
      return;
    }
    if (!value.is_string()) return;
    std::string_view text = kinds::trimmed(value.as_string());
    if (!text.empty()) verdict_.annotations.emplace_back(annotation.key, text);
  }

  const Policy& policy_;
  cel::Activation& activation_;
  CostBudget budget_;
  Verdict verdict_;
};

}  // namespace

RequestChoice RequestChoice::make(const Value& document) {
  RequestChoice made;
  made.rules = document.at("resourceRules");
  made.excluded = document.at("excludeResourceRules");
  made.equivalent = document.at("matchPolicy").as_string() != "Exact";
  made.namespaces = selector_of(document.at("namespaceSelector"));
  made.objects = selector_of(document.at("objectSelector"));
  return made;
}

bool RequestChoice::concerned(const Call& call, Operation operation) const {
  return rules.empty() || matching_version(rules, equivalent, call, operation, std::nullopt) != nullptr;
}

const kinds::Version* RequestChoice::choose(const AdmissionAttributes& attributes,
                                            const Value* namespace_labels) const {
  const Call& call = *attributes.call;
  if (!selectors_choose(namespaces, objects, attributes, namespace_labels)) return nullptr;
  std::string_view name = object_name(attributes);
  if (matching_version(excluded, equivalent, call, attributes.operation, name) != nullptr) return nullptr;
  if (rules.empty()) return call.version;
  return matching_version(rules, equivalent, call, attributes.operation, name);
}

Policy Policy::make(const object::Object& object) {
  const Value& spec = object.spec();
  Policy made;
  made.name = object.name();
  made.choice = RequestChoice::make(spec.at("matchConstraints"));
  made.failure_is_fatal = spec.at("failurePolicy").as_string() != "Ignore";
  made.param_version = spec.at({"paramKind", "apiVersion"}).as_string();
  made.param_kind = spec.at({"paramKind", "kind"}).as_string();
  object::FieldErrors none;
  made.program = kinds::PolicyProgram::compile(object.document(), none);
  return made;
}

PolicyBinding PolicyBinding::make(const object::Object& object) {
  const Value& spec = object.spec();
  PolicyBinding made;
  made.name = object.name();
  made.policy = spec.at("policyName").as_string();
  made.choice = RequestChoice::make(spec.at("matchResources"));
  made.actions = spec.at("validationActions");
  made.param_ref = spec.at("paramRef");
  for (const Value& action : made.actions.items()) {
    made.denies = made.denies || action.as_string() == "Deny";
    made.warns = made.warns || action.as_string() == "Warn";
    made.audits = made.audits || action.as_string() == "Audit";
  }
  return made;
}

Verdict judge(const Policy& policy, RequestScope& scope) { return Judge(policy, scope).judge(); }

}  // namespace stead::apiserver
