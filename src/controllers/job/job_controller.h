#pragma once

// Wires job_policy to the API. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "controllers/expectations.h"
#include "controllers/job/job_policy.h"

namespace stead::controllers {

class JobController {
 public:
  // All references outlive this. Before informers.start().
  JobController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                client::InformerSet& informers);
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  void job_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void pod_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void enqueue_owner(const object::Object& pod);
  // The Job that controls the pod, if it is still there.
  client::ObjectPtr job_of(const object::Object& pod) const;

  void work(const std::string& key, client::WorkQueue::Finish finish);
  void apply(const client::ObjectPtr& job, job::Decision decision, client::WorkQueue::Finish finish);
  // After status has been written: lets pods go, ends and makes others.
  void change_pods(const client::ObjectPtr& job, job::Decision decision, client::WorkQueue::Finish finish);
  // Frees a pod whose Job is gone.
  void work_orphan(const std::string& key, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& jobs_;
  client::Informer& pods_;
  std::shared_ptr<Expectations> expectations_;
  std::map<std::string, job::Backoff> backoffs_;  // by the Job's UID
  client::WorkQueue queue_;
  client::WorkQueue orphans_;
};

}  // namespace stead::controllers
