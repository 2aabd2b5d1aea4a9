#include "kinds/core/service_update.h"

#include <algorithm>
#include <string>

namespace stead::kinds {
namespace {

std::string_view type_of(const Value& spec) { return spec.at("type").as_string(); }

bool has_cluster_address(const Value& spec) { return type_of(spec) != "ExternalName"; }

bool has_node_ports(const Value& spec) { return type_of(spec) == "NodePort" || type_of(spec) == "LoadBalancer"; }

bool is_named_headless(const Value& spec) { return spec.at("clusterIP").as_string() == "None"; }

// A manifest applied again without its allocated values does not ask for others.
void keep_allocated(Value& spec, const Value& old) {
  if (has_cluster_address(spec) && has_cluster_address(old)) {
    for (std::string_view field : {"clusterIP", "clusterIPs"}) {
      if (is_absent_or_empty(spec.at(field)) && old.find(field) != nullptr) spec.set(field, old.at(field));
    }
    for (std::string_view field : {"ipFamilies", "ipFamilyPolicy"}) {
      if (is_absent_or_empty(spec.at(field)) && old.find(field) != nullptr) spec.set(field, old.at(field));
    }
  }
  Value* ports = spec.find("ports");
  if (ports != nullptr && has_node_ports(spec) && has_node_ports(old)) {
    for (Value& port : ports->mutable_items()) {
      if (port.at("nodePort").as_int() != 0) continue;
      for (const Value& before : old.at("ports").items()) {
        if (before.at("port") == port.at("port") && before.at("protocol") == port.at("protocol")) {
          if (before.at("nodePort").as_int() != 0) port.set("nodePort", before.at("nodePort"));
        }
      }
    }
  }
  if (spec.at("healthCheckNodePort").as_int() == 0 && type_of(spec) == "LoadBalancer" &&
      spec.at("externalTrafficPolicy").as_string() == "Local" && old.at("healthCheckNodePort").as_int() != 0) {
    spec.set("healthCheckNodePort", old.at("healthCheckNodePort"));
  }
}

bool same_field(const Value& spec, const Value& old, std::string_view field) { return spec.at(field) == old.at(field); }

// What only the old type uses, and the client merely sent back.
void drop_leftovers(Value& spec, const Value& old) {
  if (type_of(spec) == type_of(old)) return;
  if (has_cluster_address(old) && !has_cluster_address(spec)) {
    for (std::string_view field :
         {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}) {
      if (same_field(spec, old, field)) spec.erase(field);
    }
  }
  if (has_node_ports(old) && !has_node_ports(spec)) {
    if (Value* ports = spec.find("ports")) {
      for (Value& port : ports->mutable_items()) {
        for (const Value& before : old.at("ports").items()) {
          if (before.at("nodePort") == port.at("nodePort")) port.erase("nodePort");
        }
      }
    }
    bool outside = type_of(spec) == "ClusterIP" && !spec.at("externalIPs").empty();
    if (!outside && same_field(spec, old, "externalTrafficPolicy")) spec.erase("externalTrafficPolicy");
  }
  if (type_of(old) == "LoadBalancer") {
    for (std::string_view field :
         {"allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort", "loadBalancerIP"}) {
      if (same_field(spec, old, field)) spec.erase(field);
    }
  }
  if (type_of(old) == "ExternalName" && same_field(spec, old, "externalName")) spec.erase("externalName");
}

}  // namespace

void prepare_service_update(Value& service, const Value& old) {
  Value& spec = service["spec"];
  const Value& before = old.at("spec");
  keep_allocated(spec, before);
  drop_leftovers(spec, before);
}

namespace {

// The first address and family are for life; a second one comes and goes (KEP-563).
void check_addresses_kept(const Path& path, const Value& spec, const Value& before, FieldErrors& errors) {
  constexpr std::string_view kOnce = "may not change once set";
  const Value& addresses = spec.at("clusterIPs");
  auto now = addresses.items();
  auto was = before.at("clusterIPs").items();
  Path addresses_path = path.child("clusterIPs");
  const Value shown = addresses.is_null() ? Value::array() : addresses;
  if (now.size() == was.size()) {
    for (size_t i = 0; i < was.size(); ++i) {
      if (!(now[i] == was[i])) errors.invalid(addresses_path.index(i), shown, kOnce);
    }
    return;
  }
  if (now.empty()) {
    errors.invalid(addresses_path.index(0), shown, "primary clusterIP can not be unset");
    return;
  }
  if (!was.empty() && !(now[0] == was[0])) errors.invalid(addresses_path.index(0), shown, kOnce);
  bool released = now.size() < was.size() && now.size() == 1;
  if (released && spec.at("ipFamilyPolicy").as_string() != "SingleStack") {
    errors.invalid(path.child("ipFamilyPolicy"), spec.at("ipFamilyPolicy"),
                   "must be set to 'SingleStack' when releasing the secondary clusterIP");
  }
}

void check_families_kept(const Path& path, const Value& spec, const Value& before, FieldErrors& errors) {
  constexpr std::string_view kOnce = "may not change once set";
  const Value& families = spec.at("ipFamilies");
  auto now = families.items();
  auto was = before.at("ipFamilies").items();
  Path families_path = path.child("ipFamilies");
  Path first = families_path.index(0);
  if (now.size() == was.size()) {
    for (size_t i = 0; i < was.size(); ++i) {
      if (!(now[i] == was[i])) errors.invalid(first, families, kOnce);
    }
    return;
  }
  if (!now.empty() && !was.empty() && !(now[0] == was[0])) errors.invalid(first, families, kOnce);
  bool released = now.size() < was.size() && now.size() == 1;
  if (released && spec.at("ipFamilyPolicy").as_string() != "SingleStack") {
    errors.invalid(path.child("ipFamilyPolicy"), spec.at("ipFamilyPolicy"),
                   "must be set to 'SingleStack' when releasing the secondary ipFamily");
  }
}

}  // namespace

void validate_service_update(const Value& service, const Value& old, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = service.at("spec");
  const Value& before = old.at("spec");
  // Going from or to a name elsewhere changes everything.
  if (has_cluster_address(spec) && has_cluster_address(before)) {
    bool is_headless = is_named_headless(spec);
    bool was_headless = is_named_headless(before);
    if (!is_headless || !was_headless) check_addresses_kept(path, spec, before, errors);
    if (!is_headless && !was_headless) check_families_kept(path, spec, before, errors);
  }
  if (type_of(spec) == "LoadBalancer" && type_of(before) == "LoadBalancer") {
    if (!same_field(spec, before, "loadBalancerClass")) {
      errors.invalid(path.child("loadBalancerClass"), spec.at("loadBalancerClass"), "may not change once set");
    }
    bool both_local = spec.at("externalTrafficPolicy").as_string() == "Local" &&
                      before.at("externalTrafficPolicy").as_string() == "Local";
    if (both_local && !same_field(spec, before, "healthCheckNodePort")) {
      errors.forbidden(path.child("healthCheckNodePort"), kImmutable);
    }
  }
}

}  // namespace stead::kinds
