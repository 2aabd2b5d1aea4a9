// Why a set of pods is not complete.

#include <fmt/format.h>

#include <algorithm>

#include "cli/why/explain.h"

namespace stead::cli::why {
namespace {

using object::Object;

bool is_well(const Object& pod) {
  return !pod.deleting() && (condition_holds(pod, "Ready") || pod.status().at("phase").as_string() == "Succeeded");
}

size_t count_ready(const std::vector<ObjectPtr>& pods) {
  return static_cast<size_t>(
      std::count_if(pods.begin(), pods.end(), [](const ObjectPtr& pod) { return is_well(*pod); }));
}

void add_unwell(const ClusterView& view, const std::vector<ObjectPtr>& pods, Cause& cause) {
  for (const ObjectPtr& pod : pods) {
    if (!is_well(*pod)) cause.causes.push_back(explain_pod(view, *pod));
  }
}

void add_create_failure(const ClusterView& view, const Object& owner, Cause& cause) {
  std::string failed = view.newest_warning(owner, {"FailedCreate", "FailedDelete"});
  if (failed.empty()) return;
  std::string mend;
  if (failed.find("exceeded quota") != std::string::npos) {
    mend = fmt::format("kubectl edit resourcequota{}   # or ask for less", namespace_option(owner));
  }
  cause.causes.push_back({"its pods cannot be made: " + failed, std::move(mend), {}});
}

int64_t ordinal_of(const Object& pod) {
  std::string_view name = pod.name();
  return std::atoll(std::string(name.substr(name.rfind('-') + 1)).c_str());
}

void add_missing_service(const ClusterView& view, const Object& set, Cause& cause) {
  std::string_view name = set.spec().at("serviceName").as_string();
  if (name.empty() || view.find("services", set.ns(), name)) return;
  cause.causes.push_back(
      {fmt::format("its service {} does not exist: the pods' names have no addresses", name),
       fmt::format("kubectl create service clusterip {} --clusterip=None{}   # with the pods' selector", name,
                   namespace_option(set)),
       {}});
}

// Pods in order: the first that is missing or unwell holds all behind it.
void add_first_in_line(const ClusterView& view, const Object& set, const std::vector<ObjectPtr>& pods, int64_t wanted,
                       Cause& cause) {
  int64_t first = set.spec().at({"ordinals", "start"}).as_int();
  for (int64_t ordinal = first; ordinal < first + wanted; ++ordinal) {
    auto found =
        std::find_if(pods.begin(), pods.end(), [&](const ObjectPtr& pod) { return ordinal_of(*pod) == ordinal; });
    std::string behind = ordinal + 1 < first + wanted
                             ? fmt::format("; {}-{} and those behind it wait for it", set.name(), ordinal + 1)
                             : std::string();
    if (found == pods.end()) {
      if (cause.causes.empty()) {
        cause.causes.push_back({fmt::format("pod {}-{} has not been made yet{}", set.name(), ordinal, behind), {}, {}});
      }
      return;
    }
    if (is_well(**found)) continue;
    Cause blocking = explain_pod(view, **found);
    blocking.text += behind;
    cause.causes.push_back(std::move(blocking));
    return;
  }
}

void add_update_causes(const Object& set, Cause& cause) {
  const Value& status = set.status();
  std::string_view update = status.at("updateRevision").as_string();
  if (update.empty() || status.at("currentRevision").as_string() == update) return;
  const Value& strategy = set.spec().at("updateStrategy");
  int64_t partition = strategy.at({"rollingUpdate", "partition"}).as_int();
  if (strategy.at("type").as_string() == "OnDelete") {
    cause.causes.push_back(
        {"its pods take the new template only once they are deleted (OnDelete)",
         fmt::format("kubectl delete pod {}-N{}   # one after the other", set.name(), namespace_option(set)),
         {}});
  } else if (partition > 0) {
    cause.causes.push_back(
        {fmt::format("its partition keeps the pods below {} on the old template", partition),
         fmt::format("kubectl patch sts {}{} -p '{{\"spec\":{{\"updateStrategy\":{{\"rollingUpdate\":"
                     "{{\"partition\":0}}}}}}}}'",
                     set.name(), namespace_option(set)),
         {}});
  }
}

}  // namespace

Cause explain_stateful_set(const ClusterView& view, const Object& set) {
  std::vector<ObjectPtr> pods = view.owned("pods", set.uid());
  int64_t wanted = set.spec().at("replicas").as_int(1);
  Cause cause{
      fmt::format("statefulset {}/{}: {} of {} pods are Ready", set.ns(), set.name(), count_ready(pods), wanted),
      {},
      {}};
  add_create_failure(view, set, cause);
  if (static_cast<int64_t>(count_ready(pods)) >= wanted) {
    cause.causes.clear();  // an old failure that has passed
  } else if (set.spec().at("podManagementPolicy").as_string() == "Parallel") {
    add_unwell(view, pods, cause);
  } else {
    add_first_in_line(view, set, pods, wanted, cause);
  }
  add_missing_service(view, set, cause);
  add_update_causes(set, cause);
  return cause;
}

Cause explain_pod_owner(const ClusterView& view, std::string_view kind, const Object& owner, int64_t wanted) {
  std::vector<ObjectPtr> pods = view.owned("pods", owner.uid());
  size_t ready = count_ready(pods);
  Cause cause{fmt::format("{} {}/{}: {} of {} pods are Ready", kind, owner.ns(), owner.name(), ready, wanted), {}, {}};
  if (kind == "job") {
    cause.text = fmt::format("job {}/{}: {} succeeded, {} failed, {} run", owner.ns(), owner.name(),
                             owner.status().at("succeeded").as_int(), owner.status().at("failed").as_int(),
                             owner.status().at("active").as_int());
    if (condition_holds(owner, "Complete")) return cause;
    if (condition_holds(owner, "Failed")) {
      cause.causes.push_back({std::string(condition_of(owner, "Failed").at("message").as_string()), {}, {}});
    }
  } else if (static_cast<int64_t>(ready) >= wanted) {
    return cause;
  }
  add_create_failure(view, owner, cause);
  add_unwell(view, pods, cause);
  return cause;
}

Cause explain_deployment(const ClusterView& view, const Object& deployment) {
  const Value& status = deployment.status();
  int64_t wanted = deployment.spec().at("replicas").as_int(1);
  Cause cause{fmt::format("deployment {}/{}: {} of {} pods are Ready, {} of the current template", deployment.ns(),
                          deployment.name(), status.at("readyReplicas").as_int(), wanted,
                          status.at("updatedReplicas").as_int()),
              {},
              {}};
  bool complete = status.at("updatedReplicas").as_int() >= wanted && status.at("readyReplicas").as_int() >= wanted &&
                  status.at("replicas").as_int() <= wanted;
  if (complete) return cause;
  if (deployment.spec().at("paused").as_bool()) {
    cause.causes.push_back(
        {"its roll-out is paused",
         fmt::format("kubectl rollout resume deployment/{}{}", deployment.name(), namespace_option(deployment)),
         {}});
  }
  for (const ObjectPtr& set : view.owned("replicasets", deployment.uid())) {
    int64_t pods = set->spec().at("replicas").as_int();
    if (pods == 0) continue;
    Cause inner = explain_pod_owner(view, "replicaset", *set, pods);
    if (!inner.causes.empty()) cause.causes.push_back(std::move(inner));
  }
  const Value& progress = condition_of(deployment, "Progressing");
  if (progress.at("reason").as_string() == "ProgressDeadlineExceeded") {
    cause.causes.push_back(
        {std::string(progress.at("message").as_string()),
         fmt::format("kubectl rollout undo deployment/{}{}", deployment.name(), namespace_option(deployment)),
         {}});
  }
  const Value& failure = condition_of(deployment, "ReplicaFailure");
  if (cause.causes.empty() && failure.at("status").as_string() == "True") {
    cause.causes.push_back({std::string(failure.at("message").as_string()), {}, {}});
  }
  return cause;
}

}  // namespace stead::cli::why
