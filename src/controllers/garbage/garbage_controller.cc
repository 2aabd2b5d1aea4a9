#include "controllers/garbage/garbage_controller.h"

#include <algorithm>

#include "controllers/owner_references.h"
#include "controllers/requests.h"
#include "controllers/statefulset/identity.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 64;
constexpr size_t kUidsMax = 4096;

std::span<const Value> owners_of(const Object& object) { return object.metadata().at("ownerReferences").items(); }

std::string uid_of(const Value& owner) { return std::string(owner.at("uid").as_string()); }

bool is_set_of(const Value& owner) {
  return owner.at("controller").as_bool() && owner.at("kind").as_string() == "StatefulSet" &&
         owner.at("apiVersion").as_string().starts_with("apps/");
}

bool is_parallel(const Object& set) { return set.spec().at("podManagementPolicy").as_string() == "Parallel"; }

}  // namespace

void GarbageController::UidSet::insert(const std::string& uid) {
  if (!members_.insert(uid).second) return;
  order_.push_back(uid);
  if (order_.size() <= kUidsMax) return;
  members_.erase(order_.front());
  order_.pop_front();
}

GarbageController::GarbageController(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                                     client::InformerSet& informers, std::vector<ServedResource> resources)
    : transport_(transport),
      events_(events),
      informers_(informers),
      queue_(loop, "garbage", kWorkers, [this](auto& uid, auto finish) { work(uid, std::move(finish)); }) {
  for (const ServedResource& resource : resources) add_resource(resource, informers.get(resource.resource));
}

void GarbageController::follow(CustomResources& custom) {
  custom.listen(
      {[this](const ServedResource& resource, client::Informer& informer) { add_resource(resource, informer); },
       [this](const ServedResource& resource, client::Informer& informer) { remove_resource(resource, informer); }});
}

void GarbageController::add_resource(const ServedResource& resource, client::Informer& informer) {
  auto is_free = [](const ServedResource& place) { return place.kind.empty(); };
  auto place = std::find_if(resources_.begin(), resources_.end(), is_free);
  if (place == resources_.end()) place = resources_.emplace(resources_.end());
  *place = resource;
  auto index = static_cast<size_t>(place - resources_.begin());
  informer.on_change([this, index](const ObjectPtr& before, const ObjectPtr& after) { changed(index, before, after); });
}

// What is left in the informer went with the definition, though its end was not heard of.
void GarbageController::remove_resource(const ServedResource& resource, const client::Informer& informer) {
  for (const ObjectPtr& object : informer.list()) removed(object);
  for (ServedResource& place : resources_) {
    const bool same = place.resource.group == resource.resource.group &&
                      place.resource.resource == resource.resource.resource && place.kind == resource.kind;
    if (same) place = {};
  }
}

void GarbageController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void GarbageController::changed(size_t resource, const ObjectPtr& before, const ObjectPtr& after) {
  // A watch may skip from one object to another of the same name.
  bool replaced = before && after && before->uid() != after->uid();
  if (before && (replaced || !after)) removed(before);
  if (after) added_or_updated(resource, replaced ? nullptr : before, after);
}

void GarbageController::removed(const ObjectPtr& object) {
  std::string uid(object->uid());
  members_.erase(uid);
  for (const Value& owner : owners_of(*object)) {
    auto found = dependents_.find(uid_of(owner));
    if (found == dependents_.end()) continue;
    found->second.erase(uid);
    if (found->second.empty()) dependents_.erase(found);
  }
  gone_.insert(uid);
  if (object->document().at("kind").as_string() == "StatefulSet" && is_parallel(*object)) parallel_sets_.insert(uid);
  enqueue_dependents(uid);
  enqueue_waiting_owners(*object);
  enqueue_next_sibling(*object);
}

void GarbageController::added_or_updated(size_t resource, const ObjectPtr& before, const ObjectPtr& after) {
  std::string uid(after->uid());
  members_[uid] = {after, resources_[resource].resource};
  bool same_owners = before && before->metadata().at("ownerReferences") == after->metadata().at("ownerReferences");
  bool same_end = before && before->deleting() == after->deleting() &&
                  before->metadata().at("finalizers") == after->metadata().at("finalizers");
  if (same_owners && same_end) {
    // Waiting for us while something else of it changed: a write of ours may have met a conflict.
    if (garbage::orphans_dependents(*after) || garbage::deletes_in_foreground(*after)) queue_.add(uid);
    return;
  }
  if (before && !same_owners) {
    for (const Value& owner : owners_of(*before)) dependents_[uid_of(owner)].erase(uid);
    enqueue_waiting_owners(*before);
  }
  for (const Value& owner : owners_of(*after)) dependents_[uid_of(owner)].insert(uid);
  if (!owners_of(*after).empty() || after->deleting()) queue_.add(uid);
  if (after->deleting()) enqueue_dependents(uid);
  enqueue_waiting_owners(*after);
}

void GarbageController::enqueue_dependents(const std::string& uid) {
  auto found = dependents_.find(uid);
  if (found == dependents_.end()) return;
  for (const std::string& dependent : found->second) queue_.add(dependent);
}

