#include "controllers/volumes/ephemeral_controller.h"

#include <algorithm>

#include "controllers/owner_references.h"
#include "controllers/requests.h"
#include "controllers/volumes/binding_controller.h"

namespace stead::controllers {
namespace {

constexpr size_t kWorkers = 16;

bool has_ephemeral_volumes(const object::Object& pod) {
  std::span<const Value> all = pod.spec().at("volumes").items();
  return std::any_of(all.begin(), all.end(), [](const Value& one) { return one.find("ephemeral") != nullptr; });
}

Value make_claim(const object::Object& pod, const std::string& name, const Value& claim_template) {
  Value metadata = Value::object(
      {{"name", name}, {"namespace", pod.ns()}, {"ownerReferences", Value::array({controller_reference(pod)})}});
  for (std::string_view kept : {"annotations", "labels"}) {
    if (const Value* found = claim_template.find({"metadata", kept})) metadata.set(kept, *found);
  }
  return Value::object({{"apiVersion", "v1"},
                        {"kind", "PersistentVolumeClaim"},
                        {"metadata", std::move(metadata)},
                        {"spec", claim_template.at("spec")}});
}

}  // namespace

client::Plan decide_ephemeral_claims(const ObjectPtr& pod,
                                     const std::function<ObjectPtr(std::string_view name)>& claim) {
  client::Plan plan;
  if (pod->deleting()) return plan;
  for (const Value& volume : pod->spec().at("volumes").items()) {
    const Value* source = volume.find("ephemeral");
    if (source == nullptr) continue;
    std::string volume_name(volume.at("name").as_string());
    std::string name = std::string(pod->name()) + "-" + volume_name;
    std::string what = "ephemeral volume " + volume_name + ": ";
    if (ObjectPtr existing = claim(name)) {
      if (controlled_by(*existing, *pod)) continue;
      plan.events.push_back({pod, "Warning", "FailedBinding",
                             what + "PVC " + std::string(pod->ns()) + "/" + name + " was not created for pod " +
                                 std::string(pod->ns()) + "/" + std::string(pod->name()) + " (pod is not owner)",
                             ""});
      continue;
    }
    plan.steps.push_back(
        {.request = create_request(kClaims, make_claim(*pod, name, source->at("volumeClaimTemplate"))),
         .tolerated = {Reason::kAlreadyExists},
         .event_on_failure = client::Event{pod, "Warning", "FailedBinding", what + "create PVC " + name, ""}});
  }
  return plan;
}

EphemeralController::EphemeralController(client::ApiTransport& transport, loop::Loop& loop,
                                         client::EventRecorder& events, client::InformerSet& informers)
    : transport_(transport),
      events_(events),
      informers_(informers),
      pods_(informers.get(kPods, "claim", index_by_claim)),
      claims_(informers.get(kClaims)),
      queue_(loop, "ephemeral-volumes", kWorkers, [this](auto& key, auto finish) { work(key, std::move(finish)); }) {
  pods_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (after && (!before || before->uid() != after->uid()) && has_ephemeral_volumes(*after)) {
      queue_.add(client::object_key(*after));
    }
  });
  claims_.on_change([this](const ObjectPtr& before, const ObjectPtr& after) {
    if (after) return;
    // Its pod wants another; and where it was in another's way, that pod's turn has come.
    for (const ObjectPtr& pod : pods_.by_index("claim", client::object_key(*before))) {
      if (has_ephemeral_volumes(*pod)) queue_.add(client::object_key(*pod));
    }
  });
}

void EphemeralController::start() {
  informers_.when_synced([this] { queue_.start(); });
}

void EphemeralController::work(const std::string& key, client::WorkQueue::Finish finish) {
  ObjectPtr pod = pods_.get(key);
  if (!pod) return finish(client::Outcome::done());
  auto find = [this, &pod](std::string_view name) { return claims_.get(pod->ns(), name); };
  client::apply_plan(transport_, events_, decide_ephemeral_claims(pod, find), std::move(finish));
}

}  // namespace stead::controllers
