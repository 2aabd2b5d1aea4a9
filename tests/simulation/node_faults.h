#pragma once

// What befalls nodes, and what people then do: one random thing at a time, each for a while.

#include <map>
#include <set>
#include <string>

#include "simulation/cluster.h"

namespace stead::simulation {

//   a machine is   well ──▶ crashed | frozen | cut off (both ways, or one) | lossy | without node part ──▶ well
//   a person       deletes pods, forces one, deletes the node object or taints it as out of service, while it is lost
//   the server     restarts
class NodeFaults {
 public:
  // `cluster` outlives this.
  explicit NodeFaults(Cluster& cluster) : cluster_(cluster) {}

  // Lets one thing happen, and ends those whose time is over. Tells what it did, for the trace.
  std::string step();
  // Everything is well again.
  void mend_all();

  // Uids of pods that a person has vouched for: what of them still runs somewhere is this person's fault.
  const std::set<std::string>& vouched() const { return vouched_; }

 private:
  enum class Kind : uint8_t { kCrash, kFreeze, kCut, kCutOut, kCutIn, kLoss, kNoNode };
  struct Fault {
    Kind kind;
    Instant until;
  };

  std::string strike(Machine& machine);
  void mend(Machine& machine);
  std::string give_up(Machine& machine);
  std::string force_pod_on(const Machine& machine);
  void set_out_of_service(const Machine& machine, bool out);
  std::string delete_pod();
  void vouch_for_all_on(Machine& machine);

  Cluster& cluster_;
  std::map<size_t, Fault> faults_;  // by index of the machine
  std::set<std::string> vouched_;
};

}  // namespace stead::simulation
