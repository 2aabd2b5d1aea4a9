#include "controllers/job/job_pods.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "controllers/pod_from_template.h"
#include "controllers/pod_state.h"
#include "object/time.h"

namespace stead::controllers::job {
namespace {

constexpr std::string_view kIndexVariable = "JOB_COMPLETION_INDEX";
// Names of hosts and prefixes of generated names leave room for the suffix.
constexpr size_t kNameBytesMax = 63;
constexpr size_t kSuffixBytes = 5;

std::optional<int64_t> to_number(std::string_view text) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

void track(Value& pod) { pod["metadata"]["finalizers"].append(kTrackingFinalizer); }

void add_index_variable(Value& spec, std::string_view list) {
  Value* containers = spec.find(list);
  if (containers == nullptr) return;
  Value source = Value::object();
  source.set({"fieldRef", "fieldPath"}, "metadata.labels['" + std::string(kIndexAnnotation) + "']");
  for (Value& container : containers->mutable_items()) {
    auto variables = container.at("env").items();
    bool given = std::any_of(variables.begin(), variables.end(),
                             [](const Value& variable) { return variable.at("name").as_string() == kIndexVariable; });
    if (given) continue;
    container["env"].append(Value::object({{"name", kIndexVariable}, {"valueFrom", source}}));
  }
}

}  // namespace

bool is_indexed(const Object& job) { return job.spec().at("completionMode").as_string() == "Indexed"; }

bool has_limit_per_index(const Object& job) { return job.spec().find("backoffLimitPerIndex") != nullptr; }

bool replaces_only_failed(const Object& job) {
  return job.spec().at("podReplacementPolicy").as_string() == "Failed" ||
         job.spec().find("podFailurePolicy") != nullptr;
}

bool is_tracked(const Object& pod) {
  auto all = pod.metadata().at("finalizers").items();
  return std::any_of(all.begin(), all.end(), [](const Value& item) { return item.as_string() == kTrackingFinalizer; });
}

bool is_active(const Object& pod) { return !pod.deleting() && !is_finished(pod); }

bool is_terminating(const Object& pod) { return pod.deleting() && !is_finished(pod); }

bool has_succeeded(const Object& pod) { return phase_of(pod) == "Succeeded"; }

bool has_failed(const Object& pod, const Object& job) {
  if (phase_of(pod) == "Failed") return true;
  return is_terminating(pod) && !replaces_only_failed(job);
}

std::optional<int64_t> index_of(const Object& pod) {
  return to_number(pod.metadata().at({"annotations", kIndexAnnotation}).as_string());
}

int64_t count_of(const Object& pod, std::string_view annotation) {
  return to_number(pod.metadata().at({"annotations", annotation}).as_string()).value_or(0);
}

WallTime finish_time(const Object& pod) {
  std::optional<WallTime> latest;
  auto consider = [&](const Value& text) {
    auto time = object::parse_time(text.as_string());
    if (time && (!latest || *time > *latest)) latest = time;
  };
  for (std::string_view list : {"containerStatuses", "initContainerStatuses"}) {
    for (const Value& status : pod.status().at(list).items())
      consider(status.at({"state", "terminated", "finishedAt"}));
  }
  if (latest) return *latest;
  const Value* ready = find_condition(pod, "Ready");
  if (ready != nullptr && ready->at("status").as_string() == "False") consider(ready->at("lastTransitionTime"));
  if (!latest && pod.deleting()) {
    // The time is when the grace ends; it began that long before.
    consider(pod.metadata().at("deletionTimestamp"));
    if (latest) *latest -= std::chrono::seconds(pod.metadata().at("deletionGracePeriodSeconds").as_int());
  }
  if (!latest) consider(pod.metadata().at("creationTimestamp"));
  return latest.value_or(WallTime{});
}

Value make_pod(const Object& job) {
  Value pod = pod_from_template(job, job.spec().at("template"));
  track(pod);
  return pod;
}

Value make_indexed_pod(const Object& job, int64_t index, std::optional<IndexFailures> failures) {
  Value pod = pod_from_template(job, job.spec().at("template"));
  track(pod);
  std::string number = std::to_string(index);
  std::string name = std::string(job.name());
  Value& metadata = pod["metadata"];
  std::string suffix = "-" + number + "-";
  metadata.set("generateName", name.substr(0, kNameBytesMax - kSuffixBytes - suffix.size()) + suffix);
  metadata.set({"annotations", kIndexAnnotation}, number);
  metadata.set({"labels", kIndexAnnotation}, number);
  if (failures) {
    metadata.set({"annotations", kFailureCountAnnotation}, std::to_string(failures->counted));
    if (failures->ignored > 0) {
      metadata.set({"annotations", kIgnoredCountAnnotation}, std::to_string(failures->ignored));
    }
  }
  Value& spec = pod["spec"];
  // The peers' names, given a headless service of the pods' subdomain.
  spec.set("hostname", name + "-" + number);
  add_index_variable(spec, "containers");
  add_index_variable(spec, "initContainers");
  return pod;
}

Value free_patch(const Object& pod) {
  Value kept = Value::array();
  for (const Value& item : pod.metadata().at("finalizers").items()) {
    if (item.as_string() != kTrackingFinalizer) kept.append(item);
  }
  Value metadata = Value::object({{"finalizers", kept.empty() ? Value() : std::move(kept)}});
  // Another finalizer that came meanwhile must not be lost.
  metadata.set("resourceVersion", std::to_string(pod.revision()));
  metadata.set("uid", pod.uid());
  return Value::object({{"metadata", std::move(metadata)}});
}

}  // namespace stead::controllers::job