void GarbageController::enqueue_waiting_owners(const Object& object) {
  for (const Value& owner : owners_of(object)) {
    auto found = members_.find(uid_of(owner));
    if (found != members_.end() && found->second.object->deleting()) queue_.add(found->first);
  }
}

void GarbageController::enqueue_next_sibling(const Object& pod) {
  const Value* owner = controller_of(pod);
  if (owner == nullptr || !is_set_of(*owner)) return;
  const garbage::Member* next = nullptr;
  auto found = dependents_.find(uid_of(*owner));
  if (found == dependents_.end()) return;
  for (const std::string& uid : found->second) {
    auto sibling = members_.find(uid);
    if (sibling == members_.end() || sibling->second.resource.resource != "pods") continue;
    if (next == nullptr || statefulset::ordinal_of(*sibling->second.object) > statefulset::ordinal_of(*next->object)) {
      next = &sibling->second;
    }
  }
  if (next != nullptr) queue_.add(std::string(next->object->uid()));
}

std::vector<garbage::Member> GarbageController::dependents_of(const std::string& uid) const {
  std::vector<garbage::Member> found;
  auto dependents = dependents_.find(uid);
  if (dependents == dependents_.end()) return found;
  for (const std::string& dependent : dependents->second) {
    auto member = members_.find(dependent);
    if (member != members_.end()) found.push_back(member->second);
  }
  return found;
}

const ServedResource* GarbageController::resource_of(const Value& owner) const {
  std::string_view version = owner.at("apiVersion").as_string();
  size_t slash = version.find('/');
  std::string_view group = slash == std::string_view::npos ? std::string_view() : version.substr(0, slash);
  for (const ServedResource& resource : resources_) {
    if (resource.kind.empty() || resource.kind != owner.at("kind").as_string()) continue;
    const auto& others = resource.other_groups;
    if (resource.resource.group == group || std::find(others.begin(), others.end(), group) != others.end()) {
      return &resource;
    }
  }
  return nullptr;
}

// Deleting a set ends its pods highest first, each after the one above is gone, unless it was a Parallel one.
bool GarbageController::must_wait(const garbage::Member& member, const Value& owner) const {
  if (member.resource.resource != "pods" || !is_set_of(owner)) return false;
  std::string set_uid = uid_of(owner);
  auto set = members_.find(set_uid);
  if (set != members_.end() ? is_parallel(*set->second.object) : parallel_sets_.contains(set_uid)) return false;
  int64_t ordinal = statefulset::ordinal_of(*member.object);
  auto siblings = dependents_.find(set_uid);
  if (siblings == dependents_.end()) return false;
  return std::any_of(siblings->second.begin(), siblings->second.end(), [&](const std::string& uid) {
    auto sibling = members_.find(uid);
    return sibling != members_.end() && sibling->second.resource.resource == "pods" &&
           statefulset::ordinal_of(*sibling->second.object) > ordinal;
  });
}

void GarbageController::work(const std::string& uid, client::WorkQueue::Finish finish) {
  auto found = members_.find(uid);
  if (found == members_.end()) return finish(client::Outcome::done());
  garbage::Observed observed;
  observed.subject = found->second;
  for (const Value& owner : owners_of(*observed.subject.object)) {
    std::string owner_uid = uid_of(owner);
    auto present = members_.find(owner_uid);
    garbage::OwnerState state = garbage::OwnerState::kPresent;
    if (present != members_.end()) {
      if (garbage::deletes_in_foreground(*present->second.object)) state = garbage::OwnerState::kWaitsForDependents;
    } else if (gone_.contains(owner_uid)) {
      state = garbage::OwnerState::kGone;
    } else if (const ServedResource* resource = resource_of(owner); resource != nullptr && !seen_.contains(owner_uid)) {
      // A namespaced owner of a cluster-scoped object cannot exist; upstream leaves such objects alone.
      bool possible = !resource->namespaced || !observed.subject.object->ns().empty();
      if (possible) return verify(uid, *observed.subject.object, owner, *resource, std::move(finish));
    }
    observed.owners.push_back(state);
    if (state != garbage::OwnerState::kPresent && must_wait(observed.subject, owner)) observed.must_wait = true;
  }
  observed.dependents = dependents_of(uid);
  client::apply_plan(transport_, events_, garbage::decide(observed), std::move(finish));
}

void GarbageController::verify(const std::string& uid, const Object& dependent, const Value& owner,
                               const ServedResource& resource, client::WorkQueue::Finish finish) {
  client::Request request;
  request.verb = client::Verb::kGet;
  request.group = resource.resource.group;
  request.resource = resource.resource.resource;
  if (resource.namespaced) request.ns = dependent.ns();
  request.name = owner.at("name").as_string();
  transport_.call(std::move(request), [this, uid, owner_uid = uid_of(owner),
                                       finish](const Result<client::Response>& response) {
    bool missing = response.ok() ? response->object->uid() != owner_uid : response.error().reason == Reason::kNotFound;
    if (!response.ok() && !missing) return finish(client::Outcome::failed(response.error()));
    (missing ? gone_ : seen_).insert(owner_uid);
    work(uid, finish);
  });
}

}  // namespace stead::controllers
