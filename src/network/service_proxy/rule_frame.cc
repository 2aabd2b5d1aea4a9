#include "network/service_proxy/rule_frame.h"

#include <fmt/format.h>

#include "network/service_proxy/rule_set.h"
#include "network/service_proxy/service_model.h"

namespace stead::network::service_proxy {
namespace {

// An anonymous set of ranges or addresses. An empty one is no syntax: the unspecified address never matches.
template <class Canonical>
Result<std::string> set_text(const std::vector<std::string>& items, Canonical canonical, const char* what) {
  std::string text;
  for (const std::string& item : items) {
    auto known = canonical(item);
    if (!known) return make_error(Reason::kBadRequest, fmt::format("\"{}\" is no IPv4 {}", item, what));
    text += (text.empty() ? "" : ", ") + *known;
  }
  return "{ " + (text.empty() ? "0.0.0.0" : text) + " }";
}

constexpr char kMaps[] = R"(
  map addresses { type ipv4_addr . inet_proto . inet_service : verdict; }
  map outside_addresses { type ipv4_addr . inet_proto . inet_service : verdict; }
  map node_ports { type inet_proto . inet_service : verdict; }
  map outside_node_ports { type inet_proto . inet_service : verdict; }
  map guarded_addresses { type ipv4_addr . inet_proto . inet_service : verdict; }
  set masqueraded_addresses { type ipv4_addr . inet_proto . inet_service; }
  set masqueraded_node_ports { type inet_proto . inet_service; }
  set unserved_addresses { type ipv4_addr . inet_proto . inet_service; }
  set unserved_node_ports { type inet_proto . inet_service; }
  set self_pairs { type ipv4_addr . ipv4_addr; }
)";

// Front and slot to target. The modulus only gives the slot its type. For each protocol its own, because version 1.0.6
// of libnftables cannot read back a type that says "th dport".
constexpr char kTargetMaps[] = R"(
  map address_{0}_targets {{ typeof ip daddr . {0} dport . numgen random mod 65536 : ip daddr . {0} dport; }}
  map outside_address_{0}_targets {{ typeof ip daddr . {0} dport . numgen random mod 65536 : ip daddr . {0} dport; }}
  map node_port_{0}_targets {{ typeof {0} dport . numgen random mod 65536 : ip daddr . {0} dport; }}
  map outside_node_port_{0}_targets {{ typeof {0} dport . numgen random mod 65536 : ip daddr . {0} dport; }}
)";

// 0x4000 is the bit that Kubernetes' own proxy marks with; it is taken off again before the packet leaves.
constexpr char kChains[] = R"(
  chain find_service {{
    ip daddr {own} return
    ip daddr . meta l4proto . th dport @masqueraded_addresses meta mark set meta mark or 0x4000
    ip daddr . meta l4proto . th dport vmap @addresses
    fib daddr type local jump find_node_port
  }}
  chain find_node_port {{
    meta l4proto . th dport @masqueraded_node_ports meta mark set meta mark or 0x4000
    meta l4proto . th dport vmap @node_ports
  }}
  chain from_outside {{
    ip daddr . meta l4proto . th dport vmap @outside_addresses
    fib daddr type local meta l4proto . th dport vmap @outside_node_ports
  }}
  chain refuse {{
    meta l4proto tcp reject with tcp reset
    reject with icmp type port-unreachable
  }}
  chain refuse_unserved {{
    ct state {{ established, related }} return
    ip daddr {own} return
    ip daddr . meta l4proto . th dport @unserved_addresses goto refuse
    fib daddr type local meta l4proto . th dport @unserved_node_ports goto refuse
    ip daddr {services} goto refuse
  }}
)";

// While the program restarts, nobody listens on its own addresses: a question to the name server shall be asked again
// then, as after any loss, and not fail at once.
// A node port is reached on the loopback address too: its replies come from a pod, so route_localnet must be on, and
// then the network must be kept from reaching loopback addresses (CVE-2020-8558) and the reverse.
constexpr char kHooks[] = R"(
  chain nat_prerouting {{
    type nat hook prerouting priority -100; policy accept;
    ip saddr != {pods} fib saddr type != local jump from_outside
    jump find_service
  }}
  chain nat_output {{
    type nat hook output priority -100; policy accept;
    jump find_service
  }}
  chain nat_postrouting {{
    type nat hook postrouting priority 100; policy accept;
    ct status and dnat == 0 ip saddr 127.0.0.0/8 oifname != "lo" drop
    ct status and dnat == 0 return
    meta mark and 0x4000 != 0 meta mark set meta mark xor 0x4000 masquerade
    ip saddr . ip daddr @self_pairs masquerade
    ip saddr 127.0.0.0/8 oifname != "lo" masquerade
    ct original ip daddr {services} ip saddr != {pods} fib saddr type != local masquerade
  }}
  chain guard_loopback {{
    type filter hook prerouting priority -300; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
  }}
  chain guard_sources {{
    type filter hook prerouting priority -110; policy accept;
    ct state new ip daddr . meta l4proto . th dport vmap @guarded_addresses
  }}
  chain filter_input {{ type filter hook input priority 0; policy accept; jump refuse_unserved; }}
  chain filter_forward {{ type filter hook forward priority 0; policy accept; jump refuse_unserved; }}
  chain filter_output {{
    type filter hook output priority 0; policy accept;
    ip saddr {own} icmp type destination-unreachable icmp code port-unreachable drop
    jump refuse_unserved
  }}
)";

}  // namespace

Result<std::string> rule_frame(const FrameOptions& options) {
  STEAD_TRY(pods, set_text(options.pod_cidrs, canonical_range, "range"));
  STEAD_TRY(services, set_text(options.service_cidrs, canonical_range, "range"));
  STEAD_TRY(own, set_text(options.own_addresses, canonical_address, "address"));
  // Adding before deleting makes the deletion succeed whether the table was there or not.
  std::string text = fmt::format("add table {0}\ndelete table {0}\ntable {0} {{", kTable) + kMaps;
  for (const char* protocol : {"tcp", "udp", "sctp"}) text += fmt::format(kTargetMaps, protocol);
  return text + fmt::format(kChains, fmt::arg("own", own), fmt::arg("services", services)) +
         fmt::format(kHooks, fmt::arg("pods", pods), fmt::arg("services", services), fmt::arg("own", own)) + "}\n";
}

}  // namespace stead::network::service_proxy
