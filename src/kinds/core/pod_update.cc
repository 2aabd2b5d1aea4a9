#include "kinds/core/pod_update.h"

#include <algorithm>
#include <limits>
#include <string>

#include "kinds/core/pod_spec_validation.h"
#include "kinds/core/pod_state.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kOnlySome =
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

// Returns whether the lists can be compared entry by entry.
bool check_same_length(const Path& path, const Value& containers, const Value& old, FieldErrors& errors) {
  if (containers.size() == old.size()) return true;
  errors.forbidden(path, "pod updates may not add or remove containers");
  return false;
}

// It may be set, and shortened. Returns false where nothing more should be said.
bool check_deadline(const Path& path, const Value& spec, const Value& old, FieldErrors& errors) {
  const Value* deadline = spec.find("activeDeadlineSeconds");
  const Value* before = old.find("activeDeadlineSeconds");
  if (deadline == nullptr) {
    if (before != nullptr) {
      errors.invalid(path, Value(), "must not update from a positive integer to nil value");
    }
    return true;
  }
  if (deadline->as_int() < 0 || deadline->as_int() > std::numeric_limits<int32_t>::max()) {
    check_range(path, *deadline, 0, std::numeric_limits<int32_t>::max(), errors);
    return false;
  }
  if (before != nullptr && before->as_int() < deadline->as_int()) {
    errors.invalid(path, *deadline, "must be less than or equal to previous value");
    return false;
  }
  return true;
}

void check_tolerations_kept(const Path& path, const Value& tolerations, const Value& old, FieldErrors& errors) {
  for (const Value& before : old.items()) {
    Value wanted = before;
    wanted.erase("tolerationSeconds");
    auto items = tolerations.items();
    bool kept = std::any_of(items.begin(), items.end(), [&](const Value& toleration) {
      Value candidate = toleration;
      candidate.erase("tolerationSeconds");
      return candidate == wanted;
    });
    if (kept) continue;
    errors.forbidden(path, "existing toleration can not be modified except its tolerationSeconds");
    return;
  }
}

void check_gates_only_removed(const Path& path, const Value& gates, const Value& old, FieldErrors& errors) {
  for (size_t i = 0; i < gates.size(); ++i) {
    const Value& gate = gates.items()[i];
    auto before = old.items();
    bool known = std::any_of(before.begin(), before.end(),
                             [&](const Value& other) { return other.at("name") == gate.at("name"); });
    if (known) continue;
    Path at = path.index(i);
    errors.forbidden(at.child("name"), "only deletion is allowed, but found new scheduling gate '" +
                                           std::string(gate.at("name").as_string()) + "'");
  }
}

void keep_images(Value& spec, const Value& old, std::string_view list) {
  Value* containers = spec.find(list);
  if (containers == nullptr) return;
  auto before = old.at(list).items();
  auto& items = containers->mutable_items();
  for (size_t i = 0; i < items.size(); ++i) items[i].set("image", before[i].at("image"));
}

void keep(Value& spec, const Value& old, std::string_view field) {
  if (const Value* before = old.find(field)) {
    spec.set(field, *before);
  } else {
    spec.erase(field);
  }
}

bool starts_with_all(const Value& now, const Value& old) {
  auto items = now.items();
  auto before = old.items();
  return items.size() >= before.size() && std::equal(before.begin(), before.end(), items.begin());
}

// A term grows by conditions, which narrow it; one without any matches nothing and must go on so.
bool only_narrows(const Value& term, const Value& old) {
  bool was_empty = old.at("matchExpressions").empty() && old.at("matchFields").empty();
  bool is_empty = term.at("matchExpressions").empty() && term.at("matchFields").empty();
  if (was_empty) return is_empty;
  return starts_with_all(term.at("matchExpressions"), old.at("matchExpressions")) &&
         starts_with_all(term.at("matchFields"), old.at("matchFields"));
}

