#pragma once

// One informer per resource, shared by all that live on one loop. Belongs to that loop.

#include <map>
#include <memory>
#include <string>

#include "client/informer.h"

namespace stead::client {

class InformerSet {
 public:
  InformerSet(ApiTransport& transport, loop::Loop& loop) : transport_(transport), loop_(loop) {}

  // The informer of that resource, made at the first call, with the index "controller" (UID of the controlling
  // owner). Valid as long as this set. Before start().
  Informer& get(const ResourceRef& resource);
  // The same, with one more index. A second request for an index of that name is ignored.
  Informer& get(const ResourceRef& resource, const std::string& index, Informer::IndexFunction function);

  // Starts them all.
  void start();
  // Runs once, as soon as every informer has been listed.
  void when_synced(std::function<void()> then);

 private:
  struct Entry {
    std::unique_ptr<Informer> informer;
    std::map<std::string, bool> indexes;
  };
  Entry& entry(const ResourceRef& resource);

  ApiTransport& transport_;
  loop::Loop& loop_;
  std::map<std::pair<std::string, std::string>, Entry> entries_;
};

}  // namespace stead::client
