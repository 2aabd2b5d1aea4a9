#include "apiserver/authorization/node_access.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "apiserver/authorization/bootstrap_policy.h"
#include "object/selector.h"

namespace stead::apiserver {
namespace {

using object::ObjectPtr;

bool is_read(std::string_view verb) { return verb == "get" || verb == "list" || verb == "watch"; }

// The value that the field selector wants `path` to have; empty if it wants none.
std::string selected(const Attributes& attributes, std::string_view path) {
  Result<object::FieldSelector> selector = object::FieldSelector::parse(attributes.field_selector);
  if (!selector.ok()) return {};
  return std::string(selector->required_value(path).value_or(""));
}

std::string no_relationship(std::string_view node) {
  return fmt::format("no relationship found between node '{}' and this object", node);
}

bool any(const Value& list, const std::function<bool(const Value&)>& holds) {
  auto items = list.items();
  return std::any_of(items.begin(), items.end(), holds);
}

bool containers_refer(const Value& spec, std::string_view from, std::string_view key, std::string_view name) {
  auto refers = [&](const Value& container) {
    return any(container.at("envFrom"),
               [&](const Value& one) {
                 return one.at({from, "name"}).as_string() == name;
               }) ||
           any(container.at("env"), [&](const Value& one) {
             return one.at({"valueFrom", key, "name"}).as_string() == name;
           });
  };
  return any(spec.at("containers"), refers) || any(spec.at("initContainers"), refers) ||
         any(spec.at("ephemeralContainers"), refers);
}

bool refers_to_config_map(const Value& spec, std::string_view name) {
  return any(spec.at("volumes"),
             [&](const Value& volume) {
               return volume.at({"configMap", "name"}).as_string() == name ||
                      any(volume.at({"projected", "sources"}), [&](const Value& source) {
                        return source.at({"configMap", "name"}).as_string() == name;
                      });
             }) ||
         containers_refer(spec, "configMapRef", "configMapKeyRef", name);
}

// Every volume type names the secret it needs in one of these ways.
bool volume_refers_to_secret(const Value& volume, std::string_view name) {
  if (volume.at({"secret", "secretName"}).as_string() == name) return true;
  if (volume.at({"azureFile", "secretName"}).as_string() == name) return true;
  if (volume.at({"csi", "nodePublishSecretRef", "name"}).as_string() == name) return true;
  for (std::string_view type : {"cephfs", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"}) {
    if (volume.at({type, "secretRef", "name"}).as_string() == name) return true;
  }
  return any(volume.at({"projected", "sources"}), [&](const Value& source) {
    return source.at({"secret", "name"}).as_string() == name;
  });
}

bool refers_to_secret(const Value& spec, std::string_view name) {
  return any(spec.at("volumes"), [&](const Value& volume) { return volume_refers_to_secret(volume, name); }) ||
         any(spec.at("imagePullSecrets"), [&](const Value& one) { return one.at("name").as_string() == name; }) ||
         containers_refer(spec, "secretRef", "secretKeyRef", name);
}

std::vector<std::string> claims_of(const object::Object& pod) {
  std::vector<std::string> names;
  for (const Value& volume : pod.spec().at("volumes").items()) {
    if (const Value* claim = volume.find("persistentVolumeClaim"))
      names.emplace_back(claim->at("claimName").as_string());
    if (volume.find("ephemeral") == nullptr) continue;
    names.push_back(fmt::format("{}-{}", pod.name(), volume.at("name").as_string()));
  }
  return names;
}

// A volume's own secrets live in the namespace it names, else in its claim's.
bool volume_needs_secret(const object::Object& volume, std::string_view ns, std::string_view name) {
  std::string_view claim_ns = volume.spec().at({"claimRef", "namespace"}).as_string();
  auto is = [&](const Value& reference) {
    std::string_view own = reference.at("namespace").as_string();
    return reference.at("name").as_string() == name && (own.empty() ? claim_ns : own) == ns;
  };
  const Value& spec = volume.spec();
  for (std::string_view type : {"cephfs", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"}) {
    if (is(spec.at({type, "secretRef"}))) return true;
  }
  for (std::string_view field : {"controllerPublishSecretRef", "nodePublishSecretRef", "nodeStageSecretRef",
                                 "controllerExpandSecretRef", "nodeExpandSecretRef"}) {
    if (is(spec.at({"csi", field}))) return true;
  }
  const Value& azure = spec.at("azureFile");
  std::string_view azure_ns = azure.at("secretNamespace").as_string();
  return azure.at("secretName").as_string() == name && (azure_ns.empty() ? claim_ns : azure_ns) == ns;
}

}  // namespace

std::optional<std::string_view> node_of(const client::Identity& identity) {
  constexpr std::string_view kPrefix = "system:node:";
  std::string_view user = identity.user;
  if (!user.starts_with(kPrefix) || !identity.in_group(kNodesGroup)) return std::nullopt;
  return user.substr(kPrefix.size());
}

cache::Snapshot pods_of_node(cache::Cache& cache, std::string_view node) {
  return cache.snapshot("/pods", {"spec.nodeName", std::string(node), [](const object::Object& pod) {
                                    return std::string(pod.spec().at("nodeName").as_string());
                                  }});
}

NodeAccess::NodeAccess(cache::Cache& cache) : cache_(cache) {
  for (const BootstrapObject& object : bootstrap_policy()) {
    bool mine =
        object.resource == "clusterroles" && object.document.at({"metadata", "name"}).as_string() == "system:node";
    if (mine) rules_ = read_rules(object.document.at("rules"));
  }
}

bool NodeAccess::refers(const object::Object& pod, const Attributes& attributes) const {
  const Value& spec = pod.spec();
  bool same_ns = pod.ns() == attributes.ns;
  if (attributes.resource == "configmaps") return same_ns && refers_to_config_map(spec, attributes.name);
  if (attributes.resource == "serviceaccounts") {
    return same_ns && spec.at("serviceAccountName").as_string() == attributes.name;
  }
  if (attributes.resource == "secrets" && same_ns && refers_to_secret(spec, attributes.name)) return true;
  if (attributes.resource == "persistentvolumeclaims" && !same_ns) return false;
  std::vector<std::string> claims = claims_of(pod);
  if (attributes.resource == "persistentvolumeclaims") {
    return std::find(claims.begin(), claims.end(), attributes.name) != claims.end();
  }
  return std::any_of(claims.begin(), claims.end(), [&](const std::string& name) {
    ObjectPtr claim = cache_.get("/persistentvolumeclaims", std::string(pod.ns()) + "/" + name);
    if (!claim) return false;
    std::string_view volume = claim->spec().at("volumeName").as_string();
    if (volume.empty()) return false;
    if (attributes.resource == "persistentvolumes") return volume == attributes.name;
    ObjectPtr found = cache_.get("/persistentvolumes", volume);
    return found && volume_needs_secret(*found, attributes.ns, attributes.name);
  });
}

std::optional<std::string> NodeAccess::related(std::string_view node, const Attributes& attributes) const {
  if (attributes.name.empty()) return "No Object name found";
  bool found = false;
  pods_of_node(cache_, node).objects.visit_from("", [&](const std::string&, const ObjectPtr& pod) {
    found = refers(*pod, attributes);
    return !found;
  });
  if (found) return std::nullopt;
  return no_relationship(node);
}

std::optional<std::string> NodeAccess::refusal_of_pods_needs(std::string_view node,
                                                             const Attributes& attributes) const {
  std::string_view verb = attributes.verb;
  std::string_view subresource = attributes.subresource;
  bool reads = is_read(verb) && subresource.empty();
  if (attributes.resource == "persistentvolumeclaims") {
    bool status = subresource == "status" && (verb == "get" || verb == "update" || verb == "patch");
    if (!reads && !status) return "can only read persistentvolumeclaims and update their status";
  } else if (attributes.resource == "serviceaccounts") {
    bool token = subresource == "token" && verb == "create";
    bool get = verb == "get" && subresource.empty();
    if (!token && !get) return "can only get serviceaccounts and create tokens for them";
  } else if (!reads) {
    return "can only read resources of this type";
  }
  return related(node, attributes);
}

std::optional<std::string> NodeAccess::refusal_to_read_pods(std::string_view node, const Attributes& attributes) const {
  if (attributes.verb != "get") {
    if (selected(attributes, "spec.nodeName") == node) return std::nullopt;
    return "can only list/watch pods with spec.nodeName field selector";
  }
  ObjectPtr pod = cache_.get("/pods", std::string(attributes.ns) + "/" + std::string(attributes.name));
  if (pod && pod->spec().at("nodeName").as_string() == node) return std::nullopt;
  return no_relationship(node);
}

std::optional<std::string> NodeAccess::refusal(std::string_view node, const Attributes& attributes) const {
  if (node.empty()) return "unknown node for user";
  std::string_view resource = attributes.resource;
  bool reads = is_read(attributes.verb) && attributes.subresource.empty();
  bool own_name = attributes.name == node;
  if (attributes.group.empty() && !attributes.on_path()) {
    constexpr std::array<std::string_view, 5> kNeeds = {"secrets", "configmaps", "persistentvolumes",
                                                        "persistentvolumeclaims", "serviceaccounts"};
    if (std::find(kNeeds.begin(), kNeeds.end(), resource) != kNeeds.end()) {
      return refusal_of_pods_needs(node, attributes);
    }
    if (resource == "pods" && reads) return refusal_to_read_pods(node, attributes);
    if (resource == "nodes" && reads) {
      if (own_name) return std::nullopt;
      return fmt::format("node '{}' cannot read all nodes, only its own Node object", node);
    }
  }
  // A creation does not name its object yet: admission sees to that.
  bool other_name = attributes.verb != "create" && !own_name;
  if (attributes.group == "coordination.k8s.io" && resource == "leases") {
    if (attributes.ns != "kube-node-lease") return "can only access leases in the \"kube-node-lease\" system namespace";
    if (other_name) return "can only access node lease with the same name as the requesting node";
  }
  if (attributes.group == "storage.k8s.io" && resource == "csinodes" && other_name) {
    return "can only access CSINode with the same name as the requesting node";
  }
  bool allowed =
      std::any_of(rules_.begin(), rules_.end(), [&](const PolicyRule& rule) { return rule_allows(rule, attributes); });
  return allowed ? std::nullopt : std::optional(std::string());
}

}  // namespace stead::apiserver
