#pragma once

// Gives each node that has none its range of the pod addresses (spec.podCIDR, spec.podCIDRs), and with it its role: a
// node cannot label itself with one (NodeRestriction). Nodes that bring a range keep it. Where no range is free, an
// event on the node says so, and a node's removal makes the others look again. One loop.

#include <map>
#include <string>

#include "base/ipv4_range.h"
#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"

namespace stead::controllers {

class NodeRangeController {
 public:
  // All references outlive this. `pod_cidr` empty: nodes are left alone. `control_plane`: the node on the server's own
  // machine, if there is one; the others are workers. Before informers.start().
  NodeRangeController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                      client::InformerSet& informers, const std::string& pod_cidr, std::string control_plane);
  void start();

 private:
  // Given, though the informer may not show it yet.
  struct Given {
    std::string uid;
    Ipv4Range range;
  };
  void work(const std::string& name, client::WorkQueue::Finish finish);
  std::vector<Ipv4Range> taken() const;

  const std::string control_plane_;
  client::ApiTransport& transport_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  const std::optional<Ipv4Range> cluster_;
  client::Informer& nodes_;
  std::map<std::string, Given> given_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
