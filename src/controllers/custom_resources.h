#pragma once

// Resources that CustomResourceDefinitions add while the program runs, each with an informer for as long as its
// definition is established. For controllers that look after all objects there are. One loop.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/informer_set.h"
#include "controllers/served_resource.h"

namespace stead::controllers {

class CustomResources {
 public:
  // All references outlive this. Before informers.start().
  CustomResources(client::ApiTransport& transport, loop::Loop& loop, client::InformerSet& informers);

  struct Listener {
    // The informer has not been started yet, and lives until `removed` has returned.
    std::function<void(const ServedResource& resource, client::Informer& informer)> added;
    std::function<void(const ServedResource& resource, client::Informer& informer)> removed;
  };
  // Before informers.start(). Called for each resource, now and later.
  void listen(Listener listener) { listeners_.push_back(std::move(listener)); }

 private:
  void add(const object::Object& definition);
  void remove(const std::string& name);

  client::ApiTransport& transport_;
  loop::Loop& loop_;
  std::vector<Listener> listeners_;
  struct Entry {
    ServedResource resource;
    std::unique_ptr<client::Informer> informer;
  };
  std::map<std::string, Entry> entries_;  // by the definition's name
};

}  // namespace stead::controllers
