#include "network/service_proxy/target_policy.h"

#include <map>
#include <set>

namespace stead::network::service_proxy {
namespace {

// One target may stand in several slices while they are being rewritten: what any of them says counts.
struct Standing {
  bool ready = false;
  bool leaving = false;  // serves, though it terminates
  bool local = false;
};

std::vector<Target> select(const std::map<Target, Standing>& all, bool local_only) {
  std::vector<Target> ready;
  std::vector<Target> leaving;
  for (const auto& [target, standing] : all) {
    if (local_only && !standing.local) continue;
    if (standing.ready) ready.push_back(target);
    if (standing.leaving) leaving.push_back(target);
  }
  return ready.empty() ? leaving : ready;
}

}  // namespace

Targets choose_targets(const PortSpec& port, const std::vector<const SliceSpec*>& slices,
                       const std::string& node_name) {
  std::map<Target, Standing> all;
  for (const SliceSpec* slice : slices) {
    for (const PortSpec& offered : slice->ports) {
      if (offered.name != port.name || offered.protocol != port.protocol) continue;
      for (const EndpointSpec& endpoint : slice->endpoints) {
        Standing& standing = all[{endpoint.address, offered.port}];
        standing.ready |= endpoint.ready;
        standing.leaving |= endpoint.serving && endpoint.terminating;
        standing.local |= !node_name.empty() && endpoint.node == node_name;
      }
    }
  }
  return {select(all, false), select(all, true)};
}

std::vector<Target> assign_slots(const std::vector<Target>& previous, const std::vector<Target>& wanted) {
  std::set<Target> missing(wanted.begin(), wanted.end());
  std::vector<Target> slots;
  std::vector<size_t> holes;
  for (const Target& target : previous) {
    if (missing.erase(target) == 0) holes.push_back(slots.size());
    slots.push_back(target);
  }
  auto hole = holes.begin();
  for (const Target& target : missing) {
    if (hole != holes.end()) {
      slots[*hole++] = target;
    } else {
      slots.push_back(target);
    }
  }
  std::vector<size_t> open(hole, holes.end());
  // From the last hole on, so that what fills a hole is never itself a hole.
  for (auto at = open.rbegin(); at != open.rend(); ++at) {
    slots[*at] = slots.back();
    slots.pop_back();
  }
  return slots;
}

}  // namespace stead::network::service_proxy
