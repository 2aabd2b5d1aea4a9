#include <algorithm>
#include <string>

#include "kinds/flowcontrol/flowcontrol_rules.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/meta/conditions.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr int64_t kPrecedenceMax = 10000;

// A list with at least one entry, in which "*" stands alone.
void check_words(const Path& path, const Value& list, const std::string& if_empty, std::string_view what,
                 FieldErrors& errors) {
  if (list.empty()) return errors.required(path, if_empty);
  auto items = list.items();
  bool all = std::any_of(items.begin(), items.end(), [](const Value& item) { return item.as_string() == "*"; });
  if (all && items.size() > 1) {
    errors.invalid(path, list, "if '*' is present, must not specify other " + std::string(what));
  }
}

void validate_subject(const Path& path, const Value& subject, FieldErrors& errors) {
  struct Shape {
    std::string_view kind;
    std::string_view field;
  };
  constexpr Shape kShapes[] = {{"Group", "group"}, {"ServiceAccount", "serviceAccount"}, {"User", "user"}};
  std::string_view kind = subject.at("kind").as_string();
  check_one_of(path.child("kind"), subject.at("kind"), {"Group", "ServiceAccount", "User"}, errors);
  for (const Shape& shape : kShapes) {
    const Value* given = subject.find(shape.field);
    Path at = path.child(shape.field);
    std::string field(shape.field);
    std::string quoted = "'" + std::string(shape.kind) + "'";
    if (kind != shape.kind) {
      if (given != nullptr) errors.forbidden(at, field + " is forbidden when subject kind is not " + quoted);
      continue;
    }
    if (given == nullptr) {
      errors.required(at, field + " is required when subject kind is " + quoted);
      continue;
    }
    check_present(at.child("name"), given->at("name"), errors);
    if (kind == "ServiceAccount") check_present(at.child("namespace"), given->at("namespace"), errors);
  }
}

void validate_resource_rule(const Path& path, const Value& rule, FieldErrors& errors) {
  check_words(path.child("verbs"), rule.at("verbs"), "verbs must contain at least one value", "verbs", errors);
  check_words(path.child("apiGroups"), rule.at("apiGroups"), "resource rules must supply at least one api group",
              "api groups", errors);
  check_words(path.child("resources"), rule.at("resources"), "resource rules must supply at least one resource",
              "resources", errors);
  const Value& namespaces = rule.at("namespaces");
  Path at = path.child("namespaces");
  if (namespaces.empty() && !rule.at("clusterScope").as_bool()) {
    errors.required(at, "resource rules that are not cluster scoped must supply at least one namespace");
  } else if (!namespaces.empty()) {
    check_words(at, namespaces, {}, "namespaces", errors);
  }
}

void validate_rule(const Path& path, const Value& rule, FieldErrors& errors) {
  Path subjects = path.child("subjects");
  if (rule.at("subjects").empty()) errors.required(subjects, "subjects must contain at least one value");
  for (size_t i = 0; i < rule.at("subjects").size(); ++i) {
    validate_subject(subjects.index(i), rule.at("subjects").items()[i], errors);
  }
  const Value& resources = rule.at("resourceRules");
  const Value& others = rule.at("nonResourceRules");
  if (resources.empty() && others.empty()) {
    errors.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty");
  }
  Path resources_path = path.child("resourceRules");
  for (size_t i = 0; i < resources.size(); ++i) {
    validate_resource_rule(resources_path.index(i), resources.items()[i], errors);
  }
  Path others_path = path.child("nonResourceRules");
  for (size_t i = 0; i < others.size(); ++i) {
    const Value& other = others.items()[i];
    Path at = others_path.index(i);
    check_words(at.child("verbs"), other.at("verbs"), "verbs must contain at least one value", "verbs", errors);
    check_words(at.child("nonResourceURLs"), other.at("nonResourceURLs"),
                "nonResourceURLs must contain at least one value", "non-resource URLs", errors);
  }
}

void validate(const Value& schema, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = schema.at("spec");
  int64_t precedence = spec.at("matchingPrecedence").as_int();
  Path precedence_path = path.child("matchingPrecedence");
  if (precedence <= 0) errors.invalid(precedence_path, precedence, "must be a positive value");
  if (precedence > kPrecedenceMax) errors.invalid(precedence_path, precedence, "must not be greater than 10000");
  if (precedence == 1 && name_of(schema).as_string() != "exempt") {
    errors.invalid(precedence_path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
  }
  if (const Value* method = spec.find("distinguisherMethod")) {
    Path at = path.child("distinguisherMethod");
    check_one_of(at.child("type"), method->at("type"), {"ByNamespace", "ByUser"}, errors);
  }
  const Value& level = spec.at({"priorityLevelConfiguration", "name"});
  Path level_path = path.child("priorityLevelConfiguration");
  if (level.as_string().empty()) {
    errors.required(level_path.child("name"), "must reference a priority level");
  } else {
    check(level_path.child("name"), level, object::check_dns1123_subdomain(level.as_string()), errors);
  }
  Path rules_path = path.child("rules");
  for (size_t i = 0; i < spec.at("rules").size(); ++i) {
    validate_rule(rules_path.index(i), spec.at("rules").items()[i], errors);
  }
}

std::string missing_level(const Value& schema) {
  const Value* dangling = find_condition(schema.at("status"), "Dangling");
  return dangling == nullptr ? "?" : std::string(dangling->at("status").as_string());
}

std::vector<Value> cells(const Value& schema, WallTime now) {
  const Value& spec = schema.at("spec");
  return {name_of(schema),
          spec.at({"priorityLevelConfiguration", "name"}),
          spec.at("matchingPrecedence").as_int(),
          text_or(spec.at({"distinguisherMethod", "type"}), "<none>"),
          age(schema, now),
          missing_level(schema)};
}

}  // namespace

KindRules flow_schema_rules() {
  KindRules made;
  made.rules = {.validate = validate, .cells = cells};
  made.columns = {name_column(),
                  {"PriorityLevel", "string", "", "The level of matching requests."},
                  {"MatchingPrecedence", "string", "", "Which of several matching schemas counts; the lowest first."},
                  {"DistinguisherMethod", "string", "", "How requests are told apart into flows."},
                  age_column(),
                  {"MissingPL", "string", "", "Whether the level is missing."}};
  return made;
}

}  // namespace stead::kinds
