#include "apiserver/service_allocator.h"

#include <arpa/inet.h>
#include <fmt/format.h>

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
  if (wish.empty() && !spec.at("clusterIPs").empty()) wish = spec.at("clusterIPs").items()[0].as_string();
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

void ServiceAllocator::complete_node_ports(Value& service, const Value* old, FieldErrors& errors) {
  if (!wants_node_ports(service)) return;
  std::set<int64_t> used = node_ports_in_use(service_key(service));
  Path spec_path("spec");
  Path ports_path = spec_path.child("ports");
  size_t index = 0;
  for (Value& port : service["spec"]["ports"].mutable_items()) {
    Path path = ports_path.index(index++);
    int64_t wish = port.at("nodePort").as_int();
    if (wish == 0 && old != nullptr) {
      for (const Value& known : old->at({"spec", "ports"}).items()) {
        if (known.at("port") == port.at("port") && known.at("protocol") == port.at("protocol")) {
          wish = known.at("nodePort").as_int();
        }
      }
    }
    for (int64_t tried = kNodePortMin; wish == 0 && tried <= kNodePortMax; ++tried) {
      if (next_node_port_ > kNodePortMax) next_node_port_ = kNodePortMin;
      if (!used.contains(next_node_port_)) wish = next_node_port_;
      ++next_node_port_;
    }
    if (wish < kNodePortMin || wish > kNodePortMax) {
      errors.invalid(path.child("nodePort"), wish,
                     fmt::format("provided port is not in the valid range. The range of valid ports is {}-{}",
                                 kNodePortMin, kNodePortMax));
    } else if (!used.insert(wish).second) {
      errors.invalid(path.child("nodePort"), wish, "provided port is already allocated");
    }
    port.set("nodePort", wish);
  }
}

}  // namespace stead::apiserver
