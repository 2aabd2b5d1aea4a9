// Evaluating the rules of a schema on a document.

#include <fmt/format.h>

#include "kinds/admissionregistration/admission_environment.h"
#include "kinds/custom/rule_tree.h"
#include "kinds/custom/schema_validation.h"
#include "object/quote.h"

namespace stead::kinds {
namespace {

using object::Member;

constexpr size_t kMessageBytesMax = 5 * 1024;
constexpr std::string_view kOutOfBudget =
    "validation failed due to running out of cost budget, no further validation rules will be run";

// A value and what it was, on the way down; values below those without an old one may still stand in something that
// did not change.
struct Correlation {
  const Value& value;
  const Value* old;
  const Correlation* parent;

  bool unchanged() const {
    if (old != nullptr) return *old == value;
    return parent != nullptr && parent->unchanged();
  }
};

// The root has no name.
Path shown(const Path& path) { return path.str().empty() ? Path("<nil>") : path; }

class Evaluator {
 public:
  using Node = ValidationRules::Node;
  using Rule = ValidationRules::Rule;
  Evaluator(FieldErrors& errors, std::vector<std::string>* warnings) : errors_(errors), warnings_(warnings) {}

  void node(const Node& node, const Value& value, const Value* old, const Path& path, const Correlation* parent) {
    if (value.is_null() || stopped_) return;
    if (old != nullptr && old->is_null()) old = nullptr;
    const Correlation here{value, old, parent};
    if (!node.rules.empty()) evaluate_rules(node, here, path);
    for (const auto& part : node.all_of) this->node(*part, value, old, path, parent);
    if (node.items) {
      const ItemsByKey before(*node.schema, old);
      for (size_t i = 0; i < value.items().size(); ++i) {
        const Value& item = value.items()[i];
        this->node(*node.items, item, before.find(item), path.index(i), &here);
      }
    }
    if (node.values) {
      for (const Member& member : value.members()) {
        this->node(*node.values, member.value, old == nullptr ? nullptr : old->find(member.name()),
                   path.key(member.name()), &here);
      }
    }
    for (const auto& [name, child] : node.properties) {
      const Value* member = value.find(name);
      if (member == nullptr) continue;
      this->node(*child, *member, old == nullptr ? nullptr : old->find(name), path.child(name), &here);
    }
  }

 private:
  void evaluate_rules(const Node& node, const Correlation& here, const Path& path) {
    cel::Activation activation;
    activation.bind("self", cel::Value::document(here.value, node.type));
    for (const Rule& rule : node.rules) {
      if (stopped_) return;
      if (rule.on_change && here.old == nullptr && !rule.optional_old) continue;
      if (rule.on_change) {
        cel::Value old;
        if (here.old != nullptr) old = cel::Value::document(*here.old, node.type);
        if (rule.optional_old) {
          old = here.old == nullptr ? cel::Value::optional_none() : cel::Value::optional_of(std::move(old));
        }
        activation.bind("oldSelf", std::move(old));
      }
      evaluate_rule(rule, *node.schema, activation, here, path);
    }
  }

  void evaluate_rule(const Rule& rule, const Value& schema, const cel::Activation& activation, const Correlation& here,
                     const Path& path) {
    const Value type(schema.at("type").as_string());  // none where a value may be of several
    const cel::Evaluation done = rule.program->evaluate(activation, cel::kCostLimitPerCall);
    const std::string& told = rule.message.empty() ? rule.text : rule.message;
    if (done.over_limit) {
      return stop(path, type,
                  fmt::format("'operation cancelled: actual cost limit exceeded': no further validation rules will be "
                              "run due to call cost exceeds limit for rule: {}",
                              told));
    }
    if (done.cost > budget_) return stop(path, type, std::string(kOutOfBudget));
    budget_ -= done.cost;
    if (!done.ok()) {
      const std::string& why = done.value.error_message();
      if (why.starts_with("no such overload")) {
        return errors_.invalid(shown(path), type,
                               fmt::format("'{}': call arguments did not match a supported operator, function or macro "
                                           "signature for rule: {}",
                                           why, told));
      }
      return errors_.invalid(shown(path), type, fmt::format("{} evaluating rule: {}", why, told));
    }
    if (done.value.is_bool() && done.value.as_bool()) return;
    std::string detail = rule.message_program ? message_of(*rule.message_program, activation) : std::string();
    if (detail.empty()) detail = rule.message.empty() ? "failed rule: " + rule.text : rule.message;
    // What was like that before is no reason to refuse what else changes.
    if (rule.on_change || !here.unchanged()) return refuse(rule, type, detail, path, errors_);
    if (warnings_ == nullptr) return;
    FieldErrors own;
    refuse(rule, type, detail, path, own);
    for (const Cause& cause : own.causes()) warnings_->push_back(cause.field + ": " + cause.message);
  }

  static void refuse(const Rule& rule, const Value& type, const std::string& detail, const Path& path,
                     FieldErrors& errors) {
    const Path at = rule.field_path.empty() ? shown(path) : path.child(rule.field_path);
    if (rule.reason == "FieldValueForbidden") return errors.forbidden(at, detail);
    if (rule.reason == "FieldValueRequired") return errors.required(at, detail);
    if (rule.reason == "FieldValueDuplicate") return errors.duplicate(at, type);
    errors.invalid(at, type, detail);
  }

  // Empty where it yields nothing that could be shown.
  std::string message_of(const cel::Program& program, const cel::Activation& activation) {
    const cel::Evaluation done = program.evaluate(activation, std::min(cel::kCostLimitPerCall, budget_));
    budget_ -= std::min(budget_, done.cost);
    if (!done.value.is_string()) return {};
    std::string_view text = trimmed(done.value.as_string());
    if (text.size() > kMessageBytesMax || text.find('\n') != std::string_view::npos) return {};
    return std::string(text);
  }

  void stop(const Path& path, const Value& type, const std::string& why) {
    stopped_ = true;
    errors_.invalid(shown(path), type, why);
  }

  FieldErrors& errors_;
  std::vector<std::string>* warnings_;
  uint64_t budget_ = cel::kCostBudget;
  bool stopped_ = false;
};

}  // namespace

void ValidationRules::validate(const Value& document, const Value* old, FieldErrors& errors,
                               std::vector<std::string>* warnings) const {
  Evaluator(errors, warnings).node(*root_, document, old, Path(), nullptr);
}

}  // namespace stead::kinds
