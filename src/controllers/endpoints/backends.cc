#include "controllers/endpoints/backends.h"

#include <algorithm>

#include "controllers/pod_state.h"
#include "kinds/core/pod_state.h"

namespace stead::controllers::endpoints {
namespace {

std::string_view protocol_of(const Value& port) {
  std::string_view protocol = port.at("protocol").as_string();
  return protocol.empty() ? "TCP" : protocol;
}

// The number behind spec.ports[].targetPort on this pod; 0 if the pod has no port of that name.
int64_t target_port(const Value& service_port, const Object& pod) {
  const Value& target = service_port.at("targetPort");
  if (target.is_int() && target.as_int() > 0) return target.as_int();
  if (target.as_string().empty()) return service_port.at("port").as_int();
  return kinds::resolve_port(pod.document(), target, protocol_of(service_port)).value_or(0);
}

Value ports_on(const Object& service, const Object& pod) {
  std::vector<Value> ports;
  for (const Value& service_port : service.spec().at("ports").items()) {
    int64_t number = target_port(service_port, pod);
    if (number == 0) continue;
    Value port = Value::object(
        {{"name", service_port.at("name").as_string()}, {"port", number}, {"protocol", protocol_of(service_port)}});
    if (const Value* app = service_port.find("appProtocol")) port.set("appProtocol", *app);
    ports.push_back(std::move(port));
  }
  std::stable_sort(ports.begin(), ports.end(),
                   [](const Value& a, const Value& b) { return a.at("name").as_string() < b.at("name").as_string(); });
  return Value::array(std::move(ports));
}

std::string address_of(const Object& pod, std::string_view family) {
  bool want_v6 = family == "IPv6";
  auto fits = [&](std::string_view ip) { return !ip.empty() && (ip.find(':') != std::string_view::npos) == want_v6; };
  for (const Value& entry : pod.status().at("podIPs").items()) {
    if (fits(entry.at("ip").as_string())) return std::string(entry.at("ip").as_string());
  }
  std::string_view ip = pod.status().at("podIP").as_string();
  return fits(ip) ? std::string(ip) : std::string();
}

}  // namespace

std::vector<std::string> families_of(const Object& service) {
  std::vector<std::string> families;
  for (const Value& family : service.spec().at("ipFamilies").items()) families.emplace_back(family.as_string());
  if (families.empty()) families.emplace_back("IPv4");
  return families;
}

std::vector<Group> group_backends(const Object& service, const std::vector<ObjectPtr>& pods, std::string_view family) {
  bool publish_all = service.spec().at("publishNotReadyAddresses").as_bool();
  std::vector<Group> groups;
  for (const ObjectPtr& pod : pods) {
    Backend backend;
    backend.address = address_of(*pod, family);
    if (backend.address.empty() || is_finished(*pod)) continue;
    backend.serving = is_ready(*pod);
    backend.terminating = pod->deleting();
    backend.ready = publish_all || (backend.serving && !backend.terminating);
    std::string_view hostname = pod->spec().at("hostname").as_string();
    if (!hostname.empty() && pod->spec().at("subdomain").as_string() == service.name()) backend.hostname = hostname;
    backend.pod = pod;
    Value ports = ports_on(service, *pod);
    // A Service with ports, none of which this pod has, does not reach it.
    if (ports.empty() && !service.spec().at("ports").empty()) continue;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& one) { return one.ports == ports; });
    if (group == groups.end()) group = groups.insert(groups.end(), Group{std::move(ports), {}});
    group->backends.push_back(std::move(backend));
  }
  return groups;
}

bool has_managed_endpoints(const Object& service) {
  return !service.spec().at("selector").empty() && service.spec().at("type").as_string() != "ExternalName";
}

bool is_headless(const Object& service) { return service.spec().at("clusterIP").as_string() == "None"; }

bool differs_for_services(const Object& before, const Object& after) {
  return before.uid() != after.uid() || before.deleting() != after.deleting() || is_ready(before) != is_ready(after) ||
         is_finished(before) != is_finished(after) || before.status().at("podIP") != after.status().at("podIP") ||
         before.status().at("podIPs") != after.status().at("podIPs") ||
         before.spec().at("nodeName") != after.spec().at("nodeName") ||
         before.metadata().at("labels") != after.metadata().at("labels");
}

}  // namespace stead::controllers::endpoints
