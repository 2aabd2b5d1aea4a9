#include "apiserver/front_end/discovery.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kinds/custom/custom_kind.h"
#include "kinds/measured.h"
#include "kinds/registry.h"
#include "kinds/review.h"

namespace stead::apiserver {
namespace {

using kinds::Resource;
using object::Value;

// "v1" before "v2beta1" before "v1beta2" before "v1alpha1" before names of any other form (KubeAwareCompareVersion).
int64_t version_rank(std::string_view version) {
  auto number = [&version](int64_t& out) {
    auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), out);
    if (error != std::errc() || out > 100'000) return false;
    version.remove_prefix(static_cast<size_t>(end - version.data()));
    return true;
  };
  int64_t major = 0;
  int64_t minor = 0;
  if (!version.starts_with('v')) return 0;
  version.remove_prefix(1);
  if (!number(major)) return 0;
  if (version.empty()) return 3'000'000'000'000 + major;
  const bool beta = version.starts_with("beta");
  if (!beta && !version.starts_with("alpha")) return 0;
  version.remove_prefix(beta ? 4 : 5);
  if (!number(minor) || !version.empty()) return 0;
  return (beta ? 2'000'000'000'000 : 1'000'000'000'000) + major * 1'000'000 + minor;
}

// Groups in the order in which clients prefer them: those that only old versions are left in come last, so that
// `kubectl get ingresses` means networking.k8s.io.
using Groups = std::vector<std::pair<std::string, std::vector<std::string>>>;

Groups versions_by_group(Resources resources, RemoteGroups remote) {
  std::map<std::string, std::vector<std::string>> groups;
  std::set<std::string, std::less<>> current;
  for (const Resource* each : resources) {
    const Resource& resource = *each;
    for (const kinds::Version& version : resource.versions) {
      if (kinds::custom_of(resource) != nullptr && !kinds::custom_of(resource)->serves(version)) continue;
      auto& versions = groups[std::string(version.group)];
      if (version.group == resource.group) current.emplace(version.group);
      if (std::find(versions.begin(), versions.end(), version.name) == versions.end()) {
        versions.emplace_back(version.name);
      }
    }
  }
  for (const RemoteGroupVersion& one : remote) {
    auto& versions = groups[one.group];
    current.emplace(one.group);
    if (std::find(versions.begin(), versions.end(), one.version) == versions.end()) versions.push_back(one.version);
  }
  for (auto& [group, versions] : groups) {
    std::sort(versions.begin(), versions.end(),
              [](const std::string& a, const std::string& b) { return version_rank(a) > version_rank(b); });
  }
  Groups ordered(groups.begin(), groups.end());
  std::stable_partition(ordered.begin(), ordered.end(),
                        [&](const auto& group) { return current.contains(group.first); });
  return ordered;
}

Value group_entry(const std::string& group, const std::vector<std::string>& versions) {
  Value list = Value::array();
  for (const std::string& version : versions) {
    list.append(Value::object({{"groupVersion", group + "/" + version}, {"version", version}}));
  }
  Value preferred = list.items()[0];
  return Value::object({{"name", group}, {"versions", std::move(list)}, {"preferredVersion", std::move(preferred)}});
}

Value names(const std::vector<std::string_view>& list) {
  Value array = Value::array();
  for (std::string_view name : list) array.append(name);
  return array;
}

Value verbs(std::initializer_list<std::string_view> list) { return names(std::vector<std::string_view>(list)); }

// A resource that another group serves too has its short names and categories there only: `kubectl get all` shows it
// once, and kubectl warns of no second meaning.
Value resource_entry(const Resource& resource, std::string_view group) {
  Value entry = Value::object({{"name", resource.name},
                               {"singularName", resource.singular},
                               {"namespaced", resource.namespaced},
                               {"kind", resource.kind}});
  entry.set("verbs", kinds::is_review(resource)     ? verbs({"create"})
                     : kinds::is_measured(resource) ? verbs({"get", "list"})
                     : resource.name == "namespaces" && resource.group.empty()
                         ? verbs({"create", "delete", "get", "list", "patch", "update", "watch"})
                         : verbs({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}));
  if (resource.group != group) return entry;
  if (!resource.short_names.empty()) entry.set("shortNames", names(resource.short_names));
  if (!resource.categories.empty()) entry.set("categories", names(resource.categories));
  return entry;
}

Value subresource_entry(const Resource& resource, std::string_view name, std::string_view kind,
                        std::initializer_list<std::string_view> allowed) {
  return Value::object({{"name", std::string(resource.name) + "/" + std::string(name)},
                        {"singularName", ""},
                        {"namespaced", resource.namespaced},
                        {"kind", kind},
                        {"verbs", verbs(allowed)}});
}

void append_proxy(const Resource& resource, std::string_view kind, Value& list) {
  list.append(subresource_entry(resource, "proxy", kind, {"create", "delete", "get", "patch", "update"}));
}

void append_subresources(const Resource& resource, Value& list) {
  if (resource.status_subresource)
    list.append(subresource_entry(resource, "status", resource.kind, {"get", "patch", "update"}));
  if (resource.scale_subresource) {
    Value entry = subresource_entry(resource, "scale", "Scale", {"get", "patch", "update"});
    entry.set("group", "autoscaling");
    entry.set("version", "v1");
    list.append(std::move(entry));
  }
  if (resource.group == "certificates.k8s.io") {
    list.append(subresource_entry(resource, "approval", resource.kind, {"get", "patch", "update"}));
  }
  if (!resource.group.empty()) return;
  if (resource.name == "pods") {
    list.append(subresource_entry(resource, "attach", "PodAttachOptions", {"create", "get"}));
    list.append(subresource_entry(resource, "binding", "Binding", {"create"}));
    list.append(subresource_entry(resource, "ephemeralcontainers", resource.kind, {"get", "patch", "update"}));
    Value eviction = subresource_entry(resource, "eviction", "Eviction", {"create"});
    eviction.set("group", "policy");
    eviction.set("version", "v1");
    list.append(std::move(eviction));
    list.append(subresource_entry(resource, "exec", "PodExecOptions", {"create", "get"}));
    list.append(subresource_entry(resource, "log", "Pod", {"get"}));
    list.append(subresource_entry(resource, "portforward", "PodPortForwardOptions", {"create", "get"}));
    append_proxy(resource, "PodProxyOptions", list);
    list.append(subresource_entry(resource, "resize", resource.kind, {"get", "patch", "update"}));
  } else if (resource.name == "serviceaccounts") {
    Value entry = subresource_entry(resource, "token", "TokenRequest", {"create"});
    entry.set("group", "authentication.k8s.io");
    entry.set("version", "v1");
    list.append(std::move(entry));
  } else if (resource.name == "namespaces") {
    list.append(subresource_entry(resource, "finalize", "Namespace", {"update"}));
  } else if (resource.name == "services") {
    append_proxy(resource, "ServiceProxyOptions", list);
  } else if (resource.name == "nodes") {
    append_proxy(resource, "NodeProxyOptions", list);
  }
}

}  // namespace

