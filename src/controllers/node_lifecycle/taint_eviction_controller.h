#pragma once

// Applies eviction_policy to the pods of nodes with NoExecute taints. One loop.

#include <map>
#include <string>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"

namespace stead::controllers {

class TaintEvictionController {
 public:
  // All references outlive this. Before informers.start().
  TaintEvictionController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                          client::InformerSet& informers);
  void start();

 private:
  void node_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void pod_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void note_taints(const object::Object& node);
  void work(const std::string& key, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& nodes_;
  client::Informer& pods_;
  // By node, then key of the taint: when a NoExecute taint was first seen.
  std::map<std::string, std::map<std::string, WallTime, std::less<>>> seen_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
