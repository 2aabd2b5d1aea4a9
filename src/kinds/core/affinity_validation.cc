#include "kinds/core/affinity_validation.h"

#include <algorithm>
#include <set>
#include <string>

#include "object/names.h"

namespace stead::kinds {
namespace {

enum class LabelValues : uint8_t { kChecked, kAny };

void validate_expression(const Path& path, const Value& expression, LabelValues checking, FieldErrors& errors) {
  std::string_view op = expression.at("operator").as_string();
  const Value& values = expression.at("values");
  Path values_path = path.child("values");
  if (op == "In" || op == "NotIn") {
    if (values.empty()) errors.required(values_path, "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty()) {
      errors.forbidden(values_path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
  } else if (op == "Gt" || op == "Lt") {
    if (values.size() != 1) {
      errors.required(values_path, "must be specified single value when `operator` is 'Lt' or 'Gt'");
    }
  } else {
    errors.invalid(path.child("operator"), Value(op), "not a valid selector operator");
  }
  std::string_view key = expression.at("key").as_string();
  check(path.child("key"), Value(key), object::check_qualified_name(key), errors);
  if (checking == LabelValues::kAny) return;
  for (size_t i = 0; i < values.size(); ++i) {
    const Value& value = values.items()[i];
    check(values_path.index(i), value, object::check_label_value(value.as_string()), errors);
  }
}

void validate_field_expression(const Path& path, const Value& expression, FieldErrors& errors) {
  std::string_view op = expression.at("operator").as_string();
  const Value& values = expression.at("values");
  Path values_path = path.child("values");
  if (op != "In" && op != "NotIn") {
    errors.invalid(path.child("operator"), Value(op), "not a valid selector operator");
  } else if (values.size() != 1) {
    errors.required(values_path, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  }
  if (expression.at("key").as_string() != "metadata.name") {
    errors.invalid(path.child("key"), Value(expression.at("key").as_string()), "not a valid field selector key");
    return;
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const Value& value = values.items()[i];
    check(values_path.index(i), value, object::check_dns1123_subdomain(value.as_string()), errors);
  }
}

void validate_node_term(const Path& path, const Value& term, LabelValues checking, FieldErrors& errors) {
  Path expressions_path = path.child("matchExpressions");
  auto expressions = term.at("matchExpressions").items();
  for (size_t i = 0; i < expressions.size(); ++i) {
    validate_expression(expressions_path.index(i), expressions[i], checking, errors);
  }
  Path fields_path = path.child("matchFields");
  auto fields = term.at("matchFields").items();
  for (size_t i = 0; i < fields.size(); ++i) validate_field_expression(fields_path.index(i), fields[i], errors);
}

void check_weight(const Path& path, const Value& term, FieldErrors& errors) {
  int64_t weight = term.at("weight").as_int();
  if (weight <= 0 || weight > 100) errors.invalid(path.child("weight"), Value(weight), "must be in the range 1-100");
}

std::set<std::string_view> keys_of(const Value& selector) {
  std::set<std::string_view> keys;
  for (const object::Member& label : selector.at("matchLabels").members()) keys.insert(label.name());
  for (const Value& expression : selector.at("matchExpressions").items()) {
    keys.insert(expression.at("key").as_string());
  }
  return keys;
}

void check_label_keys(const Path& path, const Value& keys, FieldErrors& errors) {
  for (size_t i = 0; i < keys.size(); ++i) {
    const Value& key = keys.items()[i];
    check(path.index(i), key, object::check_qualified_name(key.as_string()), errors);
  }
}

// Labels whose values a pod shares, or must not share, with those selected (KEP-3633). The selector already has what
// was made of matchLabelKeys, so a key that stands in it besides is there twice.
void validate_term_label_keys(const Path& path, const Value& term, FieldErrors& errors) {
  const Value* selector = term.find("labelSelector");
  const Value& match = term.at("matchLabelKeys");
  const Value& mismatch = term.at("mismatchLabelKeys");
  for (std::string_view name : {"matchLabelKeys", "mismatchLabelKeys"}) {
    const Value& keys = term.at(name);
    if (keys.empty()) continue;
    if (selector == nullptr) {
      errors.forbidden(path.child(name), "must not be specified when labelSelector is not set");
    } else {
      check_label_keys(path.child(name), keys, errors);
    }
  }
  auto index_of = [](const Value& keys, std::string_view key) {
    auto items = keys.items();
    auto found = std::find_if(items.begin(), items.end(), [&](const Value& one) { return one.as_string() == key; });
    return static_cast<size_t>(found - items.begin());
  };
  if (selector != nullptr) {
    std::set<std::string_view> seen;
    for (const object::Member& label : selector->at("matchLabels").members()) seen.insert(label.name());
    for (const Value& expression : selector->at("matchExpressions").items()) {
      std::string_view key = expression.at("key").as_string();
      size_t at = index_of(match, key);
      if (!seen.insert(key).second && at < match.size()) {
        errors.invalid(path.index(at), Value(key), "exists in both matchLabelKeys and labelSelector");
      }
    }
  }
  Path match_path = path.child("matchLabelKeys");
  for (size_t i = 0; i < match.size(); ++i) {
    const Value& key = match.items()[i];
    if (index_of(mismatch, key.as_string()) == mismatch.size()) continue;
    errors.invalid(match_path.index(i), key, "exists in both matchLabelKeys and mismatchLabelKeys");
  }
}

void validate_spread_label_keys(const Path& path, const Value& constraint, FieldErrors& errors) {
  const Value& keys = constraint.at("matchLabelKeys");
  if (keys.empty()) return;
  const Value* selector = constraint.find("labelSelector");
  if (selector == nullptr) errors.forbidden(path, "must not be specified when labelSelector is not set");
  std::set<std::string_view> selected = keys_of(constraint.at("labelSelector"));
  for (size_t i = 0; i < keys.size(); ++i) {
    const Value& key = keys.items()[i];
    check(path.index(i), key, object::check_qualified_name(key.as_string()), errors);
    if (selected.contains(key.as_string())) {
      errors.invalid(path.index(i), key, "exists in both matchLabelKeys and labelSelector");
    }
  }
}

void validate_pod_term(const Path& path, const Value& term, FieldErrors& errors) {
  for (std::string_view name : {"labelSelector", "namespaceSelector"}) {
    if (const Value* selector = term.find(name)) check_label_selector(path.child(name), *selector, errors);
  }
  for (const Value& ns : term.at("namespaces").items()) {
    check(path.child("namespace"), ns, object::check_dns1123_label(ns.as_string()), errors);
  }
  validate_term_label_keys(path, term, errors);
  std::string_view key = term.at("topologyKey").as_string();
  if (key.empty()) errors.required(path.child("topologyKey"), "can not be empty");
  check(path.child("topologyKey"), Value(key), object::check_qualified_name(key), errors);
}

void validate_pod_terms(const Path& path, const Value& affinity, FieldErrors& errors) {
  Path required_path = path.child("requiredDuringSchedulingIgnoredDuringExecution");
  auto required = affinity.at("requiredDuringSchedulingIgnoredDuringExecution").items();
  for (size_t i = 0; i < required.size(); ++i) validate_pod_term(required_path.index(i), required[i], errors);
  Path preferred_path = path.child("preferredDuringSchedulingIgnoredDuringExecution");
  auto preferred = affinity.at("preferredDuringSchedulingIgnoredDuringExecution").items();
  for (size_t i = 0; i < preferred.size(); ++i) {
    Path at = preferred_path.index(i);
    check_weight(at, preferred[i], errors);
    validate_pod_term(at.child("podAffinityTerm"), preferred[i].at("podAffinityTerm"), errors);
  }
}

void validate_node_affinity(const Path& path, const Value& affinity, FieldErrors& errors) {
  if (const Value* required = affinity.find("requiredDuringSchedulingIgnoredDuringExecution")) {
    validate_node_selector(path.child("requiredDuringSchedulingIgnoredDuringExecution"), *required, errors);
  }
  Path preferred_path = path.child("preferredDuringSchedulingIgnoredDuringExecution");
  auto preferred = affinity.at("preferredDuringSchedulingIgnoredDuringExecution").items();
  for (size_t i = 0; i < preferred.size(); ++i) {
    Path at = preferred_path.index(i);
    check_weight(at, preferred[i], errors);
    // A preference nothing can match does no harm, so odd values are let through, as upstream does.
    validate_node_term(at.child("preference"), preferred[i].at("preference"), LabelValues::kAny, errors);
  }
}

std::string pair_of(const Value& constraint) {
  return "{" + std::string(constraint.at("topologyKey").as_string()) + ", " +
         std::string(constraint.at("whenUnsatisfiable").as_string()) + "}";
}

void validate_min_domains(const Path& path, const Value& constraint, FieldErrors& errors) {
  const Value* domains = constraint.find("minDomains");
  if (domains == nullptr) return;
  if (domains->as_int() <= 0) errors.invalid(path.child("minDomains"), *domains, kPositive);
  std::string_view action = constraint.at("whenUnsatisfiable").as_string();
  if (action != "DoNotSchedule") {
    errors.invalid(path.child("minDomains"), *domains,
                   "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " + std::string(action));
  }
}

}  // namespace

void validate_affinity(const Path& path, const Value& affinity, FieldErrors& errors) {
  if (const Value* node = affinity.find("nodeAffinity")) {
    validate_node_affinity(path.child("nodeAffinity"), *node, errors);
  }
  for (std::string_view name : {"podAffinity", "podAntiAffinity"}) {
    if (const Value* pods = affinity.find(name)) validate_pod_terms(path.child(name), *pods, errors);
  }
}

void validate_node_selector(const Path& path, const Value& selector, FieldErrors& errors) {
  Path terms_path = path.child("nodeSelectorTerms");
  auto terms = selector.at("nodeSelectorTerms").items();
  if (terms.empty()) return errors.required(terms_path, "must have at least one node selector term");
  for (size_t i = 0; i < terms.size(); ++i) {
    validate_node_term(terms_path.index(i), terms[i], LabelValues::kChecked, errors);
  }
}

void validate_spread_constraints(const Path& path, const Value& constraints, FieldErrors& errors) {
  for (size_t i = 0; i < constraints.size(); ++i) {
    const Value& constraint = constraints.items()[i];
    Path at = path.index(i);
    int64_t skew = constraint.at("maxSkew").as_int();
    if (skew <= 0) errors.invalid(at.child("maxSkew"), Value(skew), kPositive);
    std::string key(constraint.at("topologyKey").as_string());
    if (key.empty()) errors.required(at.child("topologyKey"), "can not be empty");
    Value action(constraint.at("whenUnsatisfiable").as_string());
    check_optional_one_of(at.child("whenUnsatisfiable"), action, {"DoNotSchedule", "ScheduleAnyway"}, errors);
    std::string pair = pair_of(constraint);
    auto later = constraints.items().subspan(i + 1);
    if (std::any_of(later.begin(), later.end(), [&](const Value& other) { return pair_of(other) == pair; })) {
      errors.duplicate(at.child("{topologyKey, whenUnsatisfiable}"), Value(pair));
    }
    validate_min_domains(at, constraint, errors);
    for (std::string_view name : {"nodeAffinityPolicy", "nodeTaintsPolicy"}) {
      check_optional_one_of(at.child(name), constraint.at(name), {"Honor", "Ignore"}, errors);
    }
    if (const Value* selector = constraint.find("labelSelector")) {
      check_label_selector(at.child("labelSelector"), *selector, errors);
    }
    validate_spread_label_keys(at.child("matchLabelKeys"), constraint, errors);
  }
}

}  // namespace stead::kinds
