#pragma once

// Wires statefulset_policy to the API. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "controllers/statefulset/statefulset_policy.h"

namespace stead::controllers {

class StatefulSetController {
 public:
  // All references outlive this. Before informers.start().
  StatefulSetController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                        client::InformerSet& informers);
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  void enqueue(const std::string& key);
  void pod_changed(const object::Object& pod);
  void claim_changed(const object::Object& claim);
  void revision_changed(const object::Object& revision);
  std::optional<statefulset::Observed> observe(const std::string& key) const;
  void work(const std::string& key, client::WorkQueue::Finish finish);
  void write_status(const std::string& key, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& sets_;
  client::Informer& pods_;
  client::Informer& claims_;
  client::Informer& revisions_;
  // Status has a queue of its own, so that counting pods never delays making them.
  client::WorkQueue work_queue_;
  client::WorkQueue status_queue_;
};

}  // namespace stead::controllers
