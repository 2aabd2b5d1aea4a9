// Rules of a Job's podFailurePolicy (KEP-3329, KEP-3850) and successPolicy (KEP-3998).

#include <algorithm>
#include <set>

#include "kinds/batch/job_validation.h"
#include "kinds/semantics/index_ranges.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr size_t kRulesMax = 20;
constexpr size_t kPatternsMax = 20;
constexpr size_t kExitCodesMax = 255;
constexpr size_t kIndexesBytesMax = 64 * 1024;

bool has_container(const Value& spec, std::string_view name) {
  for (std::string_view list : {"containers", "initContainers"}) {
    auto items = spec.at({"template", "spec", list}).items();
    bool found = std::any_of(items.begin(), items.end(),
                             [&](const Value& container) { return container.at("name").as_string() == name; });
    if (found) return true;
  }
  return false;
}

// As check_one_of, with the values in the text of what is missing.
void check_choice(const Path& path, const Value& value, std::initializer_list<std::string_view> allowed,
                  FieldErrors& errors) {
  if (!is_absent_or_empty(value)) return check_optional_one_of(path, value, allowed, errors);
  std::string list;
  for (std::string_view one : allowed) list += (list.empty() ? "\"" : ", \"") + std::string(one) + "\"";
  errors.required(path, "valid values: " + list);
}

void validate_exit_codes(const Path& path, const Value& requirement, const Value& spec, FieldErrors& errors) {
  check_choice(path.child("operator"), requirement.at("operator"), {"In", "NotIn"}, errors);
  const Value* name = requirement.find("containerName");
  if (name != nullptr && !has_container(spec, name->as_string())) {
    errors.invalid(path.child("containerName"), *name,
                   "must be one of the container or initContainer names in the pod template");
  }
  const Value& values = requirement.at("values");
  Path values_path = path.child("values");
  if (values.empty()) {
    errors.invalid(values_path, Value::array(), "at least one value is required");
  } else if (values.size() > kExitCodesMax) {
    errors.too_many(values_path, values.size(), kExitCodesMax);
  }
  std::set<int64_t> seen;
  bool ordered = true;
  int64_t previous = INT64_MIN;
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t code = values.items()[i].as_int();
    if (!seen.insert(code).second) errors.duplicate(values_path.index(i), Value(code));
    if (code == 0 && requirement.at("operator").as_string() == "In") {
      errors.invalid(values_path.index(i), Value(code), "must not be 0 for the In operator");
    }
    ordered = ordered && code >= previous;
    previous = code;
  }
  if (!ordered) errors.invalid(values_path, values, "must be ordered");
}

void validate_patterns(const Path& path, const Value& patterns, FieldErrors& errors) {
  if (patterns.size() > kPatternsMax) errors.too_many(path, patterns.size(), kPatternsMax);
  for (size_t i = 0; i < patterns.size(); ++i) {
    const Value& pattern = patterns.items()[i];
    Path at = path.index(i);
    std::string_view type = pattern.at("type").as_string();
    check(at.child("type"), Value(type), object::check_qualified_name(type), errors);
    check_choice(at.child("status"), pattern.at("status"), {"False", "True", "Unknown"}, errors);
  }
}

void validate_rule(const Path& path, const Value& rule, const Value& spec, FieldErrors& errors) {
  const Value& action = rule.at("action");
  bool per_index = spec.find("backoffLimitPerIndex") != nullptr;
  Path action_path = path.child("action");
  if (action.as_string() == "FailIndex") {
    if (!per_index) errors.invalid(action_path, action, "requires the backoffLimitPerIndex to be set");
  } else if (per_index) {
    check_choice(action_path, action, {"Count", "FailIndex", "FailJob", "Ignore"}, errors);
  } else {
    check_choice(action_path, action, {"Count", "FailJob", "Ignore"}, errors);
  }
  const Value* codes = rule.find("onExitCodes");
  const Value& patterns = rule.at("onPodConditions");
  if (codes != nullptr) validate_exit_codes(path.child("onExitCodes"), *codes, spec, errors);
  if (!patterns.empty()) validate_patterns(path.child("onPodConditions"), patterns, errors);
  if (codes != nullptr && !patterns.empty()) {
    errors.invalid(path, Value(""), "specifying both OnExitCodes and OnPodConditions is not supported");
  } else if (codes == nullptr && patterns.empty()) {
    errors.invalid(path, Value(""), "specifying one of OnExitCodes and OnPodConditions is required");
  }
}

// How many indexes the rule names; 0 where it cannot be read.
int64_t validate_succeeded_indexes(const Path& path, const Value& indexes, int64_t completions, FieldErrors& errors) {
  if (indexes.as_string().size() > kIndexesBytesMax) errors.too_long(path, indexes, kIndexesBytesMax);
  auto parsed = IndexRanges::parse(indexes.as_string(), completions);
  if (parsed.ok()) return parsed->size();
  errors.invalid(path, indexes, "error parsing succeededIndexes: " + parsed.error().message);
  return 0;
}

void validate_success_rule(const Path& path, const Value& rule, int64_t completions, FieldErrors& errors) {
  const Value* count = rule.find("succeededCount");
  const Value* indexes = rule.find("succeededIndexes");
  if (count == nullptr && indexes == nullptr) {
    errors.required(path, "at least one of succeededCount or succeededIndexes must be specified");
  }
  int64_t named = 0;
  if (indexes != nullptr) {
    named = validate_succeeded_indexes(path.child("succeededIndexes"), *indexes, completions, errors);
  }
  if (count == nullptr) return;
  Path count_path = path.child("succeededCount");
  check_not_negative(count_path, *count, errors);
  if (count->as_int() > completions) {
    errors.invalid(
        count_path, *count,
        "must be less than or equal to " + std::to_string(completions) + " (the number of specified completions)");
  }
  if (indexes != nullptr && count->as_int() > named) {
    errors.invalid(count_path, *count,
                   "must be less than or equal to " + std::to_string(named) +
                       " (the number of indexes in the specified succeededIndexes field)");
  }
}

}  // namespace

void validate_pod_failure_policy(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value& rules = spec.at({"podFailurePolicy", "rules"});
  Path rules_path = path.child("rules");
  if (rules.size() > kRulesMax) errors.too_many(rules_path, rules.size(), kRulesMax);
  for (size_t i = 0; i < rules.size(); ++i) validate_rule(rules_path.index(i), rules.items()[i], spec, errors);
}

void validate_success_policy(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value& rules = spec.at({"successPolicy", "rules"});
  Path rules_path = path.child("rules");
  if (rules.empty()) {
    errors.required(rules_path, "at least one rules must be specified when the successPolicy is specified");
  }
  if (rules.size() > kRulesMax) errors.too_many(rules_path, rules.size(), kRulesMax);
  int64_t completions = spec.at("completions").as_int();
  for (size_t i = 0; i < rules.size(); ++i) {
    validate_success_rule(rules_path.index(i), rules.items()[i], completions, errors);
  }
}

}  // namespace stead::kinds
