#pragma once

// Wires mirror_policy to the API. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"

namespace stead::controllers {

class EndpointsMirrorController {
 public:
  // All references outlive this. Before informers.start().
  EndpointsMirrorController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                            client::InformerSet& informers);
  void start();

 private:
  void work(const std::string& key, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& services_;
  client::Informer& endpoints_;
  client::Informer& slices_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
