#pragma once

// The Cache that follows a Store. Objects and history change on the loop's thread, under the mutex; any thread reads
// under it, for as long as it takes to copy a pointer.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cache/cache.h"
#include "cache/field_index.h"
#include "cache/history.h"
#include "cache/subscribers.h"

namespace stead::cache {

class StoreCache final : public Cache {
 public:
  StoreCache(store::Store& store, loop::Loop& loop, CacheOptions options);
  ~StoreCache() override;

  // Reads everything and starts to follow.
  Result<void> load();

  Snapshot snapshot(std::string_view resource) const override;
  Snapshot snapshot(std::string_view resource, const FieldKey& key) override;
  int64_t revision() const override;
  Result<Snapshot> snapshot_at(std::string_view resource, int64_t revision) const override;
  Result<std::unique_ptr<Subscription>> subscribe(std::string_view resource, int64_t after,
                                                  std::shared_ptr<ChangeSink> sink,
                                                  std::optional<FieldKey> only) override;

 private:
  class Feed;
  class SubscriptionHandle;
  struct Resource {
    explicit Resource(History made) : history(std::move(made)) {}
    ObjectMap objects;
    History history;
    std::map<std::string, FieldIndex, std::less<>> indexes;  // by field
    Subscribers subscribers;                                 // loop thread
  };
  struct KeyedChange {
    std::string key;
    Change change;
    ObjectMap objects;  // after it
  };
  // In the order of appearance, so that one history is told in one order.
  using Batch = std::vector<std::pair<Resource*, std::vector<KeyedChange>>>;

  // The document of an event or entry as an object; null if it cannot be decoded (logged).
  ObjectPtr decode(const StoreKey& key, const store::KeyValue& entry, const std::shared_ptr<void>& attachment) const;
  Resource& resource(std::string_view name);
  const Resource* find(std::string_view name) const;

  // Loop thread.
  void apply(const std::vector<store::WatchEvent>& events);
  void add_change(const store::WatchEvent& event, Batch& batch);
  void publish(const Batch& batch, int64_t revision);
  void catch_up(Resource& resource, const std::shared_ptr<Subscriber>& subscriber);
  void end(const Error& error);

  store::Store& store_;
  loop::Loop& loop_;
  const CacheOptions options_;
  std::shared_ptr<StoreCache*> self_ = std::make_shared<StoreCache*>(this);  // posted tasks hold it weakly

  mutable std::mutex mutex_;  // guards the two below for threads other than the loop's
  std::map<std::string, std::unique_ptr<Resource>, std::less<>> resources_;
  int64_t revision_ = 0;

  int64_t loaded_revision_ = 0;
  std::optional<Error> ended_;  // loop thread
  std::unique_ptr<store::Watch> watch_;
};

}  // namespace stead::cache
