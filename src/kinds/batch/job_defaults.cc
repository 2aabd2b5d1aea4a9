#include <limits>

#include "kinds/batch/batch_rules.h"
#include "kinds/core/pod_defaults.h"

namespace stead::kinds {
namespace {

constexpr int64_t kBackoffLimit = 6;

void set_if_missing(Value& object, std::string_view name, Value value) {
  if (object.find(name) == nullptr) object.set(name, std::move(value));
}

void set_failure_policy_defaults(Value& policy) {
  Value* rules = policy.find("rules");
  if (rules == nullptr || !rules->is_array()) return;
  for (Value& rule : rules->mutable_items()) {
    Value* patterns = rule.find("onPodConditions");
    if (patterns == nullptr || !patterns->is_array()) continue;
    for (Value& pattern : patterns->mutable_items()) {
      if (pattern.at("status").as_string().empty()) pattern.set("status", "True");
    }
  }
}

void set_pod_template_defaults(Value& spec) {
  Value* pod_template = spec.find("template");
  Value* pod_spec = pod_template == nullptr ? nullptr : pod_template->find("spec");
  if (pod_spec != nullptr) set_pod_spec_defaults(*pod_spec);
}

}  // namespace

void set_job_defaults(Value& job) {
  Value& spec = job["spec"];
  if (spec.is_null()) spec = Value::object();
  // Neither given means one pod that must succeed; completions alone one at a time; parallelism alone a work queue.
  if (spec.find("completions") == nullptr && spec.find("parallelism") == nullptr) spec.set("completions", 1);
  set_if_missing(spec, "parallelism", 1);
  int64_t limit = spec.find("backoffLimitPerIndex") == nullptr ? kBackoffLimit : std::numeric_limits<int32_t>::max();
  set_if_missing(spec, "backoffLimit", limit);
  set_if_missing(spec, "completionMode", "NonIndexed");
  set_if_missing(spec, "suspend", false);
  set_if_missing(spec, "manualSelector", false);
  Value* policy = spec.find("podFailurePolicy");
  if (policy != nullptr) set_failure_policy_defaults(*policy);
  set_if_missing(spec, "podReplacementPolicy", policy == nullptr ? "TerminatingOrFailed" : "Failed");
  Value labels = spec.at({"template", "metadata", "labels"});
  if (!labels.empty() && job.at({"metadata", "labels"}).empty()) job.set({"metadata", "labels"}, std::move(labels));
  set_pod_template_defaults(job["spec"]);
}

void set_cron_job_defaults(Value& cron_job) {
  Value& spec = cron_job["spec"];
  if (spec.is_null()) spec = Value::object();
  set_if_missing(spec, "concurrencyPolicy", "Allow");
  set_if_missing(spec, "suspend", false);
  set_if_missing(spec, "successfulJobsHistoryLimit", 3);
  set_if_missing(spec, "failedJobsHistoryLimit", 1);
  // The job's own defaults come when a job is made of the template; those of its pods' spec are shown here already.
  Value* job_template = spec.find("jobTemplate");
  Value* job_spec = job_template == nullptr ? nullptr : job_template->find("spec");
  if (job_spec != nullptr) set_pod_template_defaults(*job_spec);
}

}  // namespace stead::kinds
