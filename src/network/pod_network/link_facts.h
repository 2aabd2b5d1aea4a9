#pragma once

// What this machine's links say about the way to other machines. Reads the kernel's tables; any thread.

#include <optional>
#include <string>
#include <vector>

namespace stead::network {

struct LinkAddress {
  std::string link;
  int index = 0;
  std::string address;  // IPv4
  int prefix = 32;
};

// The machine's IPv4 addresses, without those of the loopback.
std::vector<LinkAddress> link_addresses();

// The MTU of the link that holds `address`; Ethernet's 1500 if none does.
int mtu_towards(const std::string& address);

// The link whose subnet has `address`, the narrowest: it is reached without a router. Pure.
std::optional<LinkAddress> link_shared_with(const std::string& address, const std::vector<LinkAddress>& links);

}  // namespace stead::network
