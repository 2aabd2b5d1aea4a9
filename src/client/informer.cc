#include "client/informer.h"

#include <algorithm>
#include <set>

#include "base/log.h"

namespace stead::client {
namespace {

constexpr Duration kRetryFirst = std::chrono::milliseconds(100);
constexpr Duration kRetryMax = std::chrono::seconds(30);

}  // namespace

std::string object_key(std::string_view ns, std::string_view name) {
  if (ns.empty()) return std::string(name);
  std::string key;
  key.reserve(ns.size() + 1 + name.size());
  key.append(ns).append("/").append(name);
  return key;
}

std::string object_key(const object::Object& object) { return object_key(object.ns(), object.name()); }

//   listing ──ok──▶ watching ──error──▶ waiting ──back-off──▶ listing
struct Informer::State : std::enable_shared_from_this<Informer::State> {
  struct Sink final : WatchSink {
    explicit Sink(std::weak_ptr<State> the_state, uint64_t the_generation)
        : state(std::move(the_state)), generation(the_generation) {}
    void on_events(std::vector<WatchEvent> events) override {
      auto self = state.lock();
      if (self && self->generation == generation) self->apply(std::move(events));
    }
    void on_end(Error error) override {
      auto self = state.lock();
      if (self && self->generation == generation) self->retry(error);
    }
    std::weak_ptr<State> state;
    uint64_t generation;
  };

  struct Index {
    std::string name;
    IndexFunction function;
    std::map<std::string, std::map<std::string, ObjectPtr>, std::less<>> entries;
  };

  State(ApiTransport& the_transport, loop::Loop& the_loop, Request the_request)
      : transport(the_transport), loop(the_loop), request(std::move(the_request)) {}

  ApiTransport& transport;
  loop::Loop& loop;
  Request request;
  uint64_t generation = 0;  // of the list-and-watch in progress; older answers are ignored
  std::unique_ptr<Watch> watch;
  Duration retry_delay = kRetryFirst;
  bool synced = false;
  bool closed = false;
  std::map<std::string, ObjectPtr, std::less<>> objects;
  std::vector<Index> indexes;
  std::vector<ChangeHandler> handlers;
  std::vector<std::function<void()>> when_synced;

  void list() {
    if (closed) return;
    ++generation;
    Request list_request = request;
    list_request.verb = Verb::kList;
    transport.call(std::move(list_request),
                   [weak = weak_from_this(), expected = generation](Result<Response> response) {
                     auto self = weak.lock();
                     if (!self || self->closed || self->generation != expected) return;
                     if (!response.ok()) {
                       self->retry(response.error());
                     } else {
                       self->replace(std::move(*response));
                     }
                   });
  }

  void replace(Response response) {
    std::set<std::string, std::less<>> gone;
    for (const auto& [key, object] : objects) gone.insert(key);
    for (ObjectPtr& object : response.items) {
      std::string key = object_key(*object);
      gone.erase(key);
      put(key, std::move(object));
    }
    for (const std::string& key : gone) remove(key);
    retry_delay = kRetryFirst;
    Request watch_request = request;
    watch_request.verb = Verb::kWatch;
    watch_request.resource_version = std::to_string(response.revision);
    watch = transport.watch(std::move(watch_request), std::make_shared<Sink>(weak_from_this(), generation));
    if (!synced) {
      synced = true;
      auto waiting = std::move(when_synced);
      when_synced.clear();
      for (auto& then : waiting) then();
    }
  }

  void apply(std::vector<WatchEvent> events) {
    for (WatchEvent& event : events) {
      if (closed) return;
      if (event.type == WatchEvent::Type::kBookmark || !event.object) continue;
      std::string key = object_key(*event.object);
      if (event.type == WatchEvent::Type::kDeleted) {
        remove(key);
      } else {
        put(key, std::move(event.object));
      }
    }
  }

  void put(const std::string& key, ObjectPtr object) {
    ObjectPtr& slot = objects[key];
    if (slot == object || (slot && slot->revision() == object->revision() && slot->uid() == object->uid())) return;
    ObjectPtr before = slot;
    slot = object;
    reindex(key, before, object);
    for (auto& handler : handlers) handler(before, object);
  }

