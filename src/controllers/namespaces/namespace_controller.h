#pragma once

// Wires namespace_policy to the API. One loop.

#include <string>
#include <vector>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"
#include "controllers/custom_resources.h"
#include "controllers/served_resource.h"

namespace stead::controllers {

class NamespaceController {
 public:
  // All references outlive this. `root_ca_pem` is what pods verify the API server with. Before informers.start().
  NamespaceController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                      client::InformerSet& informers, std::vector<ServedResource> resources, std::string root_ca_pem);
  // Those that come and go too. Before informers.start().
  void follow(CustomResources& custom);
  // Makes the standard namespaces at once, so that nothing that follows has to wait for them.
  void start();

 private:
  struct Source {
    client::ResourceRef resource;
    client::Informer* informer;
  };
  void add_source(const client::ResourceRef& resource, client::Informer& informer);
  // What namespaces in deletion hold may have become known.
  void reconsider_deleted();
  void work(const std::string& name, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  const std::string root_ca_pem_;
  client::Informer& namespaces_;
  client::Informer& service_accounts_;
  client::Informer& config_maps_;
  std::vector<Source> sources_;  // every namespaced resource
  client::WorkQueue queue_;
};

}  // namespace stead::controllers
