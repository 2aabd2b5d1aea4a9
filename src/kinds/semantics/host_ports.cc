#include "kinds/semantics/host_ports.h"

namespace stead::kinds {

using object::Value;

bool HostPort::conflicts_with(const HostPort& other) const {
  return port == other.port && protocol == other.protocol && (ip.empty() || other.ip.empty() || ip == other.ip);
}

std::vector<HostPort> host_ports(const Value& pod_spec) {
  std::vector<HostPort> ports;
  for (std::string_view list : {"containers", "initContainers"}) {
    for (const Value& container : pod_spec.at(list).items()) {
      if (list == "initContainers" && container.at("restartPolicy").as_string() != "Always") continue;
      for (const Value& port : container.at("ports").items()) {
        if (port.at("hostPort").as_int() == 0) continue;
        std::string_view protocol = port.at("protocol").as_string();
        std::string ip(port.at("hostIP").as_string());
        ports.push_back({ip == "0.0.0.0" ? "" : ip, std::string(protocol.empty() ? "TCP" : protocol),
                         port.at("hostPort").as_int()});
      }
    }
  }
  return ports;
}

}  // namespace stead::kinds
