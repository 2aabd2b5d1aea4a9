#include <algorithm>

#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "kinds/networking/networking_rules.h"
#include "kinds/networking/object_reference.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr size_t kControllerBytesMax = 250;

bool is_path_character(char c) {
  bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return alphanumeric || std::string_view("/-._~%!$&'()*+,;=:").find(c) != std::string_view::npos;
}

// "acme.io/foo"
void validate_prefixed_path(const Path& path, const Value& value, FieldErrors& errors) {
  std::string_view text = value.as_string();
  if (text.empty()) return errors.required(path);
  size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
    return errors.invalid(path, value, "must be a domain-prefixed path (such as \"acme.io/foo\")");
  }
  check(path, Value(text.substr(0, slash)), object::check_dns1123_subdomain(text.substr(0, slash)), errors);
  std::string_view rest = text.substr(slash + 1);
  if (!std::all_of(rest.begin(), rest.end(), is_path_character)) {
    errors.invalid(path, Value(rest), "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
  }
}

void validate_parameters(const Path& path, const Value& parameters, FieldErrors& errors) {
  validate_object_reference(path, parameters, errors);
  Path scope_path = path.child("scope");
  Path namespace_path = path.child("namespace");
  const Value& scope = parameters.at("scope");
  const Value* ns = parameters.find("namespace");
  if (scope.is_null()) return errors.required(scope_path);
  if (scope.as_string() == "Namespace") {
    if (ns == nullptr) {
      errors.required(namespace_path, "`parameters.scope` is set to 'Namespace'");
    } else {
      check(namespace_path, *ns, object::check_dns1123_label(ns->as_string()), errors);
    }
  } else if (scope.as_string() == "Cluster") {
    if (ns != nullptr) errors.forbidden(namespace_path, "`parameters.scope` is set to 'Cluster'");
  } else {
    std::string_view supported[] = {"Cluster", "Namespace"};
    errors.not_supported(scope_path, scope, supported);
  }
}

void validate(const Value& ingress_class, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = ingress_class.at("spec");
  const Value& controller = spec.at("controller");
  Path controller_path = path.child("controller");
  if (controller.as_string().size() > kControllerBytesMax) {
    errors.too_long(controller_path, Value(""), kControllerBytesMax);
  }
  validate_prefixed_path(controller_path, controller, errors);
  if (const Value* parameters = spec.find("parameters")) {
    validate_parameters(path.child("parameters"), *parameters, errors);
  }
}

void validate_update(const Value& ingress_class, const Value& old, FieldErrors& errors) {
  Path path("spec");
  check_unchanged(path.child("controller"), ingress_class.at({"spec", "controller"}), old.at({"spec", "controller"}),
                  errors);
}

std::vector<Value> cells(const Value& ingress_class, WallTime now) {
  const Value& spec = ingress_class.at("spec");
  std::string text(kNone);
  if (const Value* parameters = spec.find("parameters")) {
    text = parameters->at("kind").as_string();
    if (const Value* group = parameters->find("apiGroup")) text.append(".").append(group->as_string());
    text.append("/").append(parameters->at("name").as_string());
  }
  return {name_of(ingress_class), text_or(spec.at("controller"), ""), text, age(ingress_class, now)};
}

}  // namespace

KindRules ingress_class_rules() {
  KindRules made;
  made.rules = {.validate = validate, .validate_update = validate_update, .cells = cells};
  made.columns = {name_column(),
                  {"Controller", "string", "", "Who serves ingresses of this class."},
                  {"Parameters", "string", "", "An object with more settings for it."},
                  age_column()};
  return made;
}

}  // namespace stead::kinds
