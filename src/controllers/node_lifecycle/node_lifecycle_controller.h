#pragma once

// Hears the heartbeats of nodes and applies node_health_policy. One loop.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/plan.h"
#include "client/work_queue.h"
#include "controllers/node_lifecycle/node_health_policy.h"

namespace stead::controllers {

class NodeLifecycleController {
 public:
  // All references outlive this. Before informers.start().
  NodeLifecycleController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                          client::InformerSet& informers, node_lifecycle::Options options);
  void start();

 private:
  void node_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void lease_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void count(const object::Object& node, int change);
  void work(const std::string& name, client::WorkQueue::Finish finish);
  std::vector<client::Plan> mark_pods(const object::Object& node) const;

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  const node_lifecycle::Options options_;
  client::Informer& nodes_;
  client::Informer& leases_;
  client::Informer& pods_;
  std::map<std::string, Instant, std::less<>> heard_;  // by node
  std::map<std::string, node_lifecycle::Health> zones_;
  node_lifecycle::Health all_;
  std::set<std::string> not_ready_;
  // When the zone's last NoExecute taint was given.
  std::map<std::string, Instant> evicted_;
  // By node: the time of the transition for which its pods have been marked.
  std::map<std::string, std::string> marked_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
