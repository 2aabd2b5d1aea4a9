#pragma once

// Informer: a live copy of one resource's objects (a set of pointers into the one copy), kept by list and watch,
// with indexes. Belongs to one loop; all calls and callbacks on it. After any error it lists again, with
// exponential back-off between 100 ms and 30 s.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "client/transport.h"
#include "loop/loop.h"

namespace stead::client {

struct ResourceRef {
  std::string group;
  std::string resource;
};

// "ns/name", or "name" for cluster-scoped objects.
std::string object_key(std::string_view ns, std::string_view name);
std::string object_key(const object::Object& object);

class Informer {
 public:
  using IndexFunction = std::function<std::vector<std::string>(const object::Object&)>;
  // `before` is null for an added object, `after` for a deleted one.
  using ChangeHandler = std::function<void(const ObjectPtr& before, const ObjectPtr& after)>;

  Informer(ApiTransport& transport, loop::Loop& loop, ResourceRef resource, std::string field_selector = {},
           std::string label_selector = {}, std::string ns = {});
  ~Informer();

  // Before start().
  void add_index(const std::string& name, IndexFunction function);
  void on_change(ChangeHandler handler);
  void start();

  // Whether the first list has been delivered (handlers were called for each of its objects).
  bool synced() const;
  // Runs once, as soon as synced() holds.
  void when_synced(std::function<void()> then);

  ObjectPtr get(std::string_view key) const;  // nullptr if unknown
  ObjectPtr get(std::string_view ns, std::string_view name) const;
  // In key order.
  std::vector<ObjectPtr> list() const;
  std::vector<ObjectPtr> list_namespace(std::string_view ns) const;
  std::vector<ObjectPtr> by_index(const std::string& index, const std::string& value) const;
  size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Common index functions.
std::vector<std::string> index_by_controller_uid(const object::Object& object);  // uid of the controller owner
std::vector<std::string> index_by_node(const object::Object& object);            // spec.nodeName

}  // namespace stead::client
