#pragma once

// Keeps status of ResourceQuotas. One loop.

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/plan.h"
#include "client/work_queue.h"
#include "controllers/custom_resources.h"
#include "controllers/served_resource.h"

namespace stead::controllers {

// spec.hard, and what `objects` (of a quota's namespace) use of each of its amounts. Pure.
struct CountedObjects {
  client::ResourceRef resource;
  std::vector<client::ObjectPtr> objects;
};
object::Value quota_status(const object::Object& quota, const std::vector<CountedObjects>& objects);

class QuotaController {
 public:
  // All references outlive this. Before informers.start().
  QuotaController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                  client::InformerSet& informers, const std::vector<ServedResource>& resources);
  // Counts the objects of kinds that users declare, too. Before informers.start().
  void follow(CustomResources& custom);
  // Work begins once the informers are synced. Call once.
  void start();

 private:
  void object_changed(const client::ObjectPtr& before, const client::ObjectPtr& after);
  void forget(const ServedResource& resource);
  // Those quotas that count objects of the resource.
  void add_quotas_of(const client::ResourceRef& resource, std::string_view ns);
  void work(const std::string& key, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  client::Informer& quotas_;
  std::vector<std::pair<client::ResourceRef, client::Informer*>> counted_;
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
