#include "kinds/batch/job_validation.h"

#include "kinds/core/pod_spec_validation.h"
#include "object/names.h"
#include "object/selector.h"

namespace stead::kinds {
namespace {

constexpr int64_t kIndexedParallelismMax = 100'000;
constexpr int64_t kFailedIndexesMax = 100'000;
constexpr int64_t kManyCompletions = 100'000;
constexpr int64_t kManyCompletionsMax = 10'000;
constexpr size_t kManagedByBytesMax = 63;

bool is_indexed(const Value& spec) { return spec.at("completionMode").as_string() == "Indexed"; }

void validate_managed_by(const Path& path, const Value* managed_by, FieldErrors& errors) {
  if (managed_by == nullptr) return;
  std::string_view text = managed_by->as_string();
  size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash + 1 == text.size()) {
    errors.invalid(path, *managed_by, "must be a domain-prefixed path (such as \"acme.io/foo\")");
  } else {
    check(path, *managed_by, object::check_dns1123_subdomain(text.substr(0, slash)), errors);
  }
  if (text.size() > kManagedByBytesMax) errors.too_long(path, *managed_by, kManagedByBytesMax);
}

// More completions than status can list the failures of, unless both are bounded.
void validate_many_completions(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value* failed = spec.find("maxFailedIndexes");
  Path failed_path = path.child("maxFailedIndexes");
  if (failed == nullptr) {
    errors.required(failed_path, "must be specified when completions is above 100000");
  }
  if (const Value& parallelism = spec.at("parallelism"); parallelism.as_int() > kManyCompletionsMax) {
    errors.invalid(path.child("parallelism"), parallelism,
                   "must be less than or equal to 10000 when completions are above 100000 and used with backoff "
                   "limit per index");
  }
  if (failed != nullptr && failed->as_int() > kManyCompletionsMax) {
    errors.invalid(failed_path, *failed,
                   "must be less than or equal to 10000 when completions are above 100000 and used with backoff "
                   "limit per index");
  }
}

void validate_indexed(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value* completions = spec.find("completions");
  if (completions == nullptr) {
    errors.required(path.child("completions"), "when completion mode is Indexed");
  }
  if (const Value& parallelism = spec.at("parallelism"); parallelism.as_int() > kIndexedParallelismMax) {
    errors.invalid(path.child("parallelism"), parallelism,
                   "must be less than or equal to 100000 when completion mode is Indexed");
  }
  Path failed_path = path.child("maxFailedIndexes");
  if (const Value* failed = spec.find("maxFailedIndexes")) {
    if (completions != nullptr && failed->as_int() > completions->as_int()) {
      errors.invalid(failed_path, *failed, "must be less than or equal to completions");
    }
    if (failed->as_int() > kFailedIndexesMax) {
      errors.invalid(failed_path, *failed, "must be less than or equal to 100000");
    }
  }
  bool many = completions != nullptr && completions->as_int() > kManyCompletions;
  if (many && spec.find("backoffLimitPerIndex") != nullptr) validate_many_completions(path, spec, errors);
}

void validate_completion_mode(const Path& path, const Value& spec, FieldErrors& errors) {
  check_optional_one_of(path.child("completionMode"), spec.at("completionMode"), {"NonIndexed", "Indexed"}, errors);
  if (is_indexed(spec)) return validate_indexed(path, spec, errors);
  for (std::string_view name : {"backoffLimitPerIndex", "maxFailedIndexes"}) {
    if (const Value* given = spec.find(name)) {
      errors.invalid(path.child(name), *given, "requires indexed completion mode");
    }
  }
}

void validate_counts(const Path& path, const Value& spec, FieldErrors& errors) {
  for (std::string_view name : {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
                                "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"}) {
    check_not_negative(path.child(name), spec.at(name), errors);
  }
  if (spec.find("maxFailedIndexes") != nullptr && spec.find("backoffLimitPerIndex") == nullptr) {
    errors.required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
  }
}

void validate_replacement(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value* policy = spec.find("podReplacementPolicy");
  if (policy == nullptr) return;
  if (spec.find("podFailurePolicy") != nullptr) {
    check_optional_one_of(path, *policy, {"Failed"}, errors);
  } else {
    check_optional_one_of(path, *policy, {"Failed", "TerminatingOrFailed"}, errors);
  }
}

void validate_restart_policy(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value& policy = spec.at({"template", "spec", "restartPolicy"});
  std::string_view text = policy.as_string();
  if (text.empty() || text == "Always") {
    // What nobody chose was defaulted to Always, so this is a choice that is missing.
    errors.required(path, "valid values: \"OnFailure\", \"Never\"");
  } else {
    check_optional_one_of(path, policy, {"OnFailure", "Never"}, errors);
  }
  if (text == "Never") return;
  for (std::string_view name : {"podFailurePolicy", "backoffLimitPerIndex"}) {
    if (spec.find(name) == nullptr) continue;
    errors.invalid(path, policy, "only \"Never\" is supported when " + std::string(name) + " is specified");
  }
}

void check_generated_label(const Path& labels_path, const Value& labels, std::string_view key, std::string_view wanted,
                           FieldErrors& errors) {
  std::string detail = "must be '" + std::string(wanted) + "'";
  const Value* label = labels.find(key);
  if (label == nullptr) {
    errors.required(labels_path.key(key), detail);
  } else if (label->as_string() != wanted) {
    errors.invalid(labels_path.key(key), labels, detail);
  }
}

void check_generated_selector(const Value& job, FieldErrors& errors) {
  Path spec_path("spec");
  Path template_path = spec_path.child("template");
  Path metadata_path = template_path.child("metadata");
  Path labels_path = metadata_path.child("labels");
  std::string_view uid = job.at({"metadata", "uid"}).as_string();
  std::string_view name = job.at({"metadata", "name"}).as_string();
  if (uid.empty()) {
    Path metadata("metadata");
    errors.required(metadata.child("uid"));
  }
  const Value& labels = job.at({"spec", "template", "metadata", "labels"});
  Value generated = Value::object();
  for (std::string_view prefix : {"", "batch.kubernetes.io/"}) {
    std::string uid_key = std::string(prefix) + "controller-uid";
    std::string name_key = std::string(prefix) + "job-name";
    check_generated_label(labels_path, labels, uid_key, uid, errors);
    check_generated_label(labels_path, labels, name_key, name, errors);
    generated.set(uid_key, uid);
    generated.set(name_key, name);
  }
  const Value& selector = job.at({"spec", "selector"});
  auto parsed = object::LabelSelector::from_document(selector);
  if (parsed.ok() && !parsed->matches(generated)) {
    errors.invalid(spec_path.child("selector"), selector, "`selector` not auto-generated");
  }
}

}  // namespace

