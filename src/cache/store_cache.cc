#include "cache/store_cache.h"

#include <algorithm>

#include "base/log.h"
#include "object/apply/field_set.h"
#include "object/codec.h"

namespace stead::cache {
namespace {

constexpr size_t kLoadPage = 500;  // entries read from the store at once: bounds the bytes in flight

Result<object::Value> decode_json(std::string_view, std::string_view bytes) {
  STEAD_TRY(document, object::parse_json(bytes));
  object::share_managed_fields(document);
  return document;
}

// `document` as stored under `revision`; kInternal if it has no metadata.
Result<ObjectPtr> publishable(object::Value document, int64_t revision) {
  object::Value* metadata = document.is_object() ? document.find("metadata") : nullptr;
  if (metadata == nullptr || !metadata->is_object()) return make_error(Reason::kInternal, "no metadata");
  metadata->set("resourceVersion", std::to_string(revision));
  return object::make_object(std::move(document), revision);
}

}  // namespace

// Receives on the store's thread and posts; ends before the cache does.
class StoreCache::Feed final : public store::WatchSink {
 public:
  Feed(loop::Loop& loop, std::weak_ptr<StoreCache*> cache) : loop_(loop), cache_(std::move(cache)) {}

  void on_events(std::vector<store::WatchEvent> events) override {
    auto shared = std::make_shared<std::vector<store::WatchEvent>>(std::move(events));
    loop_.post([cache = cache_, shared] {
      if (auto alive = cache.lock()) (*alive)->apply(*shared);
    });
  }
  void on_end(Error error) override {
    loop_.post([cache = cache_, error = std::move(error)] {
      if (auto alive = cache.lock()) (*alive)->end(error);
    });
  }

 private:
  loop::Loop& loop_;
  std::weak_ptr<StoreCache*> cache_;
};

class StoreCache::SubscriptionHandle final : public Subscription {
 public:
  SubscriptionHandle(std::weak_ptr<StoreCache*> cache, Subscribers& all, std::shared_ptr<Subscriber> subscriber)
      : cache_(std::move(cache)), all_(all), subscriber_(std::move(subscriber)) {}
  ~SubscriptionHandle() override {
    // Also for a delivery that is under way.
    subscriber_->sink.reset();
    if (!cache_.expired()) all_.remove(subscriber_);
  }

