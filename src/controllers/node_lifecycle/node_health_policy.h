#pragma once

// What a node's heartbeats, or their absence, make of its conditions and taints (Kubernetes' "Nodes" concept page,
// section "Node controller", and "Taints and Tolerations"). Pure.
//
//   Ready ──no heartbeat for the grace period──▶ Unknown ──heartbeat──▶ Ready
//     taints:  Unknown ▶ unreachable, False ▶ not-ready, each NoSchedule at once and NoExecute when the zone allows
//
// Heartbeats are timed by the clock of whoever hears them: clocks of nodes may be wrong.

#include <optional>

#include "base/clock.h"
#include "client/transport.h"
#include "object/object.h"

namespace stead::controllers::node_lifecycle {

using object::Object;
using object::ObjectPtr;
using object::Value;

struct Options {
  Duration grace = std::chrono::seconds(50);          // --node-monitor-grace-period
  Duration startup_grace = std::chrono::seconds(60);  // for a node that has never reported
};

// Nodes of one zone, or of all, by whether they are ready.
struct Health {
  size_t ready = 0;
  size_t not_ready = 0;
};

// How long after one node of the zone got its NoExecute taint the next may; nullopt: not at all for now.
std::optional<Duration> eviction_interval(const Health& zone);
// Whether not one node is ready: then the fault is assumed to be here, and nobody is evicted.
bool is_all_lost(const Health& cluster);

// "region:zone" from the well-known labels.
std::string zone_of(const Object& node);
bool is_ready(const Object& node);
// The Ready condition's status: "True", "False", "Unknown"; empty where the node has never reported.
std::string_view ready_status(const Object& node);

struct Observed {
  ObjectPtr node;
  Instant heard{};         // when its last heartbeat came, or it was first seen
  bool all_lost = false;   // is_all_lost()
  bool may_evict = false;  // its zone allows one more NoExecute taint
};

struct Decision {
  std::optional<client::Request> update;  // of the conditions, or else of the taints
  bool evicts = false;                    // the update adds a NoExecute taint that was not there
  bool waits_to_evict = false;            // it would, if the zone allowed
  std::optional<Duration> look_again;     // when silence will have lasted too long
};

Decision decide(const Observed& observed, const Options& options, Instant now, WallTime wall_now);

}  // namespace stead::controllers::node_lifecycle
