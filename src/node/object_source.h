#pragma once

// ObjectSource: live copies of just the objects that this node's pods refer to, one list-and-watch per object while
// somebody wants it (an agent may read no more than that). One loop.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/informer.h"

namespace stead::node {

class ObjectSource {
 public:
  ObjectSource(client::ApiTransport& transport, loop::Loop& loop) : transport_(transport), loop_(loop) {}

  // Keeps the object known until the returned handle dies; `changed` is posted whenever it is first known, changes
  // or goes. An empty name: all objects of the namespace. An empty namespace: cluster-wide.
  using Interest = std::shared_ptr<void>;
  Interest want(const std::string& resource, const std::string& ns, const std::string& name,
                std::function<void()> changed);

  // False while the first answer is outstanding, and for what nobody wants.
  bool known(const std::string& resource, const std::string& ns, const std::string& name) const;
  object::ObjectPtr find(const std::string& resource, const std::string& ns, const std::string& name) const;
  std::vector<object::ObjectPtr> list(const std::string& resource, const std::string& ns) const;

 private:
  struct Key {
    std::string resource, ns, name;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry;
  client::ApiTransport& transport_;
  loop::Loop& loop_;
  std::map<Key, std::weak_ptr<Entry>> entries_;
};

}  // namespace stead::node
