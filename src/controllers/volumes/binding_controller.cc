#include "controllers/volumes/binding_controller.h"

#include "controllers/requests.h"
#include "controllers/volumes/binding_policy.h"
#include "controllers/volumes/expansion_policy.h"
#include "controllers/volumes/names.h"
#include "kinds/semantics/volume_fit.h"

namespace stead::controllers {
namespace {

// Many at once: what takes the time is waiting for durable commits, which are made together.
constexpr size_t kWorkers = 64;

std::vector<std::string> index_unbound(const object::Object& claim) {
  if (claim.metadata().at("annotations").find(volumes::kBindCompleted) != nullptr) return {};
  return {"unbound"};
}

// By the claim that a volume's claimRef names.
std::vector<std::string> index_by_reference(const object::Object& volume) {
  const Value& reference = volume.spec().at("claimRef");
  if (reference.is_null()) return {};
  return {client::object_key(reference.at("namespace").as_string(), reference.at("name").as_string())};
}

std::vector<std::string> index_free(const object::Object& volume) {
  if (!volume.spec().at("claimRef").is_null()) return {};
  return {"free"};
}

// What of a volume decides which claims it serves.
bool serves_alike(const ObjectPtr& before, const ObjectPtr& after) {
  return before && after && before->spec() == after->spec() && before->deleting() == after->deleting() &&
         before->metadata().at("labels") == after->metadata().at("labels") &&
         before->metadata().at("annotations") == after->metadata().at("annotations") &&
         before->status().at("phase") == after->status().at("phase");
}

}  // namespace

std::vector<std::string> index_by_claim(const object::Object& pod) {
  std::vector<std::string> keys;
  for (const Value& volume : pod.spec().at("volumes").items()) {
    const Value& claim = volume.at({"persistentVolumeClaim", "claimName"});
    if (claim.is_string()) {
      keys.push_back(client::object_key(pod.ns(), claim.as_string()));
    } else if (volume.find("ephemeral") != nullptr) {
      std::string name = std::string(pod.name()) + "-" + std::string(volume.at("name").as_string());
      keys.push_back(client::object_key(pod.ns(), name));
    }
  }
  return keys;
}

VolumeBindingController::VolumeBindingController(client::ApiTransport& transport, loop::Loop& loop,
                                                 client::EventRecorder& events, client::InformerSet& informers)
    : transport_(transport),
      events_(events),
      informers_(informers),
      claims_(informers.get(kClaims, "unbound", index_unbound)),
      volumes_(informers.get(kVolumes, "claim", index_by_reference)),
      classes_(informers.get(kStorageClasses)),
      pods_(informers.get(kPods, "claim", index_by_claim)),
      claim_queue_(loop, "claims", kWorkers, [this](auto& key, auto finish) { work_claim(key, std::move(finish)); }),
      volume_queue_(loop, "volumes", kWorkers, [this](auto& key, auto finish) { work_volume(key, std::move(finish)); }),
      round_queue_(loop, "unbound-claims", 1, [this](auto&, auto finish) {
        for (const ObjectPtr& claim : claims_.by_index("unbound", "unbound")) {
          claim_queue_.add(client::object_key(*claim));
        }
        finish(client::Outcome::done());
      }) {
  informers.get(kVolumes, "free", index_free);
  claims_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { claim_changed(after ? after : before); });
  volumes_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (!serves_alike(before, after)) volume_changed(after ? after : before);
    // A volume that no longer names a claim is news for that claim; one that is taken is news for nobody.
    if (!before || !after || before->spec().at("claimRef").is_null()) return;
    if (before->spec().at("claimRef") != after->spec().at("claimRef")) volume_changed(before);
  });
  classes_.on_change([this](const ObjectPtr&, const ObjectPtr&) { round_queue_.add("unbound"); });
}

void VolumeBindingController::start() {
  informers_.when_synced([this] {
    claim_queue_.start();
    volume_queue_.start();
    round_queue_.start();
  });
}

void VolumeBindingController::claim_changed(const ObjectPtr& claim) {
  std::string key = client::object_key(*claim);
  claim_queue_.add(key);
  for (const ObjectPtr& volume : volumes_.by_index("claim", key)) volume_queue_.add(std::string(volume->name()));
}

void VolumeBindingController::volume_changed(const ObjectPtr& volume) {
  volume_queue_.add(std::string(volume->name()));
  std::vector<std::string> claim = index_by_reference(*volume);
  if (!claim.empty()) return claim_queue_.add(claim.front());
  round_queue_.add("unbound");
}

std::vector<ObjectPtr> VolumeBindingController::candidates(const std::string& claim) const {
  // Those that are free, and those reserved for this claim; the rest is of no use to it.
  std::vector<ObjectPtr> found = volumes_.by_index("claim", claim);
  for (ObjectPtr& volume : volumes_.by_index("free", "free")) {
    if (!taken_.contains(volume->name())) found.push_back(std::move(volume));
  }
  return found;
}

void VolumeBindingController::work_claim(const std::string& key, client::WorkQueue::Finish finish) {
  volumes::ClaimObserved observed;
  observed.claim = claims_.get(key);
  if (!observed.claim) return finish(client::Outcome::done());
  observed.volume = [this](std::string_view name) { return volumes_.get(name); };
  observed.storage_class = [this](std::string_view name) { return classes_.get(name); };
  observed.volumes = [this, key] { return candidates(key); };
  observed.storage_classes = [this] { return classes_.list(); };
  for (const ObjectPtr& pod : pods_.by_index("claim", key)) {
    if (pod->spec().at("nodeName").as_string().empty()) observed.waiting_pods.emplace_back(pod->name());
  }
  client::Plan plan = volumes::decide_claim(observed);
  if (plan.steps.empty() && plan.events.empty()) {
    plan = volumes::decide_expansion(observed.claim, volumes_.get(observed.claim->spec().at("volumeName").as_string()));
  }
  ObjectPtr chosen;
  for (const client::Plan::Step& step : plan.steps) {
    if (step.request.resource == kVolumes.resource) chosen = volumes_.get(step.request.name);
  }
  if (chosen) taken_.emplace(chosen->name());
  client::apply_plan(transport_, events_, std::move(plan), [this, key, chosen, finish](client::Outcome outcome) {
    settle_claim(key, chosen, finish, std::move(outcome));
  });
}

void VolumeBindingController::settle_claim(const std::string& key, const ObjectPtr& chosen,
                                           client::WorkQueue::Finish finish, client::Outcome outcome) {
  if (chosen) {
    taken_.erase(std::string(chosen->name()));
    // It went elsewhere, or nowhere: this claim, and those that passed it over meanwhile, have to look again.
    ObjectPtr now = volumes_.get(chosen->name());
    ObjectPtr claim = claims_.get(key);
    if (!now || !claim || !kinds::is_bound_to(*now, *claim)) round_queue_.add("unbound");
  }
  finish(std::move(outcome));
}

void VolumeBindingController::work_volume(const std::string& key, client::WorkQueue::Finish finish) {
  volumes::VolumeObserved observed;
  observed.volume = volumes_.get(key);
  if (!observed.volume) return finish(client::Outcome::done());
  std::vector<std::string> claim = index_by_reference(*observed.volume);
  if (!claim.empty()) observed.claim = claims_.get(claim.front());
  client::apply_plan(transport_, events_, volumes::decide_volume(observed), std::move(finish));
}

}  // namespace stead::controllers
