#include "node/object_source.h"

#include <algorithm>

namespace stead::node {

struct ObjectSource::Entry : std::enable_shared_from_this<ObjectSource::Entry> {
  struct Subscriber {
    std::shared_ptr<Entry> entry;
    std::function<void()> changed;
  };

  Entry(client::ApiTransport& transport, loop::Loop& the_loop, const Key& key)
      : loop(the_loop),
        informer(transport, the_loop, {"", key.resource}, key.name.empty() ? "" : "metadata.name=" + key.name, {},
                 key.ns) {}

  // Posted, so that a subscriber may let go of the informer that is calling.
  void tell() {
    std::erase_if(subscribers, [](const auto& weak) { return weak.expired(); });
    for (const auto& weak : subscribers) {
      loop.post([weak] {
        if (auto subscriber = weak.lock()) subscriber->changed();
      });
    }
  }

  void start() {
    informer.on_change([this](const auto&, const auto&) {
      if (informer.synced()) tell();
    });
    informer.when_synced([this] { tell(); });
    informer.start();
  }

  loop::Loop& loop;
  client::Informer informer;
  std::vector<std::weak_ptr<Subscriber>> subscribers;
};

ObjectSource::Interest ObjectSource::want(const std::string& resource, const std::string& ns, const std::string& name,
                                          std::function<void()> changed) {
  Key key{resource, ns, name};
  std::erase_if(entries_, [](const auto& item) { return item.second.expired(); });
  std::shared_ptr<Entry> entry = entries_[key].lock();
  bool fresh = !entry;
  if (fresh) {
    entry = std::make_shared<Entry>(transport_, loop_, key);
    entries_[key] = entry;
  }
  auto subscriber = std::make_shared<Entry::Subscriber>(entry, std::move(changed));
  entry->subscribers.push_back(subscriber);
  if (fresh) entry->start();
  return subscriber;
}

bool ObjectSource::known(const std::string& resource, const std::string& ns, const std::string& name) const {
  auto found = entries_.find({resource, ns, name});
  auto entry = found == entries_.end() ? nullptr : found->second.lock();
  return entry && entry->informer.synced();
}

object::ObjectPtr ObjectSource::find(const std::string& resource, const std::string& ns,
                                     const std::string& name) const {
  auto found = entries_.find({resource, ns, name});
  auto entry = found == entries_.end() ? nullptr : found->second.lock();
  return entry ? entry->informer.get(ns, name) : nullptr;
}

std::vector<object::ObjectPtr> ObjectSource::list(const std::string& resource, const std::string& ns) const {
  auto found = entries_.find({resource, ns, ""});
  auto entry = found == entries_.end() ? nullptr : found->second.lock();
  return entry ? entry->informer.list_namespace(ns) : std::vector<object::ObjectPtr>{};
}

}  // namespace stead::node