void check_node_affinity(const Path& path, const Value& affinity, const Value& old, FieldErrors& errors) {
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  const Value& before = old.at({kRequired, "nodeSelectorTerms"});
  const Value& now = affinity.at({kRequired, "nodeSelectorTerms"});
  if (before.empty()) return;
  Path required_path = path.child(kRequired);
  Path terms_path = required_path.child("nodeSelectorTerms");
  if (before.size() != now.size()) {
    errors.invalid(terms_path, now.is_null() ? Value::array() : now,
                   "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
    return;
  }
  for (size_t i = 0; i < before.size(); ++i) {
    if (only_narrows(now.items()[i], before.items()[i])) continue;
    errors.invalid(terms_path.index(i), now.items()[i], "only additions are allowed (no mutations or deletions)");
  }
}

// A pod held back by gates may still be steered: where it may go can be narrowed (KEP-3838).
void release_gated(const Path& path, Value& spec, const Value& old, FieldErrors& errors) {
  if (old.at("schedulingGates").empty()) return;
  for (const object::Member& before : old.at("nodeSelector").members()) {
    const Value* now = spec.find({"nodeSelector", before.name()});
    if (now != nullptr && *now == before.value) continue;
    errors.invalid(path.child("nodeSelector"), spec.at("nodeSelector"),
                   "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
    break;
  }
  keep(spec, old, "nodeSelector");
  const Value now = spec.at({"affinity", "nodeAffinity"});
  const Value& before = old.at({"affinity", "nodeAffinity"});
  if (now == before) return;
  Path affinity_path = path.child("affinity");
  check_node_affinity(affinity_path.child("nodeAffinity"), now, before, errors);
  if (before.is_null()) {
    spec.erase({"affinity", "nodeAffinity"});
    if (old.find("affinity") == nullptr && spec.at("affinity").empty()) spec.erase("affinity");
  } else {
    spec.set({"affinity", "nodeAffinity"}, before);
  }
}

// What a node part keeps from a file is told by an annotation that nobody else sets.
void check_mirror_kept(const Value& pod, const Value& old, FieldErrors& errors) {
  constexpr std::string_view kMirror = "kubernetes.io/config.mirror";
  const Value& now = pod.at({"metadata", "annotations", kMirror});
  const Value& before = old.at({"metadata", "annotations", kMirror});
  if (now == before) return;
  Path metadata("metadata");
  Path annotations = metadata.child("annotations");
  errors.forbidden(annotations.key(kMirror), before.is_null() ? "may not add mirror pod annotation"
                                                              : "may not remove or update mirror pod annotation");
}

void check_condition_types(const Value& conditions, FieldErrors& errors) {
  // Upstream's path begins with metadata.
  Path metadata("metadata");
  Path path = metadata.child("conditions");
  for (size_t i = 0; i < conditions.size(); ++i) {
    std::string_view type = conditions.items()[i].at("type").as_string();
    Path at = path.index(i);
    check(at.child("Type"), Value(type), object::check_qualified_name(type), errors);
  }
}

// One address of each family at most.
void check_addresses(const Path& path, const Value& list, FieldErrors& errors) {
  auto items = list.items();
  size_t v6 = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    std::string_view ip = items[i].at("ip").as_string();
    check(path.index(i), Value(ip), object::check_ip(ip), errors);
    v6 += ip.find(':') != std::string_view::npos ? 1 : 0;
    auto before = items.first(i);
    bool seen = std::any_of(before.begin(), before.end(), [&](const Value& one) { return one.at("ip") == Value(ip); });
    if (seen) errors.duplicate(path.index(i), items[i]);
  }
  if (items.size() > 2 || (items.size() == 2 && v6 != 1)) {
    errors.invalid(path, list, "may specify no more than one IP for each IP family");
  }
}

}  // namespace

void validate_pod_update(const Value& pod, const Value& old, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = pod.at("spec");
  const Value& before = old.at("spec");
  check_mirror_kept(pod, old, errors);
  for (std::string_view list : {"containers", "initContainers"}) {
    if (!check_same_length(path.child(list), spec.at(list), before.at(list), errors)) return;
  }
  if (!check_deadline(path.child("activeDeadlineSeconds"), spec, before, errors)) return;
  check_tolerations_kept(path.child("tolerations"), spec.at("tolerations"), before.at("tolerations"), errors);
  check_gates_only_removed(path.child("schedulingGates"), spec.at("schedulingGates"), before.at("schedulingGates"),
                           errors);
  if (spec == before) return;
  Value rest = spec;
  keep_images(rest, before, "containers");
  keep_images(rest, before, "initContainers");
  for (std::string_view field : {"activeDeadlineSeconds", "tolerations", "schedulingGates"}) keep(rest, before, field);
  if (before.at("terminationGracePeriodSeconds").as_int() < 0 &&
      rest.at("terminationGracePeriodSeconds").as_int() == 1) {
    keep(rest, before, "terminationGracePeriodSeconds");
  }
  release_gated(path, rest, before, errors);
  if (!(rest == before)) errors.forbidden(path, kOnlySome);
}

