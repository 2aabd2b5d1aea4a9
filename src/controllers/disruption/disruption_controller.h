#pragma once

// Wires disruption_policy to the API. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "controllers/disruption/disruption_policy.h"

namespace stead::controllers {

class DisruptionController {
 public:
  // All references outlive this. Before informers.start().
  DisruptionController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                       client::InformerSet& informers);
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  void enqueue_budgets_of(const object::Object& pod);
  Result<std::optional<disruption::Scale>> scale_of(const object::Object& pod) const;
  void work(const std::string& key, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& budgets_;
  client::Informer& pods_;
  client::Informer& replica_sets_;
  client::Informer& deployments_;
  client::Informer& stateful_sets_;
  client::Informer& replication_controllers_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
