#pragma once

// Wires replicaset_policy to the API: for ReplicaSets, and for ReplicationControllers, which differ from them in the
// form of their selector alone. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "controllers/expectations.h"
#include "controllers/replicaset/replicaset_policy.h"
#include "controllers/requests.h"

namespace stead::controllers {

class ReplicaSetController {
 public:
  // All references outlive this. Before informers.start().
  ReplicaSetController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                       client::InformerSet& informers, const ResourceRef& resource, std::string kind);
  ReplicaSetController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                       client::InformerSet& informers)
      : ReplicaSetController(transport, loop, events, informers, kReplicaSets, "ReplicaSet") {}
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  void pod_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void enqueue_owner(const object::Object& pod);
  std::optional<replicaset::Observed> observe(const std::string& key) const;
  std::vector<client::ObjectPtr> related_pods(const object::Object& set) const;
  void work(const std::string& key, client::WorkQueue::Finish finish);
  // Counts and writes status after the pods have been seen to, and then finishes.
  void write_status(const std::string& key, std::optional<Error> failure, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  const std::string kind_;
  client::Informer& sets_;
  client::Informer& pods_;
  std::shared_ptr<Expectations> expectations_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
