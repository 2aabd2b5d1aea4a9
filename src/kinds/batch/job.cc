#include <algorithm>

#include "kinds/batch/batch_rules.h"
#include "kinds/batch/job_validation.h"
#include "kinds/core/pod_warnings.h"
#include "kinds/meta/cells.h"
#include "kinds/meta/checks.h"
#include "object/names.h"
#include "object/time.h"

namespace stead::kinds {
namespace {

// The labels that tie pods to their job, in both spellings, and the selector of the newer one.
void prepare_create(Value& job) {
  job.erase("status");
  Value& spec = job["spec"];
  if (spec.at("manualSelector").as_bool()) return;
  std::string uid(job.at({"metadata", "uid"}).as_string());
  std::string name(job.at({"metadata", "name"}).as_string());
  Value& labels = spec["template"]["metadata"]["labels"];
  for (std::string_view prefix : {"", "batch.kubernetes.io/"}) {
    std::string uid_key = std::string(prefix) + "controller-uid";
    std::string name_key = std::string(prefix) + "job-name";
    // A label that says something else is refused by validation.
    if (labels.find(name_key) == nullptr) labels.set(name_key, name);
    if (labels.find(uid_key) == nullptr) labels.set(uid_key, uid);
  }
  Value& wanted = spec["selector"]["matchLabels"];
  if (wanted.find("batch.kubernetes.io/controller-uid") == nullptr) {
    wanted.set("batch.kubernetes.io/controller-uid", uid);
  }
  // What a job without labels gets from its template, it gets of the labels just made, too.
  if (job.at({"metadata", "labels"}).empty()) job.set({"metadata", "labels"}, Value(labels));
}

void validate(const Value& job, FieldErrors& errors) {
  const Value& spec = job.at("spec");
  validate_job_selector(job, errors);
  validate_job_spec(Path("spec"), spec, errors);
  int64_t completions = spec.at("completions").as_int();
  if (spec.at("completionMode").as_string() != "Indexed" || completions <= 0) return;
  Path metadata("metadata");
  const Value& name = job.at({"metadata", "name"});
  std::string host = std::string(name.as_string()) + "-" + std::to_string(completions - 1);
  std::string problem = object::check_dns1123_label(host);
  if (!problem.empty()) {
    errors.invalid(metadata.child("name"), name, "will not able to create pod with invalid DNS label: " + host);
  }
}

void warn_of_many_indexes(const Value& spec, Warnings& warnings) {
  bool many = spec.at("completions").as_int() > 100'000 && spec.at("parallelism").as_int() > 10'000;
  if (!many || spec.at("completionMode").as_string() != "Indexed") return;
  warnings.push_back(
      "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes "
      "might not be able to track completedIndexes when a big number of indexes fail");
}

bool is_suspended_and_unstarted(const Value& old) {
  return old.at({"spec", "suspend"}).as_bool() && old.find({"status", "startTime"}) == nullptr;
}

// A suspended job that never started may still be steered to other nodes (KEP-2926).
void check_template_unchanged(const Path& path, const Value& job, const Value& old, FieldErrors& errors) {
  const Value& now = job.at({"spec", "template"});
  Value before = old.at({"spec", "template"});
  if (is_suspended_and_unstarted(old)) {
    auto take = [&](std::initializer_list<std::string_view> field) {
      if (const Value* given = now.find(field)) {
        before.set(field, *given);
      } else {
        before.erase(field);
      }
    };
    take({"metadata", "annotations"});
    take({"metadata", "labels"});
    take({"spec", "nodeSelector"});
    take({"spec", "tolerations"});
    take({"spec", "schedulingGates"});
    if (now.find({"spec", "affinity"}) == nullptr) {
      before.erase({"spec", "affinity", "nodeAffinity"});
      if (before.at({"spec", "affinity"}).empty()) before.erase({"spec", "affinity"});
    } else {
      take({"spec", "affinity", "nodeAffinity"});
    }
  }
  check_unchanged(path, now, before, errors);
}

// Indexed jobs are elastic: completions follow parallelism (KEP-3715).
void check_completions(const Path& path, const Value& spec, const Value& old, FieldErrors& errors) {
  const Value& completions = spec.at("completions");
  if (completions == old.at("completions")) return;
  if (spec.at("completionMode").as_string() != "Indexed") {
    errors.invalid(path, completions, kImmutable);
  } else if (!(completions == spec.at("parallelism"))) {
    errors.invalid(path, completions, "can only be modified in tandem with spec.parallelism");
  }
}

void validate_update(const Value& job, const Value& old, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = job.at("spec");
  const Value& before = old.at("spec");
  check_completions(path.child("completions"), spec, before, errors);
  check_unchanged(path.child("selector"), spec.at("selector"), before.at("selector"), errors);
  check_template_unchanged(path.child("template"), job, old, errors);
  for (std::string_view name :
       {"completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"}) {
    check_unchanged(path.child(name), spec.at(name), before.at(name), errors);
  }
}

void warn(const Value& job, const Value* old, Warnings& warnings) {
  warn_of_workload(job, old, warnings);
  const Value& spec = job.at("spec");
  if (old != nullptr && spec == old->at("spec")) return;
  warn_of_many_indexes(spec, warnings);
}

bool has_condition(const Value& status, std::string_view type) {
  auto items = status.at("conditions").items();
  return std::any_of(items.begin(), items.end(), [&](const Value& condition) {
    return condition.at("type").as_string() == type && condition.at("status").as_string() == "True";
  });
}

void validate_finish(const Path& path, const Value& status, FieldErrors& errors) {
  bool complete = has_condition(status, "Complete");
  bool failed = has_condition(status, "Failed");
  Path conditions = path.child("conditions");
  Path completion = path.child("completionTime");
  const Value* at = status.find("completionTime");
  if (complete && failed) {
    errors.invalid(conditions, status.at("conditions"), "cannot set Complete=True and Failed=true conditions");
  }
  if (at != nullptr && !complete) {
    errors.invalid(completion, *at, "cannot set completionTime when there is no Complete=True condition");
  }
  if (complete && at == nullptr) {
    errors.required(completion, "completionTime is required for Complete jobs");
  }
  if ((complete || failed) && status.at("active").as_int() > 0) {
    errors.invalid(path.child("active"), status.at("active"), "active>0 is invalid for finished job");
  }
  const Value* start = status.find("startTime");
  if (at == nullptr || start == nullptr) return;
  auto began = object::parse_time(start->as_string());
  auto ended = object::parse_time(at->as_string());
  if (began && ended && *ended < *began) {
    errors.invalid(completion, *at, "completionTime cannot be set before startTime");
  }
}

void validate_status_update(const Value& job, const Value& old, FieldErrors& errors) {
  Path path("status");
  const Value& status = job.at("status");
  for (std::string_view name : {"active", "succeeded", "failed", "ready", "terminating"}) {
    check_not_negative(path.child(name), status.at(name), errors);
  }
  if (const Value& ready = status.at("ready"); ready.as_int() > status.at("active").as_int()) {
    errors.invalid(path.child("ready"), ready, "cannot set more ready pods than active");
  }
  validate_finish(path, status, errors);
  Path conditions = path.child("conditions");
  for (std::string_view type : {"Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"}) {
    if (has_condition(old.at("status"), type) && !has_condition(status, type)) {
      errors.invalid(conditions, status.at("conditions"),
                     "cannot disable the terminal " + std::string(type) + "=True condition");
    }
  }
}

std::string state_of(const Value& job) {
  const Value& status = job.at("status");
  for (std::string_view type : {"Complete", "Failed"}) {
    if (has_condition(status, type)) return std::string(type);
  }
  if (job.find({"metadata", "deletionTimestamp"}) != nullptr) return "Terminating";
  for (std::string_view type : {"Suspended", "FailureTarget", "SuccessCriteriaMet"}) {
    if (has_condition(status, type)) return std::string(type);
  }
  return "Running";
}

std::string completions_of(const Value& job) {
  std::string succeeded = std::to_string(job.at({"status", "succeeded"}).as_int());
  const Value& spec = job.at("spec");
  if (const Value* completions = spec.find("completions")) {
    return succeeded + "/" + std::to_string(completions->as_int());
  }
  int64_t parallelism = spec.at("parallelism").as_int();
  return succeeded + (parallelism > 1 ? "/1 of " + std::to_string(parallelism) : "/1");
}

std::string duration_of(const Value& job, WallTime now) {
  auto start = object::parse_time(job.at({"status", "startTime"}).as_string());
  if (!start) return "";
  auto end = object::parse_time(job.at({"status", "completionTime"}).as_string());
  return object::human_duration(end.value_or(now) - *start);
}

std::vector<Value> cells(const Value& job, WallTime now) {
  const Value& containers = job.at({"spec", "template", "spec", "containers"});
  return {name_of(job),
          state_of(job),
          completions_of(job),
          duration_of(job, now),
          age(job, now),
          join(containers, "name"),
          join(containers, "image"),
          format_label_selector(job.at({"spec", "selector"}))};
}

std::optional<std::string> field(const Value& job, std::string_view path) {
  if (path != "status.successful") return std::nullopt;
  return std::to_string(job.at({"status", "succeeded"}).as_int());
}

}  // namespace

KindRules job_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_create,
                .validate = validate,
                .validate_update = validate_update,
                .validate_status_update = validate_status_update,
                .warn = warn,
                .cells = cells,
                .field = field};
  made.columns = {name_column(),
                  {"Status", "string", "", "What the job is doing, or how it ended."},
                  {"Completions", "string", "", "Pods that succeeded, of those wanted."},
                  {"Duration", "string", "", "Time from the start to the completion, or until now."},
                  age_column(),
                  containers_column(),
                  images_column(),
                  {"Selector", "string", "", "Which pods belong to the job.", 1}};
  made.selectable_fields = {"status.successful"};
  return made;
}

}  // namespace stead::kinds
