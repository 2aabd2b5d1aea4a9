#pragma once

// FakeApi: an API server in a few lines, for tests of what lives on an ApiTransport. Holds documents by resource,
// raises resourceVersions, keeps optimistic concurrency, UID preconditions, finalizers and graceful deletion of pods;
// knows no defaults, validation or selectors. Tests reach around the API with put() and remove().

#include <algorithm>
#include <functional>
#include <list>
#include <map>
#include <string>

#include "client/informer.h"
#include "client/transport.h"
#include "loop/loop.h"
#include "object/time.h"

namespace stead::client {

class FakeApi final : public ApiTransport {
 public:
  explicit FakeApi(loop::Loop& loop) : loop_(loop) {}

  using Resource = std::pair<std::string, std::string>;
  // May answer a call with an error instead.
  std::function<std::optional<Error>(const Request&)> fault;
  // Every call but lists, in order.
  std::vector<Request> calls;

  ObjectPtr get(const ResourceRef& resource, const std::string& key) const {
    auto kind = objects_.find({resource.group, resource.resource});
    if (kind == objects_.end()) return nullptr;
    auto found = kind->second.find(key);
    return found == kind->second.end() ? nullptr : found->second;
  }
  std::vector<ObjectPtr> list(const ResourceRef& resource) const {
    std::vector<ObjectPtr> all;
    auto kind = objects_.find({resource.group, resource.resource});
    if (kind == objects_.end()) return all;
    for (const auto& [key, object] : kind->second) all.push_back(object);
    return all;
  }
  // Creates or replaces, past every rule.
  ObjectPtr put(const ResourceRef& resource, Value document) {
    return store({resource.group, resource.resource}, std::move(document));
  }
  void change(const ResourceRef& resource, const std::string& key, const std::function<void(Value&)>& edit) {
    ObjectPtr old = get(resource, key);
    if (!old) return;
    Value document = old->document();
    edit(document);
    put(resource, std::move(document));
  }
  void remove(const ResourceRef& resource, const std::string& key) { erase({resource.group, resource.resource}, key); }

  void call(Request request, Callback done) override {
    if (request.verb != Verb::kList) calls.push_back(request);
    std::optional<Error> failed = fault ? fault(request) : std::nullopt;
    Result<Response> response = failed ? Result<Response>(*failed) : answer(request);
    loop_.post([done = std::move(done), response = std::move(response)] { done(response); });
  }

  std::unique_ptr<Watch> watch(Request request, std::shared_ptr<WatchSink> sink) override {
    Resource resource{request.group, request.resource};
    auto id = ++next_watch_;
    watchers_[id] = {resource, sink};
    std::vector<WatchEvent> missed;
    for (const auto& [at, event] : history_) {
      if (at == resource && event.revision > std::stoll(request.resource_version)) missed.push_back(event);
    }
    if (!missed.empty()) send(id, std::move(missed));
    return std::make_unique<FakeWatch>(*this, id);
  }

 private:
  struct FakeWatch final : Watch {
    FakeWatch(FakeApi& the_api, int64_t the_id) : api(the_api), id(the_id) {}
    ~FakeWatch() override { api.watchers_.erase(id); }
    FakeApi& api;
    int64_t id;
  };
  struct Watcher {
    Resource resource;
    std::shared_ptr<WatchSink> sink;
  };

  Result<Response> answer(Request& request) {
    Resource resource{request.group, request.resource};
    std::string key = object_key(request.ns, request.name);
    auto& kind = objects_[resource];
    Response response;
    if (request.verb == Verb::kList) {
      for (const auto& [name, object] : kind) response.items.push_back(object);
      response.revision = revision_;
      return response;
    }
    if (request.verb == Verb::kCreate && request.subresource.empty()) return create(resource, std::move(request.body));
    auto found = kind.find(key);
    if (found == kind.end()) return make_error(Reason::kNotFound, request.resource + " \"" + key + "\" not found");
    const ObjectPtr old = found->second;
    if (request.subresource == "binding") {
      Value document = old->document();
      document.set({"spec", "nodeName"}, request.body.at({"target", "name"}));
      response.object = store(resource, std::move(document));
      return response;
    }
    switch (request.verb) {
      case Verb::kGet:
        response.object = old;
        return response;
      case Verb::kUpdate:
        return update(resource, *old, std::move(request));
      case Verb::kPatch: {
        Value document = old->document();
        merge(document, request.body, request.patch_type == PatchType::kStrategicMerge);
        response.object = settle(resource, std::move(document));
        return response;
      }
      case Verb::kDelete:
        return remove_by_request(resource, *old, request);
      default:
        return make_error(Reason::kNotImplemented, "not in FakeApi");
    }
  }

  Result<Response> create(const Resource& resource, Value body) {
    Value& metadata = body["metadata"];
    if (metadata.at("name").as_string().empty()) {
      metadata.set("name", std::string(metadata.at("generateName").as_string()) + std::to_string(++generated_));
    }
    std::string key = object_key(metadata.at("namespace").as_string(), metadata.at("name").as_string());
    if (objects_[resource].contains(key)) return make_error(Reason::kAlreadyExists, key + " already exists");
    if (resource.second == "pods" && body.at({"status", "phase"}).is_null()) body.set({"status", "phase"}, "Pending");
    Response response;
    response.created = true;
    response.object = store(resource, std::move(body));
    return response;
  }

