#include "kinds/admissionregistration/webhook_rules.h"

#include <algorithm>
#include <set>

#include "kinds/admissionregistration/admission_environment.h"
#include "kinds/admissionregistration/match_rules.h"
#include "kinds/admissionregistration/webhook_client.h"
#include "kinds/meta/cells.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

void check_review_versions(const Path& path, const Value& versions, FieldErrors& errors) {
  if (versions.empty()) return errors.required(path, "must specify one of v1, v1beta1");
  std::set<std::string_view> seen;
  bool known = false;
  for (size_t i = 0; i < versions.size(); ++i) {
    std::string_view version = versions.items()[i].as_string();
    check(path.index(i), versions.items()[i], object::check_format("dns1035Label", version), errors);
    if (!seen.insert(version).second) errors.invalid(path.index(i), versions.items()[i], "duplicate version");
    known = known || version == "v1" || version == "v1beta1";
  }
  if (!known) errors.invalid(path, versions, "must include at least one of v1, v1beta1");
}

void check_name(const Path& path, const Value& name, FieldErrors& errors) {
  if (!check_present(path, name, errors)) return;
  if (!check(path, name, object::check_format("dns1123Subdomain", name.as_string()), errors)) return;
  if (std::count(name.as_string().begin(), name.as_string().end(), '.') < 2) {
    errors.invalid(path, name, "should be a domain with at least three segments separated by dots");
  }
}

void check_webhook(const Path& path, const Value& webhook, FieldErrors& errors) {
  check_name(path.child("name"), webhook.at("name"), errors);
  const Path rules = path.child("rules");
  for (size_t i = 0; i < webhook.at("rules").size(); ++i) {
    check_rule_with_operations(rules.index(i), webhook.at("rules").items()[i], errors);
  }
  check_review_versions(path.child("admissionReviewVersions"), webhook.at("admissionReviewVersions"), errors);
  check_optional_one_of(path.child("failurePolicy"), webhook.at("failurePolicy"), {"Fail", "Ignore"}, errors);
  check_optional_one_of(path.child("matchPolicy"), webhook.at("matchPolicy"), {"Equivalent", "Exact"}, errors);
  check_optional_one_of(path.child("reinvocationPolicy"), webhook.at("reinvocationPolicy"), {"IfNeeded", "Never"},
                        errors);
  check_one_of(path.child("sideEffects"), webhook.at("sideEffects"), {"None", "NoneOnDryRun"}, errors);
  const Value& seconds = webhook.at("timeoutSeconds");
  if (!seconds.is_null() && (seconds.as_int() < 1 || seconds.as_int() > 30)) {
    errors.invalid(path.child("timeoutSeconds"), seconds, "the timeout value must be between 1 and 30 seconds");
  }
  for (std::string_view name : {"namespaceSelector", "objectSelector"}) {
    const Value* selector = webhook.find(name);
    if (selector != nullptr) check_label_selector(path.child(name), *selector, errors);
  }
  check_webhook_client(path.child("clientConfig"), webhook.at("clientConfig"), errors);
  compile_match_conditions(path.child("matchConditions"), webhook.at("matchConditions"), false, errors);
}

void validate(const Value& configuration, FieldErrors& errors) {
  const Path path("webhooks");
  std::set<std::string_view> names;
  for (size_t i = 0; i < configuration.at("webhooks").size(); ++i) {
    const Value& webhook = configuration.at("webhooks").items()[i];
    const Path here = path.index(i);
    check_webhook(here, webhook, errors);
    if (!names.insert(webhook.at("name").as_string()).second) errors.duplicate(here.child("name"), webhook.at("name"));
  }
}

std::vector<Value> cells(const Value& configuration, WallTime now) {
  return {name_of(configuration), static_cast<int64_t>(configuration.at("webhooks").size()),
          Value(age(configuration, now))};
}

KindRules configuration_rules() {
  KindRules made;
  made.rules = {.validate = validate, .cells = cells};
  made.columns = {name_column(), {"Webhooks", "integer", "", "How many webhooks it configures."}, age_column()};
  return made;
}

}  // namespace

KindRules mutating_webhook_configuration_rules() { return configuration_rules(); }
KindRules validating_webhook_configuration_rules() { return configuration_rules(); }

}  // namespace stead::kinds
