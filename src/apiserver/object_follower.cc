#include "apiserver/object_follower.h"

#include "base/log.h"

namespace stead::apiserver {

struct ObjectFollower::State : cache::ChangeSink, std::enable_shared_from_this<ObjectFollower::State> {
  State(cache::Cache& the_cache, loop::Loop& the_loop, std::string the_resource, Handler the_handler)
      : cache(the_cache), loop(the_loop), resource(std::move(the_resource)), handler(std::move(the_handler)) {}

  void on_changes(const std::vector<cache::Change>& changes) override {
    known = {};  // from here on changes say what was before them
    for (const cache::Change& change : changes) tell(change.before, change.after);
  }

  // The history ran past it: compare with what is there now. After kUnavailable the cache itself stands still.
  void on_end(Error error) override {
    if (error.reason != Reason::kExpired) return log::error("api", "{}: {}", resource, error.message);
    loop.post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->catch_up();
    });
  }

  void tell(const object::ObjectPtr& before, const object::ObjectPtr& after) {
    if (handler) handler(before, after);
  }

  void load() {
    cache::Snapshot snapshot = cache.snapshot(resource);
    known = snapshot.objects;
    revision = snapshot.revision;
    known.visit_from("", [&](const std::string&, const object::ObjectPtr& object) {
      tell(nullptr, object);
      return true;
    });
  }

  void catch_up() {
    cache::Snapshot snapshot = cache.snapshot(resource);
    known.visit_from("", [&](const std::string& key, const object::ObjectPtr& object) {
      if (snapshot.objects.find(key) == nullptr) tell(object, nullptr);
      return true;
    });
    snapshot.objects.visit_from("", [&](const std::string& key, const object::ObjectPtr& object) {
      const object::ObjectPtr* before = known.find(key);
      if (before == nullptr || *before != object) tell(before == nullptr ? nullptr : *before, object);
      return true;
    });
    known = snapshot.objects;
    revision = snapshot.revision;
    follow();
  }

  void follow() {
    Result<std::unique_ptr<cache::Subscription>> made = cache.subscribe(resource, revision, shared_from_this());
    if (!made.ok()) return on_end(made.error());
    subscription = std::move(*made);
  }

  cache::Cache& cache;
  loop::Loop& loop;
  const std::string resource;
  Handler handler;
  cache::ObjectMap known;
  int64_t revision = 0;
  std::unique_ptr<cache::Subscription> subscription;
};

ObjectFollower::ObjectFollower(cache::Cache& cache, loop::Loop& loop, std::string resource, Handler handler)
    : state_(std::make_shared<State>(cache, loop, std::move(resource), std::move(handler))) {
  state_->load();
  loop.post([weak = std::weak_ptr<State>(state_)] {
    if (auto self = weak.lock()) self->follow();
  });
}

ObjectFollower::~ObjectFollower() {
  state_->handler = nullptr;
  state_->subscription.reset();
}

}  // namespace stead::apiserver
