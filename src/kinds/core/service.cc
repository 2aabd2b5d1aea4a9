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
    constexpr std::string_view kWhen = "when session affinity type is ClientIP";
    Path client_path = config_path.child("clientIP");
    const Value* seconds = spec.find({"sessionAffinityConfig", "clientIP", "timeoutSeconds"});
    if (config == nullptr) {
      errors.required(config_path, kWhen);
    } else if (config->find("clientIP") == nullptr) {
      errors.required(client_path, kWhen);
    } else if (seconds == nullptr) {
      errors.required(client_path.child("timeoutSeconds"), kWhen);
    } else if (seconds->as_int() <= 0 || seconds->as_int() > kAffinitySecondsMax) {
      errors.invalid(client_path.child("timeoutSeconds"), *seconds, "must be greater than 0 and less than 86400");
    }
  } else if (affinity.as_string() == "None" && config != nullptr) {
    errors.forbidden(config_path, "must not be set when session affinity is None");
  }
}

bool is_v6(const Value& address) { return address.as_string().find(':') != std::string_view::npos; }

void validate_families(const Path& path, const Value& spec, FieldErrors& errors) {
  Path families_path = path.child("ipFamilies");
  auto families = spec.at("ipFamilies").items();
  for (size_t i = 0; i < families.size(); ++i) {
    check_optional_one_of(families_path.index(i), families[i], {"IPv4", "IPv6"}, errors);
    auto before = families.first(i);
    if (std::find(before.begin(), before.end(), families[i]) != before.end()) {
      errors.duplicate(families_path.index(i), families[i]);
    }
  }
  check_optional_one_of(path.child("ipFamilyPolicy"), spec.at("ipFamilyPolicy"),
                        {"PreferDualStack", "RequireDualStack", "SingleStack"}, errors);
}

// One address of each family, in the families' order.
void validate_cluster_addresses(const Path& path, const Value& spec, FieldErrors& errors) {
  const Value& addresses = spec.at("clusterIPs");
  Path addresses_path = path.child("clusterIPs");
  const Value& first = spec.at("clusterIP");
  if (!addresses.empty() && is_absent_or_empty(first)) {
    errors.invalid(addresses_path, addresses, "must be empty when `clusterIP` is not specified");
  } else if (!addresses.empty() && !(addresses.items()[0] == first)) {
    errors.invalid(addresses_path, addresses, "first value must match `clusterIP`");
  }
  validate_families(path, spec, errors);
  size_t before = errors.size();
  for (size_t i = 0; i < addresses.size(); ++i) {
    const Value& address = addresses.items()[i];
    if (i == 0 && address.as_string() == "None") {
      if (addresses.size() > 1) errors.invalid(addresses_path, addresses, "'None' must be the first and only value");
      continue;
    }
    check(addresses_path.index(i), address, object::check_ip(address.as_string()), errors);
  }
  bool readable = errors.size() == before;
  if (addresses.size() > 2) errors.invalid(addresses_path, addresses, "may only hold up to 2 values");
  if (!readable || is_headless(spec)) return;
  auto items = addresses.items();
  if (items.size() > 1 && (items.size() > 2 || is_v6(items[0]) == is_v6(items[1]))) {
    errors.invalid(addresses_path, addresses, "may specify no more than one IP for each IP family");
  }
  auto families = spec.at("ipFamilies").items();
  for (size_t i = 0; i < std::min(items.size(), families.size()); ++i) {
    std::string_view family = families[i].as_string();
    if ((family != "IPv4" && family != "IPv6") || (family == "IPv6") == is_v6(items[i])) continue;
    errors.invalid(
        addresses_path.index(i), items[i],
        "expected an " + std::string(family) + " value as indicated by `ipFamilies[" + std::to_string(i) + "]`");
  }
}

