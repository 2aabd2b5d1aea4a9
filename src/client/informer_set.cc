#include "client/informer_set.h"

namespace stead::client {

InformerSet::Entry& InformerSet::entry(const ResourceRef& resource) {
  Entry& found = entries_[{resource.group, resource.resource}];
  if (!found.informer) {
    found.informer = std::make_unique<Informer>(transport_, loop_, resource);
    found.informer->add_index("controller", index_by_controller_uid);
    found.indexes["controller"] = true;
  }
  return found;
}

Informer& InformerSet::get(const ResourceRef& resource) { return *entry(resource).informer; }

Informer& InformerSet::get(const ResourceRef& resource, const std::string& index, Informer::IndexFunction function) {
  Entry& found = entry(resource);
  bool& known = found.indexes[index];
  if (!known) found.informer->add_index(index, std::move(function));
  known = true;
  return *found.informer;
}

void InformerSet::start() {
  for (auto& [resource, found] : entries_) found.informer->start();
}

void InformerSet::when_synced(std::function<void()> then) {
  auto waiting = std::make_shared<size_t>(entries_.size());
  auto shared_then = std::make_shared<std::function<void()>>(std::move(then));
  for (auto& [resource, found] : entries_) {
    found.informer->when_synced([waiting, shared_then] {
      if (--*waiting == 0) (*shared_then)();
    });
  }
}

}  // namespace stead::client
