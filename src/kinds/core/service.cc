// Rules of Service. Cluster addresses and node ports are allocated by the API server before validation.

#include <algorithm>
#include <set>
#include <string>

#include "kinds/core/core_rules.h"
#include "kinds/core/service_cells.h"
#include "kinds/core/service_update.h"
#include "kinds/meta/checks.h"
#include "object/names.h"

namespace stead::kinds {
namespace {

constexpr int64_t kAffinitySecondsDefault = 10800;  // three hours
constexpr int64_t kAffinitySecondsMax = 86400;

bool is_headless(const Value& spec) {
  auto addresses = spec.at("clusterIPs").items();
  std::string_view first = addresses.empty() ? spec.at("clusterIP").as_string() : addresses[0].as_string();
  return first == "None";
}

bool needs_health_check(const Value& spec) {
  return spec.at("type").as_string() == "LoadBalancer" && spec.at("externalTrafficPolicy").as_string() == "Local";
}

bool is_reachable_from_outside(const Value& spec) {
  std::string_view type = spec.at("type").as_string();
  return type == "LoadBalancer" || type == "NodePort" || (type == "ClusterIP" && !spec.at("externalIPs").empty());
}

void validate_type(const Path& path, const Value& spec, FieldErrors& errors) {
  std::string_view type = spec.at("type").as_string();
  if (type == "LoadBalancer" || type == "NodePort") {
    if (is_headless(spec)) {
      Path addresses = path.child("clusterIPs");
      errors.invalid(addresses.index(0), Value("None"),
                     "may not be set to 'None' for " + std::string(type) + " services");
    }
    return;
  }
  if (type != "ExternalName") return;
  for (std::string_view field : {"clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
    if (!is_absent_or_empty(spec.at(field))) {
      errors.forbidden(path.child(field), "may not be set for ExternalName services");
    }
  }
  std::string_view name = spec.at("externalName").as_string();
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) {
    errors.required(path.child("externalName"));
  } else {
    check(path.child("externalName"), Value(name), object::check_dns1123_subdomain(name), errors);
  }
}

void validate_port(const Path& path, const Value& port, bool name_needed, std::set<std::string_view>& names,
                   FieldErrors& errors) {
  const Value& name = port.at("name");
  if (!is_absent_or_empty(name)) {
    check(path.child("name"), name, object::check_dns1123_label(name.as_string()), errors);
    if (!names.insert(name.as_string()).second) errors.duplicate(path.child("name"), name);
  } else if (name_needed) {
    errors.required(path.child("name"));
  }
  check_port_number(path.child("port"), port.at("port"), errors);
  check_one_of(path.child("protocol"), port.at("protocol"), {"SCTP", "TCP", "UDP"}, errors);
  check_port(path.child("targetPort"), port.at("targetPort"), errors);
  if (const Value* protocol = port.find("appProtocol")) {
    check(path.child("appProtocol"), *protocol, object::check_qualified_name(protocol->as_string()), errors);
  }
}

void check_unique_ports(const Path& path, const Value& ports, std::string_view type, FieldErrors& errors) {
  std::set<std::pair<std::string_view, int64_t>> node_ports;
  std::set<std::pair<std::string_view, int64_t>> service_ports;
  for (size_t i = 0; i < ports.size(); ++i) {
    const Value& port = ports.items()[i];
    Path at = path.index(i);
    std::string_view protocol = port.at("protocol").as_string();
    int64_t node_port = port.at("nodePort").as_int();
    if (node_port != 0) {
      if (type == "ClusterIP") {
        errors.forbidden(at.child("nodePort"), "may not be used when `type` is 'ClusterIP'");
      }
      if (!node_ports.emplace(protocol, node_port).second) errors.duplicate(at.child("nodePort"), Value(node_port));
    }
    if (!service_ports.emplace(protocol, port.at("port").as_int()).second) {
      errors.duplicate(at, Value::object({{"port", port.at("port")}, {"protocol", protocol}}));
    }
  }
}

void validate_affinity(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value& affinity = spec.at("sessionAffinity");
  check_one_of(path.child("sessionAffinity"), affinity, {"ClientIP", "None"}, errors);
  Path config_path = path.child("sessionAffinityConfig");
  const Value* config = spec.find("sessionAffinityConfig");
  if (affinity.as_string() == "ClientIP") {
    const Value* seconds = spec.find({"sessionAffinityConfig", "clientIP", "timeoutSeconds"});
    Path client_path = config_path.child("clientIP");
    if (seconds == nullptr) {
      errors.required(config_path, "when session affinity type is ClientIP");
    } else if (seconds->as_int() <= 0 || seconds->as_int() > kAffinitySecondsMax) {
      errors.invalid(client_path.child("timeoutSeconds"), *seconds, "must be greater than 0 and less than 86400");
    }
  } else if (affinity.as_string() == "None" && config != nullptr) {
    errors.forbidden(config_path, "must not be set when session affinity is None");
  }
}

void validate_addresses(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value& addresses = spec.at("clusterIPs");
  Path addresses_path = path.child("clusterIPs");
  for (size_t i = 0; i < addresses.size(); ++i) {
    const Value& address = addresses.items()[i];
    if (address.as_string() == "None") {
      if (addresses.size() > 1) errors.invalid(addresses_path, addresses, "'None' must be the first and only value");
      continue;
    }
    check(addresses_path.index(i), address, object::check_ip(address.as_string()), errors);
  }
  if (addresses.size() > 2) {
    errors.invalid(addresses_path, addresses, "may only hold up to 2 values");
  }
  if (!addresses.empty() && !(addresses.items()[0] == spec.at("clusterIP"))) {
    errors.invalid(addresses_path, addresses, "first value must match `clusterIP`");
  }
  Path families_path = path.child("ipFamilies");
  auto families = spec.at("ipFamilies").items();
  for (size_t i = 0; i < families.size(); ++i) {
    check_optional_one_of(families_path.index(i), families[i], {"IPv4", "IPv6"}, errors);
  }
  check_optional_one_of(path.child("ipFamilyPolicy"), spec.at("ipFamilyPolicy"),
                        {"PreferDualStack", "RequireDualStack", "SingleStack"}, errors);
  Path external_path = path.child("externalIPs");
  auto external = spec.at("externalIPs").items();
  for (size_t i = 0; i < external.size(); ++i) {
    std::string_view text = external[i].as_string();
    if (!check(external_path.index(i), external[i], object::check_ip(text), errors)) continue;
    if (text.starts_with("127.") || text == "::1") {
      errors.invalid(external_path.index(i), external[i], "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    }
    if (text == "0.0.0.0" || text == "::") {
      errors.invalid(external_path.index(i), external[i], "may not be unspecified (0.0.0.0 or ::)");
    }
    if (text.starts_with("169.254.")) {
      errors.invalid(external_path.index(i), external[i],
                     "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    }
  }
}

void validate_load_balancer(const Path& path, const Value& spec, FieldErrors& errors) {
  bool is_balanced = spec.at("type").as_string() == "LoadBalancer";
  constexpr std::string_view kOnly = "may only be used when `type` is 'LoadBalancer'";
  const Value& ranges = spec.at("loadBalancerSourceRanges");
  // Upstream's path has this capital.
  Path ranges_path = path.child("LoadBalancerSourceRanges");
  if (!ranges.empty() && !is_balanced) errors.forbidden(ranges_path, kOnly);
  for (size_t i = 0; i < ranges.size(); ++i) {
    const Value& range = ranges.items()[i];
    check(ranges_path.index(i), range, object::check_cidr(range.as_string()), errors);
  }
  for (std::string_view field : {"allocateLoadBalancerNodePorts", "loadBalancerClass"}) {
    if (spec.find(field) != nullptr && !is_balanced) errors.forbidden(path.child(field), kOnly);
  }
  if (const Value* name = spec.find("loadBalancerClass")) {
    check(path.child("loadBalancerClass"), *name, object::check_qualified_name(name->as_string()), errors);
  }
}

void validate_traffic(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value& external = spec.at("externalTrafficPolicy");
  if (is_reachable_from_outside(spec)) {
    check_one_of(path.child("externalTrafficPolicy"), external, {"Cluster", "Local"}, errors);
  } else if (!is_absent_or_empty(external)) {
    errors.invalid(path.child("externalTrafficPolicy"), external, "may only be set for externally-accessible services");
  }
  if (!needs_health_check(spec) && spec.at("healthCheckNodePort").as_int() != 0) {
    errors.invalid(path.child("healthCheckNodePort"), spec.at("healthCheckNodePort"),
                   "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
  }
  const Value& internal = spec.at("internalTrafficPolicy");
  if (spec.at("type").as_string() == "ExternalName") {
    check_optional_one_of(path.child("internalTrafficPolicy"), internal, {"Cluster", "Local"}, errors);
  } else {
    check_one_of(path.child("internalTrafficPolicy"), internal, {"Cluster", "Local"}, errors);
  }
  check_optional_one_of(path.child("trafficDistribution"), spec.at("trafficDistribution"),
                        {"PreferClose", "PreferSameNode", "PreferSameZone"}, errors);
}

void validate(const Value& service, FieldErrors& errors) {
  Path path("spec");
  const Value& spec = service.at("spec");
  const Value& ports = spec.at("ports");
  Path ports_path = path.child("ports");
  std::string_view type = spec.at("type").as_string();
  if (ports.empty() && !is_headless(spec) && type != "ExternalName") errors.required(ports_path);
  validate_type(path, spec, errors);
  std::set<std::string_view> names;
  for (size_t i = 0; i < ports.size(); ++i) {
    validate_port(ports_path.index(i), ports.items()[i], ports.size() > 1, names, errors);
  }
  check_labels(path.child("selector"), spec.at("selector"), errors);
  validate_affinity(path, spec, errors);
  validate_addresses(path, spec, errors);
  check_one_of(path.child("type"), spec.at("type"), {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"}, errors);
  check_unique_ports(ports_path, ports, type, errors);
  validate_load_balancer(path, spec, errors);
  validate_traffic(path, spec, errors);
}

void prepare_create(Value& service) { service.set("status", Value::object({{"loadBalancer", Value::object()}})); }

std::optional<std::string> field(const Value& service, std::string_view path) {
  if (path == "spec.clusterIP") return std::string(service.at({"spec", "clusterIP"}).as_string());
  if (path == "spec.type") return std::string(service.at({"spec", "type"}).as_string());
  return std::nullopt;
}

void set_port_defaults(Value& port) {
  if (is_absent_or_empty(port.at("protocol"))) port.set("protocol", "TCP");
  const Value& target = port.at("targetPort");
  bool absent = target.is_null() || (target.is_int() && target.as_int() == 0) ||
                (target.is_string() && target.as_string().empty());
  if (absent) port.set("targetPort", Value(port.at("port")));
}

}  // namespace

void set_service_defaults(Value& service) {
  Value& spec = service["spec"];
  if (spec.is_null()) spec = Value::object();
  if (is_absent_or_empty(spec.at("type"))) spec.set("type", "ClusterIP");
  if (is_absent_or_empty(spec.at("sessionAffinity"))) spec.set("sessionAffinity", "None");
  if (spec.at("sessionAffinity").as_string() == "None") spec.erase("sessionAffinityConfig");
  if (spec.at("sessionAffinity").as_string() == "ClientIP" &&
      spec.at({"sessionAffinityConfig", "clientIP", "timeoutSeconds"}).is_null()) {
    spec.set({"sessionAffinityConfig", "clientIP", "timeoutSeconds"}, kAffinitySecondsDefault);
  }
  if (Value* ports = spec.find("ports")) {
    for (Value& port : ports->mutable_items()) set_port_defaults(port);
  }
  if (is_reachable_from_outside(spec) && is_absent_or_empty(spec.at("externalTrafficPolicy"))) {
    spec.set("externalTrafficPolicy", "Cluster");
  }
  std::string_view type = spec.at("type").as_string();
  if (spec.find("internalTrafficPolicy") == nullptr && type != "ExternalName") {
    spec.set("internalTrafficPolicy", "Cluster");
  }
  if (type == "LoadBalancer" && spec.find("allocateLoadBalancerNodePorts") == nullptr) {
    spec.set("allocateLoadBalancerNodePorts", true);
  }
}

KindRules service_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_create,
                .prepare_update = prepare_service_update,
                .validate = validate,
                .validate_update = validate_service_update,
                .cells = service_cells,
                .field = field};
  made.columns = service_columns();
  made.selectable_fields = {"spec.clusterIP", "spec.type"};
  return made;
}

}  // namespace stead::kinds
