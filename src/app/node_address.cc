#include "app/node_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

namespace stead::app {
namespace {

struct LinkAddress {
  std::string link;
  std::string address;
};

// Links of our own never give the node its address.
bool is_ours(const std::string& link) { return link == "stead0" || link.starts_with("veth"); }

std::vector<LinkAddress> global_addresses() {
  std::vector<LinkAddress> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  for (ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    if ((entry->ifa_flags & IFF_LOOPBACK) != 0 || is_ours(entry->ifa_name)) continue;
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(entry->ifa_addr)->sin_addr, text, sizeof text);
    found.push_back({entry->ifa_name, text});
  }
  return found;
}

}  // namespace

std::string default_route_link() {
  std::ifstream routes("/proc/net/route");
  std::string line;
  std::getline(routes, line);
  while (std::getline(routes, line)) {
    std::istringstream fields(line);
    std::string link;
    std::string destination;
    fields >> link >> destination;
    if (destination == "00000000") return link;
  }
  return {};
}

Result<std::string> choose_node_address(const std::string& wanted) {
  std::vector<LinkAddress> all = global_addresses();
  if (!wanted.empty()) {
    for (const LinkAddress& candidate : all) {
      if (candidate.address == wanted) return wanted;
    }
    return make_error(Reason::kInvalid, fmt::format("--node-ip {}: no link of this machine has that address", wanted));
  }
  std::string link = default_route_link();
  for (const LinkAddress& candidate : all) {
    if (candidate.link == link) return candidate.address;
  }
  if (!all.empty()) return all.front().address;
  return make_error(Reason::kInvalid,
                    "this machine has no address that pods could reach; give a link one, or name it with --node-ip");
}

}  // namespace stead::app