 private:
  std::weak_ptr<StoreCache*> cache_;
  Subscribers& all_;
  std::shared_ptr<Subscriber> subscriber_;
};

StoreCache::StoreCache(store::Store& store, loop::Loop& loop, CacheOptions options)
    : store_(store), loop_(loop), options_([&] {
        if (!options.decode) options.decode = decode_json;
        return std::move(options);
      }()) {
  prefix_ = options_.prefix;
}

StoreCache::~StoreCache() {
  watch_.reset();
  self_.reset();
}

Result<void> StoreCache::load() {
  std::map<std::string, std::vector<std::pair<std::string, ObjectPtr>>, std::less<>> loaded;
  store::RangeRequest request;
  request.start = prefix_;
  request.end = store::prefix_end(prefix_);
  request.limit = kLoadPage;
  for (bool more = true; more;) {
    STEAD_TRY(page, store_.range(request));
    request.revision = page.revision;
    more = page.more;
    for (const store::KeyValue& entry : page.entries) {
      std::optional<StoreKey> key = split_store_key(prefix_, entry.key);
      if (!key) continue;
      ObjectPtr object = decode(*key, entry, nullptr);
      if (!object) continue;
      auto found = loaded.find(key->resource);
      if (found == loaded.end()) found = loaded.emplace(key->resource, 0).first;
      found->second.emplace_back(key->key, std::move(object));
    }
    if (!page.entries.empty()) request.start = page.entries.back().key + '\0';
  }
  loaded_revision_ = request.revision;
  for (auto& [name, entries] : loaded) resource(name).objects = ObjectMap::from_sorted(std::move(entries));
  revision_ = loaded_revision_;
  STEAD_TRY(watch, store_.watch(prefix_, loaded_revision_, std::make_shared<Feed>(loop_, self_)));
  watch_ = std::move(watch);
  return {};
}

ObjectPtr StoreCache::decode(const StoreKey& key, const store::KeyValue& entry,
                             const std::shared_ptr<void>& attachment) const {
  Result<object::Value> document = attachment ? std::move(*std::static_pointer_cast<object::Value>(attachment))
                                              : options_.decode(key.resource, *entry.value);
  Result<ObjectPtr> object = document.ok() ? publishable(std::move(document).value(), entry.mod_revision)
                                           : Result<ObjectPtr>(std::move(document).error());
  if (object.ok()) return *object;
  log::error("cache", "{} cannot be read and is left out: {}", entry.key, object.error().message);
  return nullptr;
}

const StoreCache::Resource* StoreCache::find(std::string_view name) const {
  auto found = resources_.find(name);
  return found == resources_.end() ? nullptr : found->second.get();
}

StoreCache::Resource& StoreCache::resource(std::string_view name) {
  std::lock_guard lock(mutex_);
  auto found = resources_.find(name);
  if (found != resources_.end()) return *found->second;
  History history(loaded_revision_, options_.history_max, options_.history_bytes_max);
  auto made = std::make_unique<Resource>(std::move(history));
  return *resources_.emplace(name, std::move(made)).first->second;
}

Snapshot StoreCache::snapshot(std::string_view resource) const {
  std::lock_guard lock(mutex_);
  const Resource* found = find(resource);
  return {found == nullptr ? ObjectMap() : found->objects, revision_};
}

int64_t StoreCache::revision() const {
  std::lock_guard lock(mutex_);
  return revision_;
}

Result<Snapshot> StoreCache::snapshot_at(std::string_view resource, int64_t revision) const {
  std::lock_guard lock(mutex_);
  if (revision > revision_) {
    return make_error(Reason::kBadRequest, "resource version " + std::to_string(revision) + " is in the future");
  }
  const Resource* found = find(resource);
  if (found != nullptr) {
    STEAD_TRY(objects, found->history.objects_at(revision, found->objects));
    return Snapshot{std::move(objects), revision};
  }
  STEAD_TRY(objects, History(loaded_revision_, 0, 0).objects_at(revision, {}));
  return Snapshot{std::move(objects), revision};
}

Snapshot StoreCache::snapshot(std::string_view resource, const FieldKey& key) {
  std::lock_guard lock(mutex_);
  auto found = resources_.find(resource);
  if (found == resources_.end()) return {{}, revision_};
  Resource& held = *found->second;
  auto index = held.indexes.find(key.field);
  if (index == held.indexes.end()) {
    index = held.indexes.emplace(key.field, FieldIndex(key.read, held.objects)).first;
  }
  return {index->second.with(key.value), revision_};
}

Result<std::unique_ptr<Subscription>> StoreCache::subscribe(std::string_view name, int64_t after,
                                                            std::shared_ptr<ChangeSink> sink,
                                                            std::optional<FieldKey> only) {
  STEAD_CHECK(loop_.in_loop());
  if (ended_) return *ended_;
  Resource& resource = this->resource(name);
  if (after < resource.history.floor()) return resource.history.changes_after(after).error();
  auto subscriber = std::make_shared<Subscriber>(Subscriber{after, std::move(sink), std::move(only)});
  resource.subscribers.add(subscriber);
  loop_.post([cache = std::weak_ptr<StoreCache*>(self_), &resource, subscriber] {
    if (auto alive = cache.lock()) (*alive)->catch_up(resource, subscriber);
  });
  return std::unique_ptr<Subscription>(
      std::make_unique<SubscriptionHandle>(self_, resource.subscribers, std::move(subscriber)));
}

void StoreCache::catch_up(Resource& resource, const std::shared_ptr<Subscriber>& subscriber) {
  std::shared_ptr<ChangeSink> sink = subscriber->sink;
  if (!sink) return;
  subscriber->caught_up = true;
  Result<std::vector<Change>> changes = resource.history.changes_after(subscriber->after);
  if (!changes.ok()) {
    subscriber->sink.reset();
    sink->on_end(changes.error());
  } else if (!changes->empty()) {
    sink->on_changes(*changes);
  }
}

void StoreCache::apply(const std::vector<store::WatchEvent>& events) {
  Batch batch;
  for (const store::WatchEvent& event : events) add_change(event, batch);
  publish(batch, events.back().entry.mod_revision);
}

void StoreCache::add_change(const store::WatchEvent& event, Batch& batch) {
  std::optional<StoreKey> key = split_store_key(prefix_, event.entry.key);
  if (!key) return;
  Resource& resource = this->resource(key->resource);
  auto known = std::find_if(batch.begin(), batch.end(), [&](const auto& part) { return part.first == &resource; });
  if (known == batch.end()) known = batch.insert(known, {&resource, {}});
  std::vector<KeyedChange>& changes = known->second;
  const ObjectMap& objects = changes.empty() ? resource.objects : changes.back().objects;
  const ObjectPtr* before = objects.find(key->key);
  KeyedChange made{std::string(key->key), {}, {}};
  made.change.revision = event.entry.mod_revision;
  if (before != nullptr) made.change.before = *before;
  if (event.type == store::WatchEvent::Type::kPut) {
    made.change.after = decode(*key, event.entry, event.attachment);
    if (!made.change.after) return;
    made.objects = objects.insert(made.key, made.change.after);
  } else {
    if (before == nullptr) return;  // it could not be decoded
    made.change.last = std::move(publishable((*before)->document(), event.entry.mod_revision)).value();
    made.objects = objects.erase(made.key);
  }
  changes.push_back(std::move(made));
}

void StoreCache::publish(const Batch& batch, int64_t revision) {
  {
    std::lock_guard lock(mutex_);
    for (const auto& [resource, changes] : batch) {
      if (changes.empty()) continue;
      resource->objects = changes.back().objects;
      for (const KeyedChange& made : changes) {
        resource->history.append(made.key, made.change, made.objects);
        for (auto& [field, index] : resource->indexes) index.apply(made.key, made.change);
      }
    }
    revision_ = revision;
  }
  for (const auto& [resource, changes] : batch) {
    std::vector<Change> told;
    for (const KeyedChange& made : changes) told.push_back(made.change);
    resource->subscribers.tell(told);
  }
}

void StoreCache::end(const Error& error) {
  log::error("cache", "no longer follows the store: {}", error.message);
  ended_ = error;
  for (const auto& [name, resource] : resources_) {
    for (const auto& subscriber : resource->subscribers.take()) {
      if (auto sink = std::exchange(subscriber->sink, nullptr)) sink->on_end(error);
    }
  }
}

}  // namespace stead::cache
