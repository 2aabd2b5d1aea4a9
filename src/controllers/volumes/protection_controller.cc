#include "controllers/volumes/protection_controller.h"

#include <algorithm>

#include "controllers/requests.h"
#include "controllers/volumes/binding_controller.h"
#include "controllers/volumes/names.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 16;

bool has_finalizer(const object::Object& object, std::string_view finalizer) {
  std::span<const Value> all = object.metadata().at("finalizers").items();
  return std::any_of(all.begin(), all.end(), [&](const Value& one) { return one.as_string() == finalizer; });
}

client::Plan protect(const ResourceRef& resource, const object::Object& object, std::string_view finalizer,
                     bool in_use) {
  client::Plan plan;
  bool present = has_finalizer(object, finalizer);
  Value document = object.document();
  if (!object.deleting() && !present) {
    document["metadata"]["finalizers"].append(finalizer);
  } else if (object.deleting() && present && !in_use) {
    std::vector<Value>& all = document["metadata"]["finalizers"].mutable_items();
    std::erase_if(all, [&](const Value& one) { return one.as_string() == finalizer; });
    if (all.empty()) document["metadata"].erase("finalizers");
  } else {
    return plan;
  }
  plan.steps.push_back({.request = update_request(resource, std::move(document))});
  return plan;
}

}  // namespace

client::Plan decide_claim_protection(const ObjectPtr& claim, const std::vector<ObjectPtr>& pods) {
  // A pod without node cannot start any more: the node part refuses claims that are being deleted.
  bool in_use = std::any_of(pods.begin(), pods.end(),
                            [](const ObjectPtr& pod) { return !pod->spec().at("nodeName").as_string().empty(); });
  return protect(kClaims, *claim, volumes::kClaimProtection, in_use);
}

client::Plan decide_volume_protection(const ObjectPtr& volume) {
  return protect(kVolumes, *volume, volumes::kVolumeProtection, volume->status().at("phase").as_string() == "Bound");
}

ProtectionController::ProtectionController(client::ApiTransport& transport, loop::Loop& loop,
                                           client::EventRecorder& events, client::InformerSet& informers)
    : informers_(informers),
      claim_queue_(loop, "claim-protection", kWorkers,
                   [&, claims = &informers.get(kClaims), pods = &informers.get(kPods, "claim", index_by_claim)](
                       const std::string& key, client::WorkQueue::Finish finish) {
                     ObjectPtr claim = claims->get(key);
                     if (!claim) return finish(client::Outcome::done());
                     client::apply_plan(transport, events, decide_claim_protection(claim, pods->by_index("claim", key)),
                                        std::move(finish));
                   }),
      volume_queue_(loop, "volume-protection", kWorkers,
                    [&, volumes = &informers.get(kVolumes)](const std::string& key, client::WorkQueue::Finish finish) {
                      ObjectPtr volume = volumes->get(key);
                      if (!volume) return finish(client::Outcome::done());
                      client::apply_plan(transport, events, decide_volume_protection(volume), std::move(finish));
                    }) {
  informers.get(kClaims).on_change([this](const ObjectPtr&, const ObjectPtr& after) {
    if (after) claim_queue_.add(client::object_key(*after));
  });
  informers.get(kPods).on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (after) return;
    for (const std::string& key : index_by_claim(*before)) claim_queue_.add(key);
  });
  informers.get(kVolumes).on_change([this](const ObjectPtr&, const ObjectPtr& after) {
    if (after) volume_queue_.add(client::object_key(*after));
  });
}

void ProtectionController::start() {
  informers_.when_synced([this] {
    claim_queue_.start();
    volume_queue_.start();
  });
}

}  // namespace stead::controllers