Value core_versions_document(std::string_view server_address) {
  return Value::object(
      {{"kind", "APIVersions"},
       {"versions", Value::array({"v1"})},
       {"serverAddressByClientCIDRs",
        Value::array({Value::object({{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", server_address}})})}});
}

Value paths_document(Resources resources, RemoteGroups remote) {
  std::vector<std::string> paths{"/.well-known/openid-configuration",
                                 "/api",
                                 "/apis",
                                 "/healthz",
                                 "/livez",
                                 "/metrics",
                                 "/openapi/v2",
                                 "/openapi/v3",
                                 "/openid/v1/jwks",
                                 "/readyz",
                                 "/version"};
  for (const auto& [group, versions] : versions_by_group(resources, remote)) {
    std::string base = group.empty() ? "/api" : "/apis/" + std::string(group);
    if (!group.empty()) paths.push_back(base);
    for (const auto& version : versions) paths.push_back(base + "/" + std::string(version));
  }
  std::sort(paths.begin(), paths.end());
  Value list = Value::array();
  for (const std::string& path : paths) list.append(path);
  return Value::object({{"paths", std::move(list)}});
}

Value groups_document(Resources resources, RemoteGroups remote) {
  Value groups = Value::array();
  for (const auto& [group, versions] : versions_by_group(resources, remote)) {
    if (!group.empty()) groups.append(group_entry(group, versions));
  }
  return Value::object({{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}});
}

std::optional<Value> group_document(Resources resources, RemoteGroups remote, std::string_view group) {
  Groups groups = versions_by_group(resources, remote);
  auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& entry) { return entry.first == group; });
  if (group.empty() || found == groups.end()) return std::nullopt;
  Value document = Value::object({{"kind", "APIGroup"}, {"apiVersion", "v1"}});
  Value entry = group_entry(found->first, found->second);
  for (const object::Member& member : entry.members()) document.set(member.name(), member.value);
  return document;
}

std::optional<Value> resource_list_document(Resources resources, std::string_view group, std::string_view version) {
  Value list = Value::array();
  for (const Resource* each : resources) {
    const Resource& resource = *each;
    const kinds::Version* served = resource.version(group, version);
    if (served == nullptr || (kinds::custom_of(resource) != nullptr && !kinds::custom_of(resource)->serves(*served)))
      continue;
    list.append(resource_entry(resource, group));
    append_subresources(resource, list);
  }
  if (list.empty()) return std::nullopt;
  std::string group_version = group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
  return Value::object({{"kind", "APIResourceList"},
                        {"apiVersion", "v1"},
                        {"groupVersion", group_version},
                        {"resources", std::move(list)}});
}

namespace {

Value response_kind(const Value& entry, std::string_view group, std::string_view version) {
  return Value::object({{"group", entry.find("group") ? entry.at("group").as_string() : group},
                        {"version", entry.find("version") ? entry.at("version").as_string() : version},
                        {"kind", entry.at("kind").as_string()}});
}

// The entries of one APIResourceList: resources with their subresources below them.
Value aggregated_resources(const Value& entries, std::string_view group, std::string_view version) {
  std::vector<Value> resources;
  for (const Value& entry : entries.items()) {
    std::string_view name = entry.at("name").as_string();
    size_t slash = name.find('/');
    if (slash != std::string_view::npos) {
      if (resources.empty() || resources.back().at("resource").as_string() != name.substr(0, slash)) continue;
      resources.back()["subresources"].append(Value::object({{"subresource", name.substr(slash + 1)},
                                                             {"responseKind", response_kind(entry, group, version)},
                                                             {"verbs", entry.at("verbs")}}));
      continue;
    }
    Value resource = Value::object({{"resource", name},
                                    {"responseKind", response_kind(entry, group, version)},
                                    {"scope", entry.at("namespaced").as_bool() ? "Namespaced" : "Cluster"},
                                    {"singularResource", entry.at("singularName")},
                                    {"verbs", entry.at("verbs")}});
    for (std::string_view list : {"shortNames", "categories"}) {
      if (const Value* names = entry.find(list)) resource.set(list, *names);
    }
    resources.push_back(std::move(resource));
  }
  return Value::array(std::move(resources));
}

Value remote_version(const RemoteGroupVersion& one) {
  return Value::object({{"version", one.version},
                        {"resources", aggregated_resources(one.resources, one.group, one.version)},
                        {"freshness", one.available ? "Current" : "Stale"}});
}

}  // namespace

Value aggregated_document(Resources all, RemoteGroups remote, bool core, std::string_view version) {
  Value groups = Value::array();
  for (const auto& [group, versions] : versions_by_group(all, remote)) {
    if (group.empty() != core) continue;
    Value list = Value::array();
    for (const auto& name : versions) {
      auto resources = resource_list_document(all, group, name);
      if (!resources) {
        for (const RemoteGroupVersion& one : remote) {
          if (one.group == group && one.version == name) list.append(remote_version(one));
        }
        continue;
      }
      list.append(Value::object({{"version", name},
                                 {"resources", aggregated_resources(resources->at("resources"), group, name)},
                                 {"freshness", "Current"}}));
    }
    Value metadata = Value::object({{"creationTimestamp", Value()}});
    if (!group.empty()) metadata.set("name", group);
    groups.append(Value::object({{"metadata", std::move(metadata)}, {"versions", std::move(list)}}));
  }
  return Value::object({{"kind", "APIGroupDiscoveryList"},
                        {"apiVersion", "apidiscovery.k8s.io/" + std::string(version)},
                        {"metadata", Value::object()},
                        {"items", std::move(groups)}});
}

Value version_document() {
  return Value::object({{"major", "1"},
                        {"minor", "35"},
                        {"emulationMajor", "1"},
                        {"emulationMinor", "35"},
                        {"minCompatibilityMajor", "1"},
                        {"minCompatibilityMinor", "34"},
                        {"gitVersion", "v1.35.0+stead"},
                        {"gitCommit", ""},
                        {"gitTreeState", "clean"},
                        {"buildDate", "1970-01-01T00:00:00Z"},
                        {"goVersion", ""},
                        {"compiler", "g++"},
                        {"platform", "linux/amd64"}});
}

}  // namespace stead::apiserver