void validate_pod_ephemeral_update(const Value& pod, const Value& old, FieldErrors& errors) {
  if (old.find({"metadata", "annotations", "kubernetes.io/config.mirror"}) != nullptr) {
    errors.forbidden(Path(), "static pods do not support ephemeral containers");
    return;
  }
  Path spec_path("spec");
  Path path = spec_path.child("ephemeralContainers");
  auto now = pod.at({"spec", "ephemeralContainers"}).items();
  for (const Value& before : old.at({"spec", "ephemeralContainers"}).items()) {
    std::string name(before.at("name").as_string());
    auto found = std::find_if(now.begin(), now.end(),
                              [&](const Value& container) { return container.at("name").as_string() == name; });
    if (found == now.end()) {
      errors.forbidden(path, "existing ephemeral containers \"" + name + "\" may not be removed\n");
    } else if (!(*found == before)) {
      errors.forbidden(path, "existing ephemeral containers \"" + name + "\" may not be changed\n");
    }
  }
}

void validate_pod_status_update(const Value& pod, const Value& old, FieldErrors& errors) {
  Path path("status");
  const Value& status = pod.at("status");
  const Value& before = old.at("status");
  check_mirror_kept(pod, old, errors);
  check_condition_types(status.at("conditions"), errors);
  if (!(pod.at({"spec", "nodeName"}) == old.at({"spec", "nodeName"}))) {
    errors.forbidden(path.child("nodeName"), "may not be changed directly");
  }
  const Value& nominated = status.at("nominatedNodeName");
  if (!is_absent_or_empty(nominated) && !(nominated == before.at("nominatedNodeName"))) {
    check(path.child("nominatedNodeName"), nominated, object::check_dns1123_subdomain(nominated.as_string()), errors);
  }
  check_unchanged(path.child("qosClass"), status.at("qosClass"), before.at("qosClass"), errors);
  std::string_view policy = old.at({"spec", "restartPolicy"}).as_string();
  for (std::string_view list : {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
    if (policy == "Always" && list != "ephemeralContainerStatuses") continue;
    Path list_path = path.child(list);
    auto ended = before.at(list).items();
    for (size_t i = 0; i < ended.size(); ++i) {
      const Value* terminated = ended[i].find({"state", "terminated"});
      if (terminated == nullptr) continue;
      bool failed = terminated->at("exitCode").as_int() != 0;
      if (failed && policy == "OnFailure" && list != "ephemeralContainerStatuses") continue;
      const Value* container = find_container(old, ended[i].at("name").as_string());
      // A container with its own restart policy may come back (KEP-753, KEP-5307).
      if (container != nullptr && container->find("restartPolicy") != nullptr) continue;
      for (const Value& now : status.at(list).items()) {
        if (!(now.at("name") == ended[i].at("name")) || now.find({"state", "terminated"}) != nullptr) continue;
        Path at = list_path.index(i);
        errors.forbidden(at.child("state"), "may not be transitioned to non-terminated state");
      }
    }
  }
  check_addresses(path.child("podIPs"), status.at("podIPs"), errors);
  const Value& host_addresses = status.at("hostIPs");
  Path host_path = path.child("hostIPs");
  if (!host_addresses.empty() && !(host_addresses.items()[0].at("ip") == status.at("hostIP"))) {
    Path first = host_path.index(0);
    errors.invalid(first.child("ip"), host_addresses.items()[0].at("ip"), "must be equal to `hostIP`");
  }
  check_addresses(host_path, host_addresses, errors);
}

}  // namespace stead::kinds
