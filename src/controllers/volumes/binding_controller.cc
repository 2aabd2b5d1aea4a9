#include "controllers/volumes/binding_controller.h"

#include "controllers/requests.h"
#include "controllers/volumes/binding_policy.h"
#include "controllers/volumes/names.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 16;

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
      volume_queue_(loop, "volumes", kWorkers,
                    [this](auto& key, auto finish) { work_volume(key, std::move(finish)); }) {
  claims_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) { claim_changed(after ? after : before); });
  volumes_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    volume_changed(after ? after : before);
    // A volume that no longer names a claim is news for that claim.
    if (before && after && before->spec().at("claimRef") != after->spec().at("claimRef")) volume_changed(before);
  });
  classes_.on_change([this](const ObjectPtr&, const ObjectPtr&) {
    for (const ObjectPtr& claim : claims_.by_index("unbound", "unbound")) claim_queue_.add(client::object_key(*claim));
  });
}

void VolumeBindingController::start() {
  informers_.when_synced([this] {
    claim_queue_.start();
    volume_queue_.start();
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
  for (const ObjectPtr& waiting : claims_.by_index("unbound", "unbound")) {
    claim_queue_.add(client::object_key(*waiting));
  }
}

void VolumeBindingController::work_claim(const std::string& key, client::WorkQueue::Finish finish) {
  volumes::ClaimObserved observed;
  observed.claim = claims_.get(key);
  if (!observed.claim) return finish(client::Outcome::done());
  observed.volume = [this](std::string_view name) { return volumes_.get(name); };
  observed.storage_class = [this](std::string_view name) { return classes_.get(name); };
  observed.volumes = [this, key] {
    // Those that are free, and those reserved for this claim; the rest is of no use to it.
    std::vector<ObjectPtr> found = volumes_.by_index("claim", key);
    for (ObjectPtr& volume : volumes_.list()) {
      if (volume->spec().at("claimRef").is_null()) found.push_back(std::move(volume));
    }
    return found;
  };
  observed.storage_classes = [this] { return classes_.list(); };
  for (const ObjectPtr& pod : pods_.by_index("claim", key)) {
    if (pod->spec().at("nodeName").as_string().empty()) observed.waiting_pod = pod->name();
  }
  client::apply_plan(transport_, events_, volumes::decide_claim(observed), std::move(finish));
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
