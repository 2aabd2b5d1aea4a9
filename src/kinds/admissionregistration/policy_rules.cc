#include "kinds/admissionregistration/policy_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kinds/admissionregistration/match_rules.h"
#include "kinds/admissionregistration/policy_program.h"
#include "kinds/meta/cells.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kUnset = "<unset>";

void check_param_kind(const Path& path, const Value& kind, FieldErrors& errors) {
  const Value& version = kind.at("apiVersion");
  const Path at = path.child("apiVersion");
  std::string_view text = version.as_string();
  const auto slashes = std::count(text.begin(), text.end(), '/');
  if (text.empty()) {
    errors.required(at);
  } else if (slashes > 1) {
    errors.invalid(at, version, fmt::format("unexpected GroupVersion string: {}", text));
  } else {
    const size_t slash = text.find('/');
    const Value group(slashes == 0 ? std::string_view() : text.substr(0, slash));
    const Value name(slashes == 0 ? text : text.substr(slash + 1));
    if (!group.as_string().empty()) check(at, group, object::check_dns1123_subdomain(group.as_string()), errors);
    if (name.as_string().empty()) {
      errors.invalid(at, version, "version must be specified");
    } else {
      check(at, name, object::check_dns1035_label(name.as_string()), errors);
    }
  }
  if (!check_present(path.child("kind"), kind.at("kind"), errors)) return;
  std::string problem = object::check_dns1035_label(lower(kind.at("kind").as_string()));
  if (!problem.empty()) problem = "may have mixed case, but should otherwise match: " + problem;
  check(path.child("kind"), kind.at("kind"), problem, errors);
}

void validate_policy(const Value& policy, FieldErrors& errors) {
  const Value& spec = policy.at("spec");
  const Path path("spec");
  check_one_of(path.child("failurePolicy"), spec.at("failurePolicy"), {"Fail", "Ignore"}, errors);
  if (spec.at("paramKind").is_object()) check_param_kind(path.child("paramKind"), spec.at("paramKind"), errors);
  const Path constraints = path.child("matchConstraints");
  if (!spec.at("matchConstraints").is_object()) {
    errors.required(constraints);
  } else {
    check_match_resources(constraints, spec.at("matchConstraints"), errors);
    if (spec.at({"matchConstraints", "resourceRules"}).empty()) errors.required(constraints.child("resourceRules"));
  }
  PolicyProgram::compile(policy, errors);
}

void check_warnings(const Path& path, const Value& warnings, FieldErrors& errors) {
  for (size_t i = 0; i < warnings.size(); ++i) {
    const Path here = path.index(i);
    check_present(here.child("warning"), warnings.items()[i].at("warning"), errors);
    if (trimmed(warnings.items()[i].at("fieldRef").as_string()).empty()) errors.required(here.child("fieldRef"));
  }
}

void validate_policy_status(const Value& policy, const Value&, FieldErrors& errors) {
  const Path status("status");
  const Path checking = status.child("typeChecking");
  check_warnings(checking.child("expressionWarnings"), policy.at({"status", "typeChecking", "expressionWarnings"}),
                 errors);
}

void prepare_policy(Value& policy) { policy.erase("status"); }

std::vector<Value> policy_cells(const Value& policy, WallTime now) {
  const Value& spec = policy.at("spec");
  const Value& kind = spec.at("paramKind");
  std::string params(kUnset);
  if (kind.is_object()) params = fmt::format("{}/{}", kind.at("apiVersion").as_string(), kind.at("kind").as_string());
  return {name_of(policy), static_cast<int64_t>(spec.at("validations").size()), Value(params), Value(age(policy, now))};
}

void check_param_ref(const Path& path, const Value& reference, FieldErrors& errors) {
  const Value& name = reference.at("name");
  const Value& selector = reference.at("selector");
  const bool named = !name.as_string().empty();
  constexpr std::string_view kExclusive = "name and selector are mutually exclusive";
  if (named) {
    check(path.child("name"), name, object::check_path_segment(name.as_string()), errors);
    if (selector.is_object()) errors.forbidden(path.child("name"), kExclusive);
  }
  if (selector.is_object()) {
    check_label_selector(path.child("selector"), selector, errors);
    if (named) errors.forbidden(path.child("selector"), kExclusive);
  }
  if (!named && !selector.is_object()) errors.required(path, "one of name or selector must be specified");
  check_one_of(path.child("parameterNotFoundAction"), reference.at("parameterNotFoundAction"), {"Deny", "Allow"},
               errors);
}

void check_actions(const Path& path, const Value& actions, FieldErrors& errors) {
  static constexpr std::string_view kActions[] = {"Audit", "Deny", "Warn"};
  std::set<std::string_view> seen;
  for (size_t i = 0; i < actions.size(); ++i) {
    const Value& action = actions.items()[i];
    if (!contains(kActions, action.as_string())) errors.not_supported(path.index(i), action, kActions);
    if (!seen.insert(action.as_string()).second) errors.duplicate(path.index(i), action);
  }
  if (seen.contains("Deny") && seen.contains("Warn")) {
    errors.invalid(path, actions,
                   "must not contain both Deny and Warn (repeating the same validation failure information in the API "
                   "response and headers serves no purpose)");
  }
  if (seen.empty()) errors.required(path, "at least one validation action is required");
}

void validate_binding(const Value& binding, FieldErrors& errors) {
  const Value& spec = binding.at("spec");
  const Path path("spec");
  const Value& policy = spec.at("policyName");
  if (check_present(path.child("policyName"), policy, errors)) {
    check(path.child("policyName"), policy, object::check_dns1123_subdomain(policy.as_string()), errors);
  }
  if (spec.at("paramRef").is_object()) check_param_ref(path.child("paramRef"), spec.at("paramRef"), errors);
  if (spec.at("matchResources").is_object()) {
    check_match_resources(path.child("matchResources"), spec.at("matchResources"), errors);
  }
  check_actions(path.child("validationActions"), spec.at("validationActions"), errors);
}

std::vector<Value> binding_cells(const Value& binding, WallTime now) {
  const Value& spec = binding.at("spec");
  const Value& reference = spec.at("paramRef");
  std::string params(kUnset);
  std::string_view name = reference.at("name").as_string();
  if (!name.empty()) {
    params = fmt::format("{}/{}", text_or(reference.at("namespace"), "*"), name);
  } else if (reference.at("selector").is_object()) {
    params = format_label_selector(reference.at("selector"));
  }
  return {name_of(binding), spec.at("policyName"), Value(params), Value(age(binding, now))};
}

}  // namespace

KindRules validating_admission_policy_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_policy,
                .validate = validate_policy,
                .validate_status_update = validate_policy_status,
                .cells = policy_cells};
  made.columns = {name_column(),
                  {"Validations", "integer", "", "How many validations it has."},
                  {"ParamKind", "string", "", "The kind of its parameters."},
                  age_column()};
  return made;
}

KindRules validating_admission_policy_binding_rules() {
  KindRules made;
  made.rules = {.validate = validate_binding, .cells = binding_cells};
  made.columns = {name_column(),
                  {"PolicyName", "string", "", "The policy that it binds."},
                  {"ParamRef", "string", "", "The parameters that it binds."},
                  age_column()};
  return made;
}

}  // namespace stead::kinds
