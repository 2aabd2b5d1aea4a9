#pragma once

// What must hold, whatever people do and whatever breaks; and what must come about once nothing breaks any more.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "simulation/cluster.h"

namespace stead::simulation {

//   at every step   no two containers of different pods (uids) with the same namespace and name run anywhere;
//                   a pod of an OrderedReady set is first made only after each lower ordinal was Ready once;
//                   a claim, once made, is neither deleted nor marked for it (no workload asks for that)
//   in the end      every set has exactly its pods, all Ready, of its newest revision, each running in one place, and
//                   the runtimes run nothing else
class Invariants final : public cache::ChangeSink {
 public:
  // `cluster` outlives this.
  static std::shared_ptr<Invariants> watch(Cluster& cluster);

  // To be called after every step; false as soon as anything was violated.
  bool check();
  // What was violated first; empty: nothing.
  const std::string& violation() const { return violation_; }
  // What is not yet as it should be in the end; empty: nothing.
  std::string unsettled();
  // Of everything that happened to pods and claims, in order: equal histories, equal digests.
  uint64_t digest() const { return digest_; }

  void on_changes(const std::vector<cache::Change>& changes) override;
  void on_end(Error error) override { violate("the cache ended: " + error.message); }

 private:
  explicit Invariants(Cluster& cluster) : cluster_(cluster) {}
  void violate(const std::string& what);
  void pod_changed(const cache::Change& change);
  void check_order(const object::Object& pod);
  std::string unsettled_set(const object::Object& set);
  std::string unsettled_runtimes();

  Cluster& cluster_;
  std::vector<std::unique_ptr<cache::Subscription>> subscriptions_;
  std::string violation_;
  uint64_t digest_ = 0;
  uint64_t starts_seen_ = 0;
  // By uid of the set: ordinals that were Ready once.
  std::map<std::string, std::set<int>> ready_once_;
};

}  // namespace stead::simulation
