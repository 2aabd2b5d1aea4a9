#pragma once

// Wires autoscaler_policy to the API: the scale of the target, its pods, and what they use. One loop.

#include <map>
#include <string>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "controllers/autoscaling/autoscaler_policy.h"
#include "controllers/served_resource.h"

namespace stead::controllers {

class AutoscalerController {
 public:
  // All references outlive this. Before informers.start(). `resources` are those that can be targets.
  AutoscalerController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                       client::InformerSet& informers, std::vector<ServedResource> resources);
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  struct Run;
  using RunPtr = std::shared_ptr<Run>;
  void work(const std::string& key, client::WorkQueue::Finish finish);
  void scale_read(const RunPtr& run, const Result<client::Response>& response);
  void metrics_read(const RunPtr& run, Result<client::Response> response);
  void scale_written(const RunPtr& run, const Result<client::Response>& response);
  void write_status(const RunPtr& run, autoscaling::Decision decision);
  Result<client::Request> scale_request(const object::Object& autoscaler, client::Verb verb) const;

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  const std::vector<ServedResource> resources_;
  client::Informer& autoscalers_;
  client::Informer& pods_;
  std::map<std::string, autoscaling::History> histories_;  // by uid
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
