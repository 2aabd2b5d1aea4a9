// Compiling the rules of a schema, with the limits of their cost.

#include "kinds/custom/validation_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "kinds/admissionregistration/admission_environment.h"
#include "kinds/custom/rule_tree.h"
#include "kinds/custom/schema_type.h"
#include "kinds/custom/schema_walk.h"

namespace stead::kinds {
namespace {

using cel::Type;
using object::Member;

constexpr int kSchemaDepthMax = 100;
constexpr uint64_t kUnbounded = Type::kUnbounded;

uint64_t product(uint64_t a, uint64_t b) {
  if (a == 0 || b == 0) return 0;
  return kUnbounded / a < b ? kUnbounded : a * b;
}

uint64_t sum(uint64_t a, uint64_t b) { return kUnbounded - a < b ? kUnbounded : a + b; }

std::string cost_text(std::string_view what, uint64_t cost, uint64_t limit) {
  const double factor = static_cast<double>(cost) / static_cast<double>(limit);
  std::string times = fmt::format("{:.1f}x", factor);
  if (factor > 100.0) times = "more than 100x";
  if (factor < 1.5) times = fmt::format("{:f}x", factor);
  return fmt::format(
      "{} exceeds budget by factor of {} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength "
      "where arrays, maps, and strings are declared)",
      what, times);
}

bool has_rules(const Value& schema, int depth = 0) {
  if (depth > kSchemaDepthMax) return false;
  if (!schema.at("x-kubernetes-validations").empty()) return true;
  for (const Member& property : schema.at("properties").members()) {
    if (has_rules(property.value, depth + 1)) return true;
  }
  for (const Value& part : schema.at("allOf").items()) {
    if (has_rules(part, depth + 1)) return true;
  }
  for (std::string_view name : {"items", "additionalProperties"}) {
    if (schema.at(name).is_object() && has_rules(schema.at(name), depth + 1)) return true;
  }
  return false;
}

// Where a node stands.
struct Place {
  std::optional<Type> type;
  std::string name;                         // of object types
  bool root = false;                        // of a resource
  std::optional<uint64_t> cardinality = 1;  // how many values there can be; nullopt: no limit declared
  const Path* uncorrelatable = nullptr;     // the list above whose items have no identity
  int depth = 0;
};

class Compiler {
 public:
  using Node = ValidationRules::Node;
  using Rule = ValidationRules::Rule;
  explicit Compiler(FieldErrors& errors) : errors_(errors) {}

  // The rules are those of `rules`, about values of `schema`: the same, or a part of its allOf.
  std::unique_ptr<const Node> node(const Value& rules, const Value& schema, const Path& path, const Place& place) {
    if (place.depth > kSchemaDepthMax || !has_rules(rules)) return nullptr;
    auto made = std::make_unique<Node>();
    made->schema = &schema;
    if (place.type) made->type = *place.type;
    compile_rules(rules, schema, path, place, *made);
    const bool is_list = schema.at("type").as_string() == "array";
    const Path items = path.child("items");
    if (is_list && rules.at("items").is_object() && schema.at("items").is_object()) {
      Place inner = below(place, schema.at("items"), "@items", limit(schema, "maxItems"));
      if (schema.at("x-kubernetes-list-type").as_string() != "map" && inner.uncorrelatable == nullptr) {
        inner.uncorrelatable = &path;
      }
      made->items = node(rules.at("items"), schema.at("items"), items, inner);
    }
    const Path values = path.child("additionalProperties");
    if (rules.at("additionalProperties").is_object() && schema.at("additionalProperties").is_object()) {
      Place inner = below(place, schema.at("additionalProperties"), "@values", limit(schema, "maxProperties"));
      made->values = node(rules.at("additionalProperties"), schema.at("additionalProperties"), values, inner);
    }
    const Path properties = path.child("properties");
    for (const Member& property : rules.at("properties").members()) {
      const Value* known = schema.at("properties").find(property.name());
      if (known == nullptr) continue;
      const Path here = properties.key(property.name());
      Place inner = below(place, *known, std::string(property.name()), 1);
      auto child = node(property.value, *known, here, inner);
      if (child) made->properties.emplace_back(property.name(), std::move(child));
    }
    const Path all_of = path.child("allOf");
    for (size_t i = 0; i < rules.at("allOf").size(); ++i) {
      const Path here = all_of.index(i);
      Place inner = place;
      ++inner.depth;
      auto part = node(rules.at("allOf").items()[i], schema, here, inner);
      if (part) made->all_of.push_back(std::move(part));
    }
    if (made->empty()) return nullptr;
    return made;
  }

