#include "controllers/garbage/garbage_policy.h"

#include <algorithm>

#include "controllers/owner_references.h"
#include "controllers/requests.h"

namespace stead::controllers::garbage {
namespace {

constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kOrphan = "orphan";

bool has_finalizer(const Object& object, std::string_view finalizer) {
  std::span<const Value> all = object.metadata().at("finalizers").items();
  return std::any_of(all.begin(), all.end(), [&](const Value& one) { return one.as_string() == finalizer; });
}

client::Plan::Step remove_finalizer(const Member& member, std::string_view finalizer) {
  Value document = member.object->document();
  std::vector<Value>& all = document["metadata"]["finalizers"].mutable_items();
  std::erase_if(all, [&](const Value& one) { return one.as_string() == finalizer; });
  if (all.empty()) document["metadata"].erase("finalizers");
  return {.request = update_request(member.resource, std::move(document))};
}

client::Plan let_dependents_go(const Observed& observed) {
  client::Plan plan;
  for (const Member& dependent : observed.dependents) {
    plan.steps.push_back({.request = update_request(dependent.resource,
                                                    without_owner(*dependent.object, observed.subject.object->uid())),
                          .tolerated = {Reason::kNotFound}});
  }
  plan.steps.push_back(remove_finalizer(observed.subject, kOrphan));
  return plan;
}

client::Plan release_when_unblocked(const Observed& observed) {
  std::string_view uid = observed.subject.object->uid();
  bool blocked = std::any_of(observed.dependents.begin(), observed.dependents.end(), [&](const Member& dependent) {
    const Value* reference = reference_to(*dependent.object, uid);
    return reference != nullptr && reference->at("blockOwnerDeletion").as_bool();
  });
  client::Plan plan;
  if (!blocked) plan.steps.push_back(remove_finalizer(observed.subject, kForeground));
  return plan;
}

// Some owners live on: forget the others.
client::Plan drop_dead_references(const Observed& observed) {
  Value document = observed.subject.object->document();
  std::vector<Value> kept;
  std::span<const Value> owners = observed.subject.object->metadata().at("ownerReferences").items();
  for (size_t i = 0; i < owners.size(); ++i) {
    if (observed.owners[i] == OwnerState::kPresent) kept.push_back(owners[i]);
  }
  client::Plan plan;
  if (kept.size() == owners.size()) return plan;
  document["metadata"].set("ownerReferences", Value::array(std::move(kept)));
  plan.steps.push_back({.request = update_request(observed.subject.resource, std::move(document))});
  return plan;
}

// Objects that own each other in a circle would wait for each other for ever: this one blocks its owners no longer.
std::optional<client::Plan> break_circle(const Observed& observed) {
  bool circle = std::any_of(observed.dependents.begin(), observed.dependents.end(),
                            [](const Member& dependent) { return deletes_in_foreground(*dependent.object); });
  if (!circle) return std::nullopt;
  Value document = observed.subject.object->document();
  bool blocks = false;
  for (Value& owner : document["metadata"]["ownerReferences"].mutable_items()) {
    blocks = blocks || owner.at("blockOwnerDeletion").as_bool();
    owner.set("blockOwnerDeletion", false);
  }
  if (!blocks) return std::nullopt;
  // Its change brings the next decision.
  client::Plan plan;
  plan.steps.push_back(
      {.request = update_request(observed.subject.resource, std::move(document)), .tolerated = {Reason::kNotFound}});
  return plan;
}

}  // namespace

bool deletes_in_foreground(const Object& object) { return object.deleting() && has_finalizer(object, kForeground); }
bool orphans_dependents(const Object& object) { return object.deleting() && has_finalizer(object, kOrphan); }

client::Plan decide(const Observed& observed) {
  const Object& subject = *observed.subject.object;
  if (orphans_dependents(subject)) return let_dependents_go(observed);
  if (deletes_in_foreground(subject)) return release_when_unblocked(observed);
  if (subject.deleting() || observed.owners.empty()) return {};
  auto any = [&](OwnerState state) {
    return std::find(observed.owners.begin(), observed.owners.end(), state) != observed.owners.end();
  };
  if (any(OwnerState::kPresent)) return drop_dead_references(observed);
  if (observed.must_wait) return {};
  client::Request request = delete_request(observed.subject.resource, subject);
  // What an owner in the foreground waits for has to wait for its own dependents too.
  bool in_foreground = any(OwnerState::kWaitsForDependents) && !observed.dependents.empty();
  if (has_finalizer(subject, kOrphan)) {
    request.body.set("propagationPolicy", "Orphan");
  } else if (auto breaking = in_foreground ? break_circle(observed) : std::nullopt) {
    return std::move(*breaking);
  } else if (in_foreground || has_finalizer(subject, kForeground)) {
    request.body.set("propagationPolicy", "Foreground");
  }
  client::Plan plan;
  plan.steps.push_back({.request = std::move(request), .tolerated = {Reason::kNotFound}});
  return plan;
}

}  // namespace stead::controllers::garbage
