// Rules of Pod: what is set at creation, what an update may change, what fields select by.

#include <algorithm>
#include <limits>
#include <string>

#include "kinds/core/affinity_validation.h"
#include "kinds/core/container_validation.h"
#include "kinds/core/core_rules.h"
#include "kinds/core/pod_cells.h"
#include "kinds/core/pod_spec_validation.h"
#include "kinds/core/pod_state.h"
#include "kinds/core/pod_update.h"
#include "kinds/core/pod_warnings.h"
#include "kinds/meta/checks.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

// The selector of a term gets what its (mis)matchLabelKeys mean for this pod (KEP-3633).
void spell_out_label_keys(Value& term, const Value& labels) {
  Value* selector = term.find("labelSelector");
  if (selector == nullptr) return;
  for (auto [name, op] :
       {std::pair<std::string_view, std::string_view>{"matchLabelKeys", "In"}, {"mismatchLabelKeys", "NotIn"}}) {
    for (const Value& key : term.at(name).items()) {
      const Value* label = labels.find(key.as_string());
      if (label == nullptr) continue;
      (*term.find("labelSelector"))["matchExpressions"].append(
          Value::object({{"key", key}, {"operator", op}, {"values", Value::array({*label})}}));
    }
  }
}

void spell_out_affinity(Value& pod) {
  const Value labels = pod.at({"metadata", "labels"});
  Value* spec = pod.find("spec");
  Value* affinity = spec == nullptr ? nullptr : spec->find("affinity");
  if (affinity == nullptr) return;
  for (std::string_view kind : {"podAffinity", "podAntiAffinity"}) {
    Value* terms = affinity->find(kind);
    if (terms == nullptr) continue;
    if (Value* required = terms->find("requiredDuringSchedulingIgnoredDuringExecution")) {
      for (Value& term : required->mutable_items()) spell_out_label_keys(term, labels);
    }
    if (Value* preferred = terms->find("preferredDuringSchedulingIgnoredDuringExecution")) {
      for (Value& weighted : preferred->mutable_items()) {
        if (Value* term = weighted.find("podAffinityTerm")) spell_out_label_keys(*term, labels);
      }
    }
  }
}

void prepare_create(Value& pod) {
  spell_out_affinity(pod);
  Value status = Value::object({{"phase", "Pending"}, {"qosClass", pod_qos_class(pod)}});
  if (!pod.at({"spec", "schedulingGates"}).empty()) {
    status.set("conditions",
               Value::array({Value::object({{"type", "PodScheduled"},
                                            {"status", "False"},
                                            {"reason", "SchedulingGated"},
                                            {"message", "Scheduling is blocked due to non-empty scheduling gates"}})}));
  }
  pod.set("status", std::move(status));
}

void forbid_tokens_without_account(const Path& path, const Value& spec, FieldErrors& errors) {
  if (!is_absent_or_empty(spec.at("serviceAccountName"))) return;
  Path volumes_path = path.child("volumes");
  auto volumes = spec.at("volumes").items();
  for (size_t i = 0; i < volumes.size(); ++i) {
    Path volume_path = volumes_path.index(i);
    Path projected_path = volume_path.child("projected");
    Path sources_path = projected_path.child("sources");
    auto sources = volumes[i].at({"projected", "sources"}).items();
    for (size_t j = 0; j < sources.size(); ++j) {
      if (sources[j].find("serviceAccountToken") == nullptr) continue;
      Path at = sources_path.index(j);
      errors.forbidden(at.child("serviceAccountToken"), "must not be specified when serviceAccountName is not set");
    }
  }
}

// Called for updates too; what only holds at creation is told apart by the object being new.
void validate(const Value& pod, FieldErrors& errors) {
  Path path("spec");
  Path metadata_path("metadata");
  const Value& spec = pod.at("spec");
  validate_pod_annotations(metadata_path.child("annotations"), pod.at({"metadata", "annotations"}), spec, errors);
  validate_pod_spec(path, spec, pod.at("metadata"), PodSpecOwner::kPod, errors);
  forbid_tokens_without_account(path, spec, errors);
  check_trimmed_images(path.child("containers"), spec.at("containers"), errors);
  check_trimmed_images(path.child("initContainers"), spec.at("initContainers"), errors);
  check_trimmed_images(path.child("ephemeralContainers"), spec.at("ephemeralContainers"), errors);
  bool is_new = pod.find({"metadata", "resourceVersion"}) == nullptr;
  if (!is_new) return;
  if (!spec.at("ephemeralContainers").empty()) {
    errors.forbidden(path.child("ephemeralContainers"), "cannot be set on create");
  }
  if (!is_absent_or_empty(spec.at("nodeName")) && !spec.at("schedulingGates").empty()) {
    errors.forbidden(path.child("nodeName"), "cannot be set until all schedulingGates have been cleared");
  }
}

// People hardly change pods themselves, so only new ones are looked at.
void warn(const Value& pod, const Value* old, Warnings& warnings) {
  if (old != nullptr) return;
  warn_of_pod_name(pod.at("metadata"), "the Pod's hostname", warnings);
  warn_of_pod(Path(), pod, warnings);
}

std::optional<std::string> field(const Value& pod, std::string_view path) {
  auto text = [&](std::string_view room, std::string_view name) -> std::string {
    return std::string(pod.at({room, name}).as_string());
  };
  if (path == "spec.nodeName") return text("spec", "nodeName");
  if (path == "spec.restartPolicy") return text("spec", "restartPolicy");
  if (path == "spec.schedulerName") return text("spec", "schedulerName");
  if (path == "spec.serviceAccountName") return text("spec", "serviceAccountName");
  if (path == "spec.hostNetwork") return pod.at({"spec", "hostNetwork"}).as_bool() ? "true" : "false";
  if (path == "status.phase") return text("status", "phase");
  if (path == "status.podIP") return text("status", "podIP");
  if (path == "status.nominatedNodeName") return text("status", "nominatedNodeName");
  return std::nullopt;
}

}  // namespace

KindRules pod_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_create,
                .validate = validate,
                .validate_update = validate_pod_update,
                .validate_status_update = validate_pod_status_update,
                .warn = warn,
                .cells = pod_cells,
                .field = field};
  made.columns = pod_columns();
  made.selectable_fields = {"spec.nodeName",    "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
                            "spec.hostNetwork", "status.phase",       "status.podIP",       "status.nominatedNodeName"};
  return made;
}

}  // namespace stead::kinds
