#include "kinds/core/service_cells.h"

#include <set>
#include <string>

#include "kinds/meta/cells.h"

namespace stead::kinds {
namespace {

std::string balancer_addresses(const Value& service) {
  std::set<std::string> addresses;
  for (const Value& ingress : service.at({"status", "loadBalancer", "ingress"}).items()) {
    std::string address = text_or(ingress.at("ip"), ingress.at("hostname").as_string());
    if (!address.empty()) addresses.insert(address);
  }
  std::string joined;
  for (const std::string& address : addresses) joined += (joined.empty() ? "" : ",") + address;
  return joined;
}

std::string external_address(const Value& service) {
  const Value& spec = service.at("spec");
  std::string_view type = spec.at("type").as_string();
  std::string given = join(spec.at("externalIPs"));
  if (type == "ClusterIP" || type == "NodePort") return given.empty() ? std::string(kNone) : given;
  if (type == "LoadBalancer") {
    std::string balanced = balancer_addresses(service);
    if (balanced.empty() && given.empty()) return "<pending>";
    return balanced + (balanced.empty() || given.empty() ? "" : ",") + given;
  }
  if (type == "ExternalName") return std::string(spec.at("externalName").as_string());
  return "<unknown>";
}

std::string ports_text(const Value& ports) {
  std::string text;
  for (const Value& port : ports.items()) {
    if (!text.empty()) text += ',';
    text += std::to_string(port.at("port").as_int());
    int64_t node_port = port.at("nodePort").as_int();
    if (node_port > 0) text += ":" + std::to_string(node_port);
    text += "/" + std::string(port.at("protocol").as_string());
  }
  return text.empty() ? std::string(kNone) : text;
}

}  // namespace

std::vector<Column> service_columns() {
  return {name_column(),
          {"Type", "string", "", "How the service is reached."},
          {"Cluster-IP", "string", "", "Its address inside the cluster."},
          {"External-IP", "string", "", "Its addresses outside."},
          {"Port(s)", "string", "", "Its ports, with node ports and protocols."},
          age_column(),
          {"Selector", "string", "", "Labels of the pods behind it.", 1}};
}

std::vector<Value> service_cells(const Value& service, WallTime now) {
  const Value& spec = service.at("spec");
  auto addresses = spec.at("clusterIPs").items();
  const Value& address = addresses.empty() ? spec.at("clusterIP") : addresses[0];
  return {name_of(service),
          text_or(spec.at("type"), ""),
          text_or(address, kNone),
          external_address(service),
          ports_text(spec.at("ports")),
          age(service, now),
          format_labels(spec.at("selector"))};
}

}  // namespace stead::kinds
