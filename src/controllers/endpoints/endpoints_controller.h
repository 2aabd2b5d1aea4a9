#pragma once

// Wires slice_policy and endpoints_policy to the API. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/plan.h"
#include "client/work_queue.h"

namespace stead::controllers {

class EndpointsController {
 public:
  // All references outlive this. Before informers.start().
  EndpointsController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                      client::InformerSet& informers);
  void start();

 private:
  void pod_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void enqueue(const std::string& key);
  std::vector<client::ObjectPtr> pods_of(const object::Object& service) const;
  void work_slices(const std::string& key, client::WorkQueue::Finish finish);
  void work_endpoints(const std::string& key, client::WorkQueue::Finish finish);
  void apply(client::Plan plan, size_t pods, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& services_;
  client::Informer& pods_;
  client::Informer& nodes_;
  client::Informer& slices_;
  client::Informer& endpoints_;
  client::WorkQueue slice_queue_;
  client::WorkQueue endpoints_queue_;
};

}  // namespace stead::controllers