  void check_total(const Path& path) {
    if (total_ <= cel::kEstimatedCostLimitTotal) return;
    errors_.forbidden(path, cost_text("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema",
                                      total_, cel::kEstimatedCostLimitTotal));
  }

 private:
  static std::optional<uint64_t> limit(const Value& schema, std::string_view name) {
    const Value* told = schema.find(name);
    if (told == nullptr) return std::nullopt;
    return static_cast<uint64_t>(std::max<int64_t>(told->as_int(), 0));
  }

  static Place below(const Place& place, const Value& schema, const std::string& name, std::optional<uint64_t> times) {
    Place inner;
    inner.name = place.name + "." + name;
    inner.root = schema_flag(schema, "x-kubernetes-embedded-resource");
    inner.type = schema_type(schema, inner.root, inner.name);
    inner.cardinality.reset();
    if (place.cardinality && times) inner.cardinality = product(*place.cardinality, *times);
    inner.uncorrelatable = place.uncorrelatable;
    inner.depth = place.depth + 1;
    return inner;
  }

  void compile_rules(const Value& rules, const Value& schema, const Path& path, const Place& place, Node& made) {
    const Path list = path.child("x-kubernetes-validations");
    const Value& all = rules.at("x-kubernetes-validations");
    if (all.empty()) return;
    if (!place.type) {
      return errors_.invalid(list, schema.at("type"), "rules are not supported on a schema without a type");
    }
    for (size_t i = 0; i < all.size(); ++i) {
      const Path here = list.index(i);
      Rule rule;
      if (read(all.items()[i], schema, here, rule) && compile(all.items()[i], here, schema, place, rule)) {
        made.rules.push_back(std::move(rule));
      }
    }
  }

  // What is no expression. False where the rule makes no sense.
  bool read(const Value& document, const Value& schema, const Path& path, Rule& rule) {
    const size_t before = errors_.size();
    rule.text = trimmed(document.at("rule").as_string());
    const Value& message = document.at("message");
    rule.message = trimmed(message.as_string());
    if (rule.text.empty()) {
      errors_.required(path.child("rule"), "rule is not specified");
    } else if (!message.as_string().empty() && rule.message.empty()) {
      errors_.invalid(path.child("message"), message, "message must be non-empty if specified");
    } else if (rule.message.find('\n') != std::string::npos) {
      errors_.invalid(path.child("message"), message, "message must not contain line breaks");
    } else if (rule.text.find('\n') != std::string::npos && rule.message.empty()) {
      errors_.required(path.child("message"), "message must be specified if rule contains line breaks");
    }
    const Value& told = document.at("messageExpression");
    if (!told.as_string().empty() && trimmed(told.as_string()).empty()) {
      errors_.required(path.child("messageExpression"), "messageExpression must be non-empty if specified");
    }
    check_optional_one_of(path.child("reason"), document.at("reason"),
                          {"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"},
                          errors_);
    rule.reason = document.at("reason").as_string();
    read_field_path(document.at("fieldPath"), schema, path.child("fieldPath"), rule);
    rule.optional_old = document.at("optionalOldSelf").as_bool();
    return errors_.size() == before;
  }

  void read_field_path(const Value& told, const Value& schema, const Path& path, Rule& rule) {
    if (told.as_string().empty()) return;
    std::string_view text = trimmed(told.as_string());
    if (text.empty()) return errors_.invalid(path, told, "fieldPath must be non-empty if specified");
    if (text.find('\n') != std::string_view::npos) {
      return errors_.invalid(path, told, "fieldPath must not contain line breaks");
    }
    auto found = rule_field_path(text, schema);
    if (!found) return errors_.invalid(path, told, "fieldPath must be a valid path");
    rule.field_path = std::move(*found);
  }

