#pragma once

// Removes the objects of pods that no node will ever end (upstream's pod garbage collector), on the word of a person:
//   - of nodes whose object is gone: who deletes a node says that nothing runs there any more;
//   - those that end on a node with the out-of-service taint that is not ready (KEP-2268): the same, before the node
//   goes.
// Also the oldest ended pods once there are more than a bound of them. One loop.

#include <set>
#include <string>
#include <vector>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"

namespace stead::controllers {

class LostPodsController {
 public:
  // All references outlive this. Before informers.start().
  LostPodsController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                     client::InformerSet& informers);
  void start();

 private:
  void work(const std::string& node, client::WorkQueue::Finish finish);
  void remove_pods(const std::vector<client::ObjectPtr>& pods, client::WorkQueue::Finish finish);
  void note_ended(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void remove_oldest(client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& pods_;
  client::Informer& nodes_;
  std::set<std::pair<std::string, std::string>> ended_;  // creation time and "ns/name" of pods that have ended
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
