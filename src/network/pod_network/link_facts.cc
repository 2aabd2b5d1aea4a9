#include "network/pod_network/link_facts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <bit>
#include <cstring>
#include <memory>

namespace stead::network {
namespace {

constexpr int kEthernetMtu = 1500;

std::optional<uint32_t> number(const std::string& address) {
  in_addr parsed{};
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1) return std::nullopt;
  return ntohl(parsed.s_addr);
}

}  // namespace

std::vector<LinkAddress> link_addresses() {
  std::vector<LinkAddress> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  for (ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET || entry->ifa_netmask == nullptr) continue;
    if ((entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(entry->ifa_addr)->sin_addr, text, sizeof text);
    uint32_t mask = ntohl(reinterpret_cast<sockaddr_in*>(entry->ifa_netmask)->sin_addr.s_addr);
    found.push_back({entry->ifa_name, static_cast<int>(if_nametoindex(entry->ifa_name)), text, std::popcount(mask)});
  }
  return found;
}

int mtu_towards(const std::string& address) {
  for (const LinkAddress& link : link_addresses()) {
    if (link.address != address) continue;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strncpy(request.ifr_name, link.link.c_str(), IFNAMSIZ - 1);
    bool told = fd >= 0 && ioctl(fd, SIOCGIFMTU, &request) == 0;
    if (fd >= 0) close(fd);
    return told ? request.ifr_mtu : kEthernetMtu;
  }
  return kEthernetMtu;
}

std::optional<LinkAddress> link_shared_with(const std::string& address, const std::vector<LinkAddress>& links) {
  std::optional<uint32_t> wanted = number(address);
  if (!wanted) return std::nullopt;
  std::optional<LinkAddress> best;
  for (const LinkAddress& link : links) {
    std::optional<uint32_t> own = number(link.address);
    if (!own || link.prefix < 1 || link.prefix > 31) continue;
    uint32_t mask = ~uint32_t{0} << (32 - link.prefix);
    if ((*own & mask) != (*wanted & mask)) continue;
    if (!best || best->prefix < link.prefix) best = link;
  }
  return best;
}

}  // namespace stead::network
