#pragma once

// Wires cronjob_policy to the API. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "controllers/cronjob/cronjob_policy.h"

namespace stead::controllers {

class CronJobController {
 public:
  // All references outlive this. Before informers.start().
  CronJobController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                    client::InformerSet& informers);
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  void enqueue_owner(const object::Object& job);
  void work(const std::string& key, client::WorkQueue::Finish finish);
  void create_job(const client::ObjectPtr& cron_job, cronjob::Decision decision, client::WorkQueue::Finish finish);
  void write_status(const client::ObjectPtr& cron_job, object::Value status, std::optional<Duration> look_again,
                    client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& cron_jobs_;
  client::Informer& jobs_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
