#include "kinds/apps/replicas_validation.h"

#include <algorithm>
#include <charconv>

#include "kinds/core/pod_spec_validation.h"
#include "object/selector.h"

namespace stead::kinds {
namespace {

bool is_percent(std::string_view text) {
  return text.size() > 1 && text.ends_with('%') &&
         std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= '0' && c <= '9'; });
}

void validate_template(const Path& path, const Value& pod_template, const object::LabelSelector& selector,
                       TemplateOwner owner, FieldErrors& errors) {
  const Value& labels = pod_template.at({"metadata", "labels"});
  bool has_requirements = !selector.matches_everything() && !selector.matches_nothing();
  if (has_requirements && !selector.matches(labels)) {
    Path metadata_path = path.child("metadata");
    errors.invalid(metadata_path.child("labels"), labels.is_null() ? Value::object() : labels,
                   "`selector` does not match template `labels`");
  }
  validate_pod_template(path, pod_template, errors);
  Path spec_path = path.child("spec");
  const Value& restart = pod_template.at({"spec", "restartPolicy"});
  if (restart.as_string() != "Always") {
    std::string_view supported[] = {"Always"};
    errors.not_supported(spec_path.child("restartPolicy"), restart, supported);
  }
  if (pod_template.find({"spec", "activeDeadlineSeconds"}) != nullptr) {
    errors.forbidden(spec_path.child("activeDeadlineSeconds"),
                     "activeDeadlineSeconds in " + std::string(owner.of_template) + " is not Supported");
  }
}

}  // namespace

bool check_count_or_percent(const Path& path, const Value& value, FieldErrors& errors) {
  if (value.is_null()) return true;
  if (value.is_int()) {
    check_not_negative(path, value, errors);
    return value.as_int() >= 0;
  }
  if (is_percent(value.as_string())) return true;
  errors.invalid(path, value,
                 "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
                 "regex used for validation is '[0-9]+%')");
  return false;
}

void check_percent_at_most_100(const Path& path, const Value& value, FieldErrors& errors) {
  if (!is_percent(value.as_string())) return;
  std::string_view text = value.as_string();
  text.remove_suffix(1);
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  if (text.size() > 3 || (text.size() == 3 && text > "100")) {
    errors.invalid(path, value, "must not be greater than 100%");
  }
}

int64_t count_or_percent(const Value& value) {
  if (value.is_int()) return value.as_int();
  std::string_view text = value.as_string();
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void validate_selected_template(const Path& path, const Value& spec, FieldErrors& errors, TemplateOwner owner) {
  Path selector_path = path.child("selector");
  const Value* selector = spec.find("selector");
  if (selector == nullptr) {
    errors.required(selector_path);
  } else {
    check_label_selector(selector_path, *selector, errors);
    if (selector->at("matchLabels").empty() && selector->at("matchExpressions").empty()) {
      errors.invalid(selector_path, *selector, "empty selector is invalid for " + std::string(owner.of_selector));
    }
  }
  auto parsed = object::LabelSelector::from_document(spec.at("selector"));
  if (!parsed.ok()) {
    errors.invalid(selector_path, spec.at("selector"), "invalid label selector");
    return;
  }
  validate_template(path.child("template"), spec.at("template"), *parsed, owner, errors);
}

void check_status_counts(const Value& status, std::initializer_list<std::string_view> names, FieldErrors& errors) {
  Path path("status");
  int64_t replicas = status.at("replicas").as_int();
  for (std::string_view name : names) {
    const Value& count = status.at(name);
    check_not_negative(path.child(name), count, errors);
    if (count.as_int() > replicas) errors.invalid(path.child(name), count, "cannot be greater than status.replicas");
  }
}

}  // namespace stead::kinds