  bool compile(const Value& document, const Path& path, const Value& schema, const Place& place, Rule& rule) {
    cel::Environment environment;
    environment.declare("self", *place.type);
    environment.declare("oldSelf", rule.optional_old ? Type::optional(*place.type) : *place.type);
    std::string problem;
    rule.program = compile_expression(environment, document.at("rule").as_string(), {}, problem);
    if (!rule.program) {
      errors_.invalid(path.child("rule"), document, problem);
      return false;
    }
    if (rule.program->result_type() != Type::boolean()) {
      errors_.invalid(path.child("rule"), document, "cel expression must evaluate to a bool");
      return false;
    }
    rule.on_change = rule.program->uses("oldSelf");
    check_cost(*rule.program, path.child("rule"), schema, place, "estimated rule cost");
    if (std::string_view text = document.at("messageExpression").as_string(); !text.empty()) {
      rule.message_program = compile_expression(environment, text, {}, problem);
      if (!rule.message_program) {
        errors_.invalid(path.child("messageExpression"), document, "messageExpression " + problem);
        return false;
      }
      if (rule.message_program->result_type() != Type::string()) {
        errors_.invalid(path.child("messageExpression"), document, "messageExpression must evaluate to a string");
        return false;
      }
      rule.on_change = rule.on_change || rule.message_program->uses("oldSelf");
      check_cost(*rule.message_program, path.child("messageExpression"), schema, place,
                 "estimated messageExpression cost");
    }
    if (rule.on_change && place.uncorrelatable != nullptr) {
      errors_.invalid(
          path.child("rule"), document.at("rule"),
          "oldSelf cannot be used on the uncorrelatable portion of the schema within " + place.uncorrelatable->str());
      return false;
    }
    if (!rule.on_change && document.find("optionalOldSelf") != nullptr) {
      errors_.invalid(path.child("optionalOldSelf"), document.at("optionalOldSelf"),
                      "may not be set if oldSelf is not used in rule");
      return false;
    }
    return true;
  }

  void check_cost(const cel::Program& program, const Path& path, const Value& schema, const Place& place,
                  std::string_view what) {
    const uint64_t times =
        place.cardinality ? *place.cardinality : kRequestBytesMax / (serialized_bytes_min(schema) + 1);
    const uint64_t cost = product(program.estimate_cost().max, times);
    total_ = sum(total_, cost);
    if (cost > cel::kEstimatedCostLimit) errors_.forbidden(path, cost_text(what, cost, cel::kEstimatedCostLimit));
  }

  FieldErrors& errors_;
  uint64_t total_ = 0;
};

}  // namespace

ValidationRules::~ValidationRules() = default;

std::shared_ptr<const ValidationRules> ValidationRules::compile(const Value& schema, const Path& path,
                                                                FieldErrors& errors) {
  if (!has_rules(schema)) return nullptr;
  std::shared_ptr<ValidationRules> made(new ValidationRules);
  made->schema_ = schema;
  Compiler compiler(errors);
  Place root;
  root.name = "self";
  root.root = true;
  root.type = schema_type(made->schema_, true, root.name);
  made->root_ = compiler.node(made->schema_, made->schema_, path, root);
  compiler.check_total(path);
  if (!made->root_) return nullptr;
  return made;
}

std::optional<std::string> rule_field_path(std::string_view text, const Value& schema) {
  std::string path;
  const Value* at = &schema;
  auto step = [&](std::string_view name) {
    const Value* property = at->at("properties").find(name);
    const Value& values = at->at("additionalProperties");
    if (at->find("properties") != nullptr) {
      if (property == nullptr) return false;
      path.append(path.empty() ? "" : ".").append(name);
      at = property;
    } else if (values.is_object()) {
      path.append("[").append(name).append("]");
      at = &values;
    } else {
      return false;
    }
    return true;
  };
  while (!text.empty()) {
    if (text.starts_with("['")) {
      const size_t end = text.find("']", 2);
      if (end == std::string_view::npos || !step(text.substr(2, end - 2))) return std::nullopt;
      text.remove_prefix(end + 2);
    } else if (text.starts_with('.')) {
      text.remove_prefix(1);
      const size_t end = std::min(text.find_first_of(".["), text.size());
      if (end == 0 || !step(text.substr(0, end))) return std::nullopt;
      text.remove_prefix(end);
    } else {
      return std::nullopt;
    }
  }
  return path;
}

}  // namespace stead::kinds
