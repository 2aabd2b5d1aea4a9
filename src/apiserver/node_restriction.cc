#include "apiserver/node_restriction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "apiserver/authorization/node_access.h"
#include "object/quote.h"

namespace stead::apiserver {
namespace {

using object::ObjectPtr;
using object::quote;
using object::Value;

Error refused(const Call& call, std::string_view name, std::string_view why) {
  std::string what = call.qualified_resource();
  if (!name.empty()) what.append(" ").append(quote(name));
  Error error = make_error(Reason::kForbidden, fmt::format("{} is forbidden: {}", what, why));
  error.group = call.resource->group;
  error.kind = call.resource->name;
  error.name = name;
  return error;
}

bool is(const Call& call, std::string_view group, std::string_view resource) {
  return call.resource->group == group && call.resource->name == resource;
}

bool ends_in_domain(std::string_view space, std::string_view domain) {
  return space == domain ||
         (space.size() > domain.size() && space.ends_with(domain) && space[space.size() - domain.size() - 1] == '.');
}

// Labels of Kubernetes' own name spaces that a node may give itself (KEP-279); those of others are free.
bool may_label(std::string_view key) {
  size_t slash = key.find('/');
  if (slash == std::string_view::npos) return true;
  std::string_view space = key.substr(0, slash);
  if (!ends_in_domain(space, "kubernetes.io") && !ends_in_domain(space, "k8s.io")) return true;
  if (ends_in_domain(space, "kubelet.kubernetes.io") || ends_in_domain(space, "node.kubernetes.io")) return true;
  constexpr std::array<std::string_view, 10> kOwn = {"kubernetes.io/hostname",
                                                     "kubernetes.io/arch",
                                                     "kubernetes.io/os",
                                                     "topology.kubernetes.io/region",
                                                     "topology.kubernetes.io/zone",
                                                     "failure-domain.beta.kubernetes.io/region",
                                                     "failure-domain.beta.kubernetes.io/zone",
                                                     "beta.kubernetes.io/arch",
                                                     "beta.kubernetes.io/os",
                                                     "beta.kubernetes.io/instance-type"};
  return std::find(kOwn.begin(), kOwn.end(), key) != kOwn.end();
}

// Keys of labels that only one of the two has, or that differ, and that are not the node's to set.
std::vector<std::string> forbidden_labels(const Value& labels, const Value& old) {
  std::vector<std::string> keys;
  auto look = [&](const Value& some, const Value& others) {
    for (const object::Member& label : some.members()) {
      std::string key(label.name());
      bool same = others.at(key).as_string() == label.value.as_string() && others.find(key) != nullptr;
      if (!same && !may_label(key) && std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  };
  look(labels, old);
  look(old, labels);
  std::sort(keys.begin(), keys.end());
  return keys;
}

Result<void> admit_mirror_pod(const Call& call, std::string_view node, const Value& pod) {
  std::string_view name = pod.at({"metadata", "name"}).as_string();
  if (pod.find({"metadata", "annotations", "kubernetes.io/config.mirror"}) == nullptr) {
    return refused(call, name,
                   fmt::format("pod does not have \"kubernetes.io/config.mirror\" annotation, node {} can only create "
                               "mirror pods",
                               quote(node)));
  }
  const Value& spec = pod.at("spec");
  if (spec.at("nodeName").as_string() != node) {
    return refused(call, name,
                   fmt::format("node {} can only create pods with spec.nodeName set to itself", quote(node)));
  }
  if (!spec.at("serviceAccountName").as_string().empty()) {
    return refused(call, name,
                   fmt::format("node {} can not create pods that reference a service account", quote(node)));
  }
  for (const Value& volume : spec.at("volumes").items()) {
    for (std::string_view kind : {"secret", "configMap", "persistentVolumeClaim", "projected", "ephemeral", "csi"}) {
      if (volume.find(kind) == nullptr) continue;
      return refused(call, name, fmt::format("node {} can not create pods with {} volumes", quote(node), kind));
    }
  }
  return {};
}

Result<void> admit_named_as_node(const Call& call, std::string_view node, std::string_view name) {
  if (name == node) return {};
  if (is(call, "", "nodes")) {
    return refused(call, name, fmt::format("node {} is not allowed to modify node {}", quote(node), quote(name)));
  }
  if (is(call, "coordination.k8s.io", "leases")) {
    return refused(call, name, "can only access node lease with the same name as the requesting node");
  }
  return refused(call, name, "can only access CSINode with the same name as the requesting node");
}

bool is_named_as_node(const Call& call) {
  return is(call, "", "nodes") || is(call, "coordination.k8s.io", "leases") || is(call, "storage.k8s.io", "csinodes");
}

}  // namespace

ObjectPtr NodeRestriction::pod_of(const Call& call) const {
  return cache_.get("/pods", call.request.ns + "/" + call.request.name);
}

Result<void> NodeRestriction::admit_create(const Call& call, const Value& document) const {
  auto node = node_of(call.identity);
  if (!node) return {};
  if (is(call, "", "pods")) return admit_mirror_pod(call, *node, document);
  if (!is_named_as_node(call)) return {};
  std::string_view name = document.at({"metadata", "name"}).as_string();
  STEAD_TRY_VOID(admit_named_as_node(call, *node, name));
  if (!is(call, "", "nodes")) return {};
  std::vector<std::string> labels = forbidden_labels(document.at({"metadata", "labels"}), Value());
  if (labels.empty()) return {};
  return refused(
      call, name,
      fmt::format("node {} is not allowed to set the following labels: {}", quote(*node), fmt::join(labels, ", ")));
}

Result<void> NodeRestriction::admit_update(const Call& call, const Value& document, const Value& old) const {
  auto node = node_of(call.identity);
  if (!node) return {};
  const std::string& name = call.request.name;
  if (is(call, "", "pods") && call.request.subresource == "status") {
    if (old.at({"spec", "nodeName"}).as_string() != *node) {
      return refused(
          call, name,
          fmt::format("node {} can only update pod status for pods with spec.nodeName set to itself", quote(*node)));
    }
    if (document.at({"metadata", "labels"}) == old.at({"metadata", "labels"})) return {};
    return refused(call, name, fmt::format("node {} cannot update labels through pod status", quote(*node)));
  }
  if (is(call, "", "persistentvolumeclaims") && !(document.at("spec") == old.at("spec"))) {
    return refused(call, name, fmt::format("node {} is not allowed to update fields other than status", quote(*node)));
  }
  if (!is_named_as_node(call)) return {};
  STEAD_TRY_VOID(admit_named_as_node(call, *node, name));
  if (!is(call, "", "nodes")) return {};
  if (!(document.at({"spec", "taints"}) == old.at({"spec", "taints"}))) {
    return refused(call, name, fmt::format("node {} is not allowed to modify taints", quote(*node)));
  }
  std::vector<std::string> labels =
      forbidden_labels(document.at({"metadata", "labels"}), old.at({"metadata", "labels"}));
  if (labels.empty()) return {};
  return refused(call, name, fmt::format("is not allowed to modify labels: {}", fmt::join(labels, ", ")));
}

Result<void> NodeRestriction::admit_delete(const Call& call) const {
  auto node = node_of(call.identity);
  if (!node) return {};
  if (is_named_as_node(call)) return admit_named_as_node(call, *node, call.request.name);
  if (!is(call, "", "pods")) return {};
  ObjectPtr pod = pod_of(call);
  std::string_view uid = call.request.body.at({"preconditions", "uid"}).as_string();
  // What is not there, or not what is meant, is told as such.
  bool meant = pod && (uid.empty() || uid == pod->uid());
  if (!meant || pod->spec().at("nodeName").as_string() == *node) return {};
  return refused(call, call.request.name,
                 fmt::format("node {} can only delete pods with spec.nodeName set to itself", quote(*node)));
}

Result<void> NodeRestriction::admit_eviction(const Call& call) const {
  auto node = node_of(call.identity);
  if (!node) return {};
  ObjectPtr pod = pod_of(call);
  if (!pod || pod->spec().at("nodeName").as_string() == *node) return {};
  return refused(call, call.request.name,
                 fmt::format("node {} can only evict pods with spec.nodeName set to itself", quote(*node)));
}

Result<void> NodeRestriction::admit_token(const Call& call, const Value& request) const {
  auto node = node_of(call.identity);
  if (!node) return {};
  const std::string& account = call.request.name;
  const Value& bound = request.at({"spec", "boundObjectRef"});
  bool to_pod = bound.at("kind").as_string() == "Pod" && !bound.at("name").as_string().empty();
  if (!to_pod) return refused(call, account, "node requested token not bound to a pod");
  std::string_view uid = bound.at("uid").as_string();
  if (uid.empty()) return refused(call, account, "node requested token with a pod binding without a uid");
  ObjectPtr pod = cache_.get("/pods", call.request.ns + "/" + std::string(bound.at("name").as_string()));
  if (!pod) {
    Error error = make_error(Reason::kNotFound, fmt::format("pod {} not found", quote(bound.at("name").as_string())));
    error.kind = "pods";
    error.name = bound.at("name").as_string();
    return error;
  }
  if (uid != pod->uid()) {
    return make_error(Reason::kConflict,
                      fmt::format("the UID in the bound object reference ({}) does not match the UID in record ({}). "
                                  "The object might have been deleted and then recreated",
                                  uid, pod->uid()));
  }
  if (pod->spec().at("nodeName").as_string() == *node) return {};
  return refused(call, account, "node requested token bound to a pod scheduled on a different node");
}

}  // namespace stead::apiserver
