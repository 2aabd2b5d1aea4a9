#pragma once

// Finalizers that keep a claim while a pod uses it, and a volume while it is bound (KEP-498 "storage object in use
// protection"). One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/plan.h"
#include "client/work_queue.h"

namespace stead::controllers {

// The write that adds or removes the finalizer; an empty plan if all is well. Pure.
client::Plan decide_claim_protection(const client::ObjectPtr& claim, const std::vector<client::ObjectPtr>& pods);
client::Plan decide_volume_protection(const client::ObjectPtr& volume);

class ProtectionController {
 public:
  // All references outlive this. Before informers.start().
  ProtectionController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                       client::InformerSet& informers);
  void start();

 private:
  client::InformerSet& informers_;
  client::WorkQueue claim_queue_;
  client::WorkQueue volume_queue_;
};

}  // namespace stead::controllers
