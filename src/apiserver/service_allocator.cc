#include "apiserver/service_allocator.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <map>

#include "client/informer.h"

namespace stead::apiserver {
namespace {

using object::FieldErrors;
using object::Path;
using object::Value;

constexpr int64_t kNodePortMin = 30000;
constexpr int64_t kNodePortMax = 32767;

std::string to_text(uint32_t address) {
  in_addr raw{htonl(address)};
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &raw, text, sizeof text);
  return text;
}

std::string service_key(const Value& service) {
  return client::object_key(service.at({"metadata", "namespace"}).as_string(),
                            service.at({"metadata", "name"}).as_string());
}

bool wants_node_ports(const Value& service) {
  std::string_view type = service.at({"spec", "type"}).as_string();
  if (type == "NodePort") return true;
  return type == "LoadBalancer" && service.at({"spec", "allocateLoadBalancerNodePorts"}).as_bool(true);
}

// Whether clusterIP and clusterIPs say the same, so that there is a wish to be granted. Who changes the one and sends
// the other back as it was means the change.
bool addresses_agree(const Value& spec, const Value* old) {
  const Value& addresses = spec.at("clusterIPs");
  std::string_view first = spec.at("clusterIP").as_string();
  if (addresses.empty()) return true;
  if (first.empty() || addresses.size() > 1) return false;
  return addresses.items()[0].as_string() == first || (old != nullptr && addresses == old->at({"spec", "clusterIPs"}));
}

// The cluster has addresses of one family. Headless services without a selector have none of their own to choose.
void check_families(const Value& spec, FieldErrors& errors) {
  if (spec.at("clusterIP").as_string() == "None" && spec.at("selector").empty()) return;
  Path path("spec");
  Path families_path = path.child("ipFamilies");
  auto families = spec.at("ipFamilies").items();
  const Value* policy = spec.find("ipFamilyPolicy");
  if (policy == nullptr ? families.size() > 1 : policy->as_string() == "RequireDualStack") {
    errors.invalid(path.child("ipFamilyPolicy"), Value("RequireDualStack"),
                   "this cluster is not configured for dual-stack services");
  }
  for (size_t i = 0; i < families.size(); ++i) {
    if (families[i].as_string() != "IPv6") continue;
    errors.invalid(families_path.index(i), families[i], "not configured on this cluster");
  }
}

int64_t node_port_before(const Value& old, const Value& port) {
  for (const Value& known : old.at({"spec", "ports"}).items()) {
    if (known.at("port") == port.at("port") && known.at("protocol") == port.at("protocol")) {
      return known.at("nodePort").as_int();
    }
  }
  return 0;
}

}  // namespace

Result<ServiceRange> ServiceRange::parse(const std::string& service_cidr) {
  size_t slash = service_cidr.find('/');
  in_addr raw{};
  int bits = slash == std::string::npos ? 0 : std::atoi(service_cidr.c_str() + slash + 1);
  if (slash == std::string::npos || inet_pton(AF_INET, service_cidr.substr(0, slash).c_str(), &raw) != 1 || bits < 12 ||
      bits > 28) {
    return make_error(Reason::kBadRequest, fmt::format("service CIDR \"{}\": must be an IPv4 range from /12 to /28, "
                                                       "such as 10.43.0.0/16",
                                                       service_cidr));
  }
  uint32_t size = 1U << (32 - bits);
  return ServiceRange{ntohl(raw.s_addr) & ~(size - 1), size};
}

std::string ServiceRange::address(uint32_t index) const { return to_text(base + index); }

std::set<std::string> ServiceAllocator::addresses_in_use(std::string_view but) const {
  std::set<std::string> used{address(1), address(10)};
  cache_->snapshot("/services").objects.visit_from("", [&](const std::string& key, const object::ObjectPtr& service) {
    if (key != but) used.emplace(service->spec().at("clusterIP").as_string());
    return true;
  });
  return used;
}

std::set<int64_t> ServiceAllocator::node_ports_in_use(std::string_view but) const {
  std::set<int64_t> used;
  cache_->snapshot("/services").objects.visit_from("", [&](const std::string& key, const object::ObjectPtr& service) {
    if (key == but) return true;
    for (const Value& port : service->spec().at("ports").items()) used.insert(port.at("nodePort").as_int());
    used.insert(service->spec().at("healthCheckNodePort").as_int());
    return true;
  });
  return used;
}

Result<void> ServiceAllocator::complete(Value& service, const Value* old) {
  FieldErrors errors;
  STEAD_TRY_VOID(complete_address(service, old, errors));
  complete_node_ports(service, old, errors);
  if (!errors.empty()) return errors.to_error("", "Service", service.at({"metadata", "name"}).as_string());
  return {};
}

