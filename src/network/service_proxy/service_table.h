#pragma once

// ServiceTable: the Services and EndpointSlices there are, and from them the next change to the kernel's rules. Only
// services touched since the last change are looked at again. Pure; one thread.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "network/service_proxy/rule_set.h"
#include "network/service_proxy/service_rules.h"

namespace stead::network::service_proxy {

struct TableOptions {
  std::string node_name;                   // whose endpoints are local
  std::vector<std::string> own_addresses;  // services that this process serves itself: left alone
};

struct Change {
  std::string commands;   // for nftables, one transaction; may be empty
  UdpFronts stale_flows;  // fronts whose remembered flows must go, but for those to these targets
  bool empty() const { return commands.empty() && stale_flows.empty(); }
};

class ServiceTable {
 public:
  ServiceTable(TableOptions options, std::string frame) : options_(std::move(options)), rules_(std::move(frame)) {}

  // Either may be null: added, changed, deleted.
  void apply_service(const object::ObjectPtr& before, const object::ObjectPtr& after);
  void apply_endpoint_slice(const object::ObjectPtr& before, const object::ObjectPtr& after);

  // What brings the kernel up to date; from then on it counts as up to date.
  Change take_change();
  // The kernel's state is unknown: the next change makes everything anew.
  void forget();

 private:
  struct Service {
    ServiceSpec spec;
    std::map<std::string, Targets> slots;  // by port
  };
  void refresh(const std::string& key, UdpFronts& stale);
  std::vector<const SliceSpec*> slices_of(const std::string& key) const;
  std::vector<Targets> settle_targets(Service& service) const;

  TableOptions options_;
  RuleSet rules_;
  std::map<std::string, Service> services_;
  std::map<std::string, SliceSpec> slices_;
  std::map<std::string, std::set<std::string>> slices_by_service_;
  std::map<std::string, UdpFronts> udp_;  // by service, as last taken
  std::set<std::string> touched_;
};

}  // namespace stead::network::service_proxy