void validate_job_spec(const Path& path, const Value& spec, FieldErrors& errors) {
  validate_counts(path, spec, errors);
  validate_managed_by(path.child("managedBy"), spec.find("managedBy"), errors);
  validate_completion_mode(path, spec, errors);
  if (spec.find("podFailurePolicy") != nullptr) {
    validate_pod_failure_policy(path.child("podFailurePolicy"), spec, errors);
  }
  if (const Value* policy = spec.find("successPolicy")) {
    Path policy_path = path.child("successPolicy");
    if (is_indexed(spec)) {
      validate_success_policy(policy_path, spec, errors);
    } else {
      errors.invalid(policy_path, *policy, "requires indexed completion mode");
    }
  }
  validate_replacement(path.child("podReplacementPolicy"), spec, errors);
  Path template_path = path.child("template");
  validate_pod_template(template_path, spec.at("template"), errors);
  Path spec_path = template_path.child("spec");
  validate_restart_policy(spec_path.child("restartPolicy"), spec, errors);
}

void validate_job_selector(const Value& job, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = job.at("spec");
  const Value* selector = spec.find("selector");
  Path selector_path = path.child("selector");
  if (selector == nullptr) {
    errors.required(selector_path);
    return;
  }
  if (!spec.at("manualSelector").as_bool()) check_generated_selector(job, errors);
  check_label_selector(selector_path, *selector, errors);
  auto parsed = object::LabelSelector::from_document(*selector);
  const Value& labels = spec.at({"template", "metadata", "labels"});
  if (parsed.ok() && !parsed->matches(labels)) {
    Path template_path = path.child("template");
    Path metadata_path = template_path.child("metadata");
    errors.invalid(metadata_path.child("labels"), labels.is_null() ? Value::object() : labels,
                   "`selector` does not match template `labels`");
  }
}

}  // namespace stead::kinds