Result<void> ServiceAllocator::complete_address(Value& service, const Value* old, FieldErrors& errors) {
  Value& spec = service["spec"];
  if (spec.at("type").as_string() == "ExternalName") {
    for (std::string_view name : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) spec.erase(name);
    return {};
  }
  std::string wish(spec.at("clusterIP").as_string());
  if (!addresses_agree(spec, old)) return {};  // validation says why
  check_families(spec, errors);
  std::string before(old == nullptr ? "" : old->at({"spec", "clusterIP"}).as_string());
  // An update that leaves the address out keeps it.
  if (wish.empty() && !before.empty() && old->at({"spec", "type"}).as_string() != "ExternalName") wish = before;
  if (wish.empty()) {
    std::set<std::string> used = addresses_in_use(service_key(service));
    for (uint32_t tried = 0; wish.empty() && tried < range_.size - 2; ++tried) {
      if (next_offset_ >= range_.size - 1) next_offset_ = 1;
      std::string candidate = address(next_offset_++);
      if (!used.contains(candidate)) wish = candidate;
    }
    if (wish.empty()) {
      return make_error(Reason::kInternal, "failed to allocate a serviceIP: range is full");
    }
  } else if (wish != "None" && wish != before) {
    in_addr raw{};
    Path spec_path("spec");
    Path path = spec_path.child("clusterIPs");
    if (inet_pton(AF_INET6, wish.c_str(), std::array<uint8_t, 16>().data()) != 1 &&
        inet_pton(AF_INET, wish.c_str(), &raw) != 1) {
      return {};  // validation says why
    }
    bool own = service.at({"metadata", "namespace"}).as_string() == "default" ||
               service.at({"metadata", "namespace"}).as_string() == "kube-system";
    if (inet_pton(AF_INET, wish.c_str(), &raw) != 1 || ntohl(raw.s_addr) <= range_.base ||
        ntohl(raw.s_addr) >= range_.base + range_.size - 1) {
      errors.invalid(path, Value::array({wish}),
                     fmt::format("failed to allocate IP {}: the provided IP ({}) is not in the valid range. The range "
                                 "of valid IPs is {}/{}",
                                 wish, wish, to_text(range_.base), 32 - __builtin_ctz(range_.size)));
    } else if (addresses_in_use(service_key(service)).contains(wish) &&
               !(own && (wish == address(1) || wish == address(10)))) {
      errors.invalid(path, Value::array({wish}),
                     fmt::format("failed to allocate IP {}: provided IP is already allocated", wish));
    }
  }
  spec.set("clusterIP", wish);
  spec.set("clusterIPs", Value::array({wish}));
  if (spec.find("ipFamilies") == nullptr) spec.set("ipFamilies", Value::array({"IPv4"}));
  if (spec.find("ipFamilyPolicy") == nullptr) spec.set("ipFamilyPolicy", "SingleStack");
  return {};
}

int64_t ServiceAllocator::next_free_node_port(const std::set<int64_t>& used) {
  for (int64_t tried = kNodePortMin; tried <= kNodePortMax; ++tried) {
    if (next_node_port_ > kNodePortMax) next_node_port_ = kNodePortMin;
    int64_t candidate = next_node_port_++;
    if (!used.contains(candidate)) return candidate;
  }
  return 0;
}

void ServiceAllocator::complete_health_port(Value& service, const Value* old, std::set<int64_t>& used,
                                            FieldErrors& errors) {
  Value& spec = service["spec"];
  Path spec_path("spec");
  int64_t wish = spec.at("healthCheckNodePort").as_int();
  if (wish == 0 && old != nullptr) wish = old->at({"spec", "healthCheckNodePort"}).as_int();
  if (wish == 0) wish = next_free_node_port(used);
  claim_node_port(spec_path.child("healthCheckNodePort"), wish, used, errors);
  spec.set("healthCheckNodePort", wish);
}

void ServiceAllocator::claim_node_port(const Path& path, int64_t port, std::set<int64_t>& used, FieldErrors& errors) {
  if (port < kNodePortMin || port > kNodePortMax) {
    errors.invalid(path, port,
                   fmt::format("provided port is not in the valid range. The range of valid ports is {}-{}",
                               kNodePortMin, kNodePortMax));
  } else if (!used.insert(port).second) {
    errors.invalid(path, port, "provided port is already allocated");
  }
}

void ServiceAllocator::complete_node_ports(Value& service, const Value* old, FieldErrors& errors) {
  std::set<int64_t> used;
  bool wants_ports = wants_node_ports(service);
  bool wants_health_port = service.at({"spec", "type"}).as_string() == "LoadBalancer" &&
                           service.at({"spec", "externalTrafficPolicy"}).as_string() == "Local";
  if (wants_ports || wants_health_port) used = node_ports_in_use(service_key(service));
  if (wants_health_port) complete_health_port(service, old, used, errors);
  if (!wants_ports) return;
  Path spec_path("spec");
  Path ports_path = spec_path.child("ports");
  // The same port over several protocols shares a node port.
  std::map<int64_t, int64_t> granted;
  auto& ports = service["spec"]["ports"].mutable_items();
  for (size_t i = 0; i < ports.size(); ++i) {
    Value& port = ports[i];
    int64_t wish = port.at("nodePort").as_int();
    if (wish == 0 && old != nullptr) wish = node_port_before(*old, port);
    auto known = granted.find(port.at("port").as_int());
    if (known != granted.end() && (wish == 0 || wish == known->second)) {
      port.set("nodePort", known->second);
      continue;
    }
    for (size_t j = i + 1; wish == 0 && j < ports.size(); ++j) {
      if (ports[j].at("port") == port.at("port")) wish = ports[j].at("nodePort").as_int();
    }
    if (wish == 0) wish = next_free_node_port(used);
    Path path = ports_path.index(i);
    claim_node_port(path.child("nodePort"), wish, used, errors);
    granted.emplace(port.at("port").as_int(), wish);
    port.set("nodePort", wish);
  }
}

}  // namespace stead::apiserver