  void remove(const std::string& key) {
    auto found = objects.find(key);
    if (found == objects.end()) return;
    ObjectPtr before = std::move(found->second);
    objects.erase(found);
    reindex(key, before, nullptr);
    for (auto& handler : handlers) handler(before, nullptr);
  }

  void reindex(const std::string& key, const ObjectPtr& before, const ObjectPtr& after) {
    for (Index& index : indexes) {
      if (before) {
        for (const std::string& value : index.function(*before)) {
          auto entry = index.entries.find(value);
          if (entry == index.entries.end()) continue;
          entry->second.erase(key);
          if (entry->second.empty()) index.entries.erase(entry);
        }
      }
      if (after) {
        for (const std::string& value : index.function(*after)) index.entries[value][key] = after;
      }
    }
  }

  void retry(const Error& error) {
    ++generation;
    watch.reset();
    log::debug("informer", "{}/{}: {}; listing again in {} ms", request.group, request.resource, error.message,
               retry_delay.count() / 1000);
    // An expired watch is the normal end of one that fell behind: no back-off for the first try.
    Duration delay = error.reason == Reason::kExpired && retry_delay == kRetryFirst ? Duration(0) : retry_delay;
    retry_delay = std::min(retry_delay * 2, kRetryMax);
    loop.call_after(delay, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->list();
    });
  }
};

Informer::Informer(ApiTransport& transport, loop::Loop& loop, ResourceRef resource, std::string field_selector,
                   std::string label_selector, std::string ns) {
  Request request;
  request.group = std::move(resource.group);
  request.resource = std::move(resource.resource);
  request.field_selector = std::move(field_selector);
  request.label_selector = std::move(label_selector);
  request.ns = std::move(ns);
  state_ = std::make_shared<State>(transport, loop, std::move(request));
}

Informer::~Informer() {
  state_->closed = true;
  state_->watch.reset();
}

void Informer::add_index(const std::string& name, IndexFunction function) {
  state_->indexes.push_back({name, std::move(function), {}});
}

void Informer::on_change(ChangeHandler handler) {
  // A late subscriber of a shared informer starts from what is there.
  for (const auto& [key, object] : state_->objects) handler(nullptr, object);
  state_->handlers.push_back(std::move(handler));
}

void Informer::start() { state_->list(); }

bool Informer::synced() const { return state_->synced; }

void Informer::when_synced(std::function<void()> then) {
  if (state_->synced) {
    then();
  } else {
    state_->when_synced.push_back(std::move(then));
  }
}

ObjectPtr Informer::get(std::string_view key) const {
  auto found = state_->objects.find(key);
  return found == state_->objects.end() ? nullptr : found->second;
}

ObjectPtr Informer::get(std::string_view ns, std::string_view name) const { return get(object_key(ns, name)); }

std::vector<ObjectPtr> Informer::list() const {
  std::vector<ObjectPtr> all;
  all.reserve(state_->objects.size());
  for (const auto& [key, object] : state_->objects) all.push_back(object);
  return all;
}

std::vector<ObjectPtr> Informer::list_namespace(std::string_view ns) const {
  std::vector<ObjectPtr> found;
  std::string prefix = std::string(ns) + "/";
  for (auto at = state_->objects.lower_bound(prefix); at != state_->objects.end() && at->first.starts_with(prefix);
       ++at) {
    found.push_back(at->second);
  }
  return found;
}

std::vector<ObjectPtr> Informer::by_index(const std::string& index, const std::string& value) const {
  std::vector<ObjectPtr> found;
  for (const State::Index& candidate : state_->indexes) {
    if (candidate.name != index) continue;
    auto entry = candidate.entries.find(value);
    if (entry == candidate.entries.end()) break;
    for (const auto& [key, object] : entry->second) found.push_back(object);
  }
  return found;
}

size_t Informer::size() const { return state_->objects.size(); }

std::vector<std::string> index_by_controller_uid(const object::Object& object) {
  for (const Value& owner : object.metadata().at("ownerReferences").items()) {
    if (owner.at("controller").as_bool()) return {std::string(owner.at("uid").as_string())};
  }
  return {};
}

std::vector<std::string> index_by_node(const object::Object& object) {
  std::string_view node = object.spec().at("nodeName").as_string();
  if (node.empty()) return {};
  return {std::string(node)};
}

}  // namespace stead::client