void validate_addresses(const Path& path, const Value& spec, FieldErrors& errors) {
  if (spec.at("type").as_string() != "ExternalName") validate_cluster_addresses(path, spec, errors);
  Path external_path = path.child("externalIPs");
  auto external = spec.at("externalIPs").items();
  for (size_t i = 0; i < external.size(); ++i) {
    if (!check(external_path.index(i), external[i], object::check_ip(external[i].as_string()), errors)) continue;
    check_not_special(external_path.index(i), external[i], errors);
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// The ranges were an annotation once, which still counts where the field is empty.
void validate_ranges_annotation(const Value& service, FieldErrors& errors) {
  constexpr std::string_view kRanges = "service.beta.kubernetes.io/load-balancer-source-ranges";
  const Value* annotated = service.find({"metadata", "annotations", kRanges});
  if (annotated == nullptr || !service.at({"spec", "loadBalancerSourceRanges"}).empty()) return;
  Path metadata("metadata");
  Path annotations = metadata.child("annotations");
  Path path = annotations.key(kRanges);
  if (service.at({"spec", "type"}).as_string() != "LoadBalancer") {
    errors.forbidden(path, "may only be used when `type` is 'LoadBalancer'");
  }
  std::string_view rest = trimmed(annotated->as_string());
  while (!rest.empty()) {
    size_t comma = std::min(rest.find(','), rest.size());
    std::string_view range = trimmed(rest.substr(0, comma));
    check(path, Value(range), object::check_cidr(range), errors);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
}

// Two annotations have said the same at different times.
void validate_topology_annotations(const Value& service, FieldErrors& errors) {
  constexpr std::string_view kHints = "service.kubernetes.io/topology-aware-hints";
  constexpr std::string_view kMode = "service.kubernetes.io/topology-mode";
  const Value* hints = service.find({"metadata", "annotations", kHints});
  const Value* mode = service.find({"metadata", "annotations", kMode});
  if (hints == nullptr || mode == nullptr || *hints == *mode) return;
  Path metadata("metadata");
  Path annotations = metadata.child("annotations");
  errors.invalid(annotations.key(kMode), *mode,
                 "must match annotations[" + std::string(kHints) + "] when both are specified");
}

void validate_load_balancer(const Path& path, const Value& spec, FieldErrors& errors) {
  bool is_balanced = spec.at("type").as_string() == "LoadBalancer";
  constexpr std::string_view kOnly = "may only be used when `type` is 'LoadBalancer'";
  const Value& ranges = spec.at("loadBalancerSourceRanges");
  // Upstream's path has this capital.
  Path ranges_path = path.child("LoadBalancerSourceRanges");
  if (!ranges.empty() && !is_balanced) errors.forbidden(ranges_path, kOnly);
  for (size_t i = 0; i < ranges.size(); ++i) {
    // The annotation that came before them was let through with spaces, and so are they.
    Value range(trimmed(ranges.items()[i].as_string()));
    check(ranges_path.index(i), range, object::check_cidr(range.as_string()), errors);
  }
  for (std::string_view field : {"allocateLoadBalancerNodePorts", "loadBalancerClass"}) {
    if (spec.find(field) != nullptr && !is_balanced) errors.forbidden(path.child(field), kOnly);
  }
  const Value* name = spec.find("loadBalancerClass");
  if (name != nullptr && is_balanced) {
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
  if (needs_health_check(spec)) {
    if (spec.at("healthCheckNodePort").as_int() != 0) {
      check_port_number(path.child("healthCheckNodePort"), spec.at("healthCheckNodePort"), errors);
    }
  } else if (spec.at("healthCheckNodePort").as_int() != 0) {
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
  validate_topology_annotations(service, errors);
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
  validate_ranges_annotation(service, errors);
  validate_traffic(path, spec, errors);
}

void validate_status_update(const Value& service, const Value&, FieldErrors& errors) {
  Path status("status");
  Path balancer = status.child("loadBalancer");
  Path path = balancer.child("ingress");
  auto places = service.at({"status", "loadBalancer", "ingress"}).items();
  if (!places.empty() && service.at({"spec", "type"}).as_string() != "LoadBalancer") {
    errors.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'");
    return;
  }
  for (size_t i = 0; i < places.size(); ++i) {
    Path at = path.index(i);
    const Value& ip = places[i].at("ip");
    bool has_ip = !is_absent_or_empty(ip);
    if (has_ip) check(at.child("ip"), ip, object::check_ip(ip.as_string()), errors);
    const Value* mode = places[i].find("ipMode");
    if (mode == nullptr) {
      if (has_ip) errors.required(at.child("ipMode"), "must be specified when `ip` is set");
    } else if (!has_ip) {
      errors.forbidden(at.child("ipMode"), "may not be specified when `ip` is not set");
    } else {
      check_optional_one_of(at.child("ipMode"), *mode, {"Proxy", "VIP"}, errors);
    }
    const Value& name = places[i].at("hostname");
    if (is_absent_or_empty(name)) continue;
    check(at.child("hostname"), name, object::check_dns1123_subdomain(name.as_string()), errors);
    if (object::check_ip(name.as_string()).empty()) {
      errors.invalid(at.child("hostname"), name, "must be a DNS name, not an IP address");
    }
  }
}

void warn(const Value& service, const Value*, std::vector<std::string>& warnings) {
  const Value& spec = service.at("spec");
  if (service.find({"metadata", "annotations", "service.kubernetes.io/topology-aware-hints"}) != nullptr) {
    warnings.emplace_back(
        "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
        "service.kubernetes.io/topology-mode instead");
  }
  bool is_name = spec.at("type").as_string() == "ExternalName";
  if (spec.at("type").as_string() == "ClusterIP" && spec.at("clusterIP").as_string() == "None") {
    if (!is_absent_or_empty(spec.at("loadBalancerIP"))) {
      warnings.emplace_back("spec.loadBalancerIP is ignored for headless services");
    }
    if (!spec.at("externalIPs").empty()) {
      warnings.emplace_back("spec.externalIPs is ignored for headless services");
    }
    if (spec.at("sessionAffinity").as_string() != "None") {
      warnings.emplace_back("spec.SessionAffinity is ignored for headless services");
    }
  }
  if (is_name && !spec.at("externalIPs").empty()) {
    warnings.emplace_back("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
  }
  if (!is_name && !is_absent_or_empty(spec.at("externalName"))) {
    warnings.emplace_back("spec.externalName is ignored when spec.type is not \"ExternalName\"");
  }
  if (spec.at("trafficDistribution").as_string() == "PreferClose") {
    warnings.emplace_back("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"");
  }
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
  if (type != "LoadBalancer") return;
  if (spec.find("allocateLoadBalancerNodePorts") == nullptr) spec.set("allocateLoadBalancerNodePorts", true);
  Value* status = service.find("status");
  Value* balancer = status == nullptr ? nullptr : status->find("loadBalancer");
  Value* places = balancer == nullptr ? nullptr : balancer->find("ingress");
  if (places == nullptr || !places->is_array()) return;
  for (Value& place : places->mutable_items()) {
    if (!is_absent_or_empty(place.at("ip")) && place.find("ipMode") == nullptr) place.set("ipMode", "VIP");
  }
}

KindRules service_rules() {
  KindRules made;
  made.rules = {.prepare_create = prepare_create,
                .prepare_update = prepare_service_update,
                .validate = validate,
                .validate_update = validate_service_update,
                .validate_status_update = validate_status_update,
                .warn = warn,
                .cells = service_cells,
                .field = field};
  made.columns = service_columns();
  made.selectable_fields = {"spec.clusterIP", "spec.type"};
  return made;
}

}  // namespace stead::kinds