  Result<Response> update(const Resource& resource, const object::Object& old, Request request) {
    std::string_view expected = request.body.at({"metadata", "resourceVersion"}).as_string();
    if (!expected.empty() && expected != std::to_string(old.revision())) {
      return make_error(Reason::kConflict, "the object has been modified");
    }
    Value document = std::move(request.body);
    if (request.subresource == "status") {
      Value whole = old.document();
      whole.set("status", document.at("status"));
      whole.set("metadata", document.at("metadata"));  // annotations may come with a status
      document = std::move(whole);
    }
    Response response;
    response.object = settle(resource, std::move(document));
    return response;
  }

  // Stores, or removes what only waited for its last finalizer.
  ObjectPtr settle(const Resource& resource, Value document) {
    bool was_waiting = false;
    std::string key =
        object_key(document.at({"metadata", "namespace"}).as_string(), document.at({"metadata", "name"}).as_string());
    if (auto old = objects_[resource].find(key); old != objects_[resource].end()) {
      was_waiting = !old->second->metadata().at("finalizers").empty();
    }
    bool free = document.at({"metadata", "finalizers"}).empty();
    bool deleting = !document.at({"metadata", "deletionTimestamp"}).is_null();
    ObjectPtr stored = store(resource, std::move(document));
    if (was_waiting && free && deleting) erase(resource, key);
    return stored;
  }

  Result<Response> remove_by_request(const Resource& resource, const object::Object& old, const Request& request) {
    std::string_view uid = request.body.at({"preconditions", "uid"}).as_string();
    if (!uid.empty() && uid != old.uid()) return make_error(Reason::kConflict, "the UID in the precondition differs");
    const Value* grace = request.body.find("gracePeriodSeconds");
    bool forced = grace != nullptr && grace->as_int() == 0;
    bool graceful = resource.second == "pods" && !old.spec().at("nodeName").as_string().empty() && !forced;
    Value document = old.document();
    std::string_view propagation = request.body.at("propagationPolicy").as_string();
    if (propagation == "Foreground") document["metadata"]["finalizers"].append("foregroundDeletion");
    if (propagation == "Orphan") document["metadata"]["finalizers"].append("orphan");
    Response response;
    if (!graceful && document.at({"metadata", "finalizers"}).empty()) {
      response.deleted = true;
      response.object = objects_[resource][object_key(old)];
      erase(resource, object_key(old));
      return response;
    }
    if (!old.deleting()) document.set({"metadata", "deletionTimestamp"}, object::format_time(loop_.wall_now()));
    response.object = store(resource, std::move(document));
    return response;
  }

  // Of strategic merge only what status writers use: conditions merge by type, and the directives.
  static void merge(Value& target, const Value& patch, bool strategic) {
    for (const object::Member& member : patch.members()) {
      if (member.value.is_null()) {
        if (target.is_object()) target.erase(member.name());
      } else if (member.value.is_object()) {
        merge(target[member.name()], member.value, strategic);
      } else if (strategic && member.value.is_array()) {
        merge_list(target[member.name()], member.value, member.name() == "conditions");
      } else {
        target.set(member.name(), member.value);
      }
    }
  }

  static void merge_list(Value& target, const Value& patch, bool by_type) {
    if (!by_type || target.is_null()) target = Value::array();
    for (const Value& item : patch.items()) {
      if (item.at("$patch").as_string() == "delete") {
        std::erase_if(target.mutable_items(), [&](const Value& old) { return old.at("type") == item.at("type"); });
      }
      if (!item.at("$patch").is_null()) continue;
      Value* known = nullptr;
      for (Value& old : target.mutable_items()) {
        if (by_type && old.at("type") == item.at("type")) known = &old;
      }
      merge(known != nullptr ? *known : target.append(Value::object()), item, true);
      if (known == nullptr && !item.is_object()) target.mutable_items().back() = item;
    }
  }

  ObjectPtr store(const Resource& resource, Value document) {
    Value& metadata = document["metadata"];
    if (metadata.at("uid").is_null()) metadata.set("uid", "uid-" + std::to_string(++next_uid_));
    if (metadata.at("creationTimestamp").is_null()) {
      metadata.set("creationTimestamp", object::format_time(loop_.wall_now()));
    }
    metadata.set("resourceVersion", std::to_string(++revision_));
    ObjectPtr stored = object::make_object(std::move(document), revision_);
    ObjectPtr& slot = objects_[resource][object_key(*stored)];
    publish(resource, slot ? WatchEvent::Type::kModified : WatchEvent::Type::kAdded, stored);
    return slot = stored;
  }

  void erase(const Resource& resource, const std::string& key) {
    auto& kind = objects_[resource];
    auto found = kind.find(key);
    if (found == kind.end()) return;
    ObjectPtr last = found->second;
    kind.erase(found);
    ++revision_;
    publish(resource, WatchEvent::Type::kDeleted, last);
  }

  void publish(const Resource& resource, WatchEvent::Type type, const ObjectPtr& object) {
    WatchEvent event{type, object, revision_};
    history_.emplace_back(resource, event);
    if (history_.size() > kHistoryMax) history_.pop_front();
    for (const auto& [id, watcher] : watchers_) {
      if (watcher.resource == resource) send(id, {event});
    }
  }

  void send(int64_t id, std::vector<WatchEvent> events) {
    loop_.post([this, id, events = std::move(events)] {
      auto found = watchers_.find(id);
      if (found == watchers_.end()) return;
      auto sink = found->second.sink;
      sink->on_events(events);
    });
  }

  static constexpr size_t kHistoryMax = 10000;
  loop::Loop& loop_;
  std::map<Resource, std::map<std::string, ObjectPtr>> objects_;
  std::map<int64_t, Watcher> watchers_;
  std::list<std::pair<Resource, WatchEvent>> history_;
  int64_t next_watch_ = 0;
  int64_t revision_ = 0;
  int64_t next_uid_ = 0;
  int64_t generated_ = 0;
};

}  // namespace stead::client
