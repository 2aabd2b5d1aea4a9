#pragma once

// The one copy of every object. Fed by the store's watch, in revision order; read by the API server's verbs, and
// through it by everything else. Belongs to one loop (the API's); snapshots may be read anywhere.
//
//   store ──watch──▶ Cache ──▶ per-resource persistent map (a snapshot is one pointer)
//                        └──▶ history ring ──▶ watchers, each a bounded buffer read by its owner
//
// Order, which the API server relies on instead of waiting: the store hands the events of a write to the cache before
// it calls the write back, and the cache posts them to its loop at once. A write's callback that posts its
// continuation to the same loop therefore runs it when the cache holds the write. What waits on the loop is
// bounded by the writes in flight, since each is acknowledged only after its event was posted.
//
// Keys: an object lives under prefix + "<group>/<plural>/" + its key, "<namespace>/<name>" or "<name>". The core
// group is the empty one, so that a pod is "/registry//pods/default/web-0" and every resource string is what stands
// before the second slash: "apps/statefulsets", "/pods".
//
// A write's attachment, where set, is a std::shared_ptr<object::Value>: the document just written, not shared with
// anybody. The cache moves it out and publishes it, so that what this process wrote is never decoded.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cache/persistent_map.h"
#include "loop/loop.h"
#include "object/object.h"
#include "store/store.h"

namespace stead::cache {

using object::ObjectPtr;
using ObjectMap = PersistentMap<ObjectPtr>;  // by "ns/name", or "name" for cluster-scoped objects

struct Snapshot {
  ObjectMap objects;
  int64_t revision = 0;  // the store's revision this is true for
};

struct Change {
  int64_t revision = 0;
  ObjectPtr before;  // null: added
  ObjectPtr after;   // null: deleted; `before` then carries the deletion's revision in `last`
  ObjectPtr last;    // deletions: the last state with resourceVersion set to the deletion's revision
};

// One field with one value: what a reader or subscriber is about, where that is known.
struct FieldKey {
  std::string field;  // "spec.nodeName"
  std::string value;
  // The field's text in an object; the same function wherever `field` is the same for a resource. Pure, any thread.
  std::function<std::string(const object::Object&)> read;
};

// Gets changes on the cache's loop, in order. Must not block.
class ChangeSink {
 public:
  virtual ~ChangeSink() = default;
  virtual void on_changes(const std::vector<Change>& changes) = 0;
  // The subscription is over. kExpired: the history ran past it; kUnavailable: the store ended the cache's watch.
  virtual void on_end(Error error) = 0;
};

// Ends the subscription when destroyed: no further call reaches the sink. Loop thread; not after the cache is gone.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

struct CacheOptions {
  std::string prefix = "/registry/";
  size_t history_max = 20'000;         // changes kept per resource for watches from an older revision
  size_t history_bytes_max = 8 << 20;  // and the documents they keep alive, at most
  // Makes a document of stored bytes; default: plain JSON. Must be callable from the loop's and open()'s thread.
  std::function<Result<object::Value>(std::string_view resource, std::string_view bytes)> decode;
};

// The parts of a store key behind `prefix`; nullopt if it is not of the layout above.
struct StoreKey {
  std::string_view resource;  // "<group>/<plural>"
  std::string_view key;       // "<namespace>/<name>" or "<name>"
};
std::optional<StoreKey> split_store_key(std::string_view prefix, std::string_view store_key);

class Cache {
 public:
  // Reads all of `prefix` from the store and follows it from there. `loop` is where changes are applied.
  // Blocks for the store. Documents that cannot be decoded are logged and left out. The caller owns `store` and `loop`;
  // both must outlive the cache, which is destroyed on the loop's thread or when the loop has stopped.
  static Result<std::unique_ptr<Cache>> open(store::Store& store, loop::Loop& loop, CacheOptions options = {});
  virtual ~Cache() = default;

  // `resource` is "<group>/<plural>", e.g. "apps/statefulsets", "/pods". Any thread.
  virtual Snapshot snapshot(std::string_view resource) const = 0;
  // Only the objects whose field has that value. The first call for a field visits every object of the resource, from
  // then on an index is kept. Any thread.
  virtual Snapshot snapshot(std::string_view resource, const FieldKey& key) = 0;
  ObjectPtr get(std::string_view resource, std::string_view key) const;
  // Newest revision applied. Any thread.
  virtual int64_t revision() const = 0;
  // As it was at `revision`, rebuilt from the history; never waits. kExpired if that is gone, kBadRequest if in the
  // future. Any thread.
  virtual Result<Snapshot> snapshot_at(std::string_view resource, int64_t revision) const = 0;

  // Changes with revision > after; the first call comes after this returns. kExpired if the history does not reach back
  // so far. With `only`, changes may be left out where the field has that value neither before nor after; a change
  // costs nothing for those left out, however many they are. Loop thread.
  virtual Result<std::unique_ptr<Subscription>> subscribe(std::string_view resource, int64_t after,
                                                          std::shared_ptr<ChangeSink> sink,
                                                          std::optional<FieldKey> only = {}) = 0;

  // The store's key of an object.
  std::string store_key(std::string_view resource, std::string_view key) const {
    return prefix_ + std::string(resource) + "/" + std::string(key);
  }

 protected:
  std::string prefix_;
};

}  // namespace stead::cache
