#pragma once

// Ends pods of nodes whose object is gone. Deleting a node object is a person's word that nothing runs there any more
// (or the cloud's), so those pods are removed without waiting for anyone to confirm. One loop.

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
  void end_pods(const std::string& node, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& pods_;
  client::Informer& nodes_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
