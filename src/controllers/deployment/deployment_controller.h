#pragma once

// Wires deployment_policy to the API. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "controllers/deployment/deployment_policy.h"

namespace stead::controllers {

class DeploymentController {
 public:
  // All references outlive this. Before informers.start().
  DeploymentController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                       client::InformerSet& informers);
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  void set_changed(const object::Object& set);
  void pod_gone(const object::Object& pod);
  std::optional<deployment::Observed> observe(const std::string& key) const;
  void work(const std::string& key, client::WorkQueue::Finish finish);
  void report_failure(const client::ObjectPtr& deployment, const std::string& set, client::Outcome outcome,
                      client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& deployments_;
  client::Informer& sets_;
  client::Informer& pods_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
