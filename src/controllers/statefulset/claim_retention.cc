#include "controllers/statefulset/claim_retention.h"

#include "controllers/owner_references.h"

namespace stead::controllers::statefulset {
namespace {

bool is_delete(const Object& set, std::string_view when) {
  return set.spec().at({"persistentVolumeClaimRetentionPolicy", when}).as_string() == "Delete";
}

bool owned_as_controller(const Object& claim, const Object& owner) {
  const Value* reference = reference_to(claim, owner.uid());
  return reference != nullptr && reference->at("controller").as_bool();
}

void set_owner(Value& owners, const Object& owner, bool wanted) {
  std::erase_if(owners.mutable_items(), [&](const Value& each) { return each.at("uid").as_string() == owner.uid(); });
  if (wanted) owners.append(controller_reference(owner));
}

}  // namespace

bool deletes_claims_with_set(const Object& set) { return is_delete(set, "whenDeleted"); }
bool deletes_claims_when_scaled(const Object& set) { return is_delete(set, "whenScaled"); }

std::optional<Value> retained_claim(const Object& set, const Object& pod, bool condemned, const Object& claim) {
  bool pod_owns = condemned && deletes_claims_when_scaled(set);
  bool set_owns = !pod_owns && deletes_claims_with_set(set);
  auto right = [&](const Object& owner, bool owns) {
    return owns ? owned_as_controller(claim, owner) : reference_to(claim, owner.uid()) == nullptr;
  };
  if (right(set, set_owns) && right(pod, pod_owns)) return std::nullopt;
  const Value* controller = controller_of(claim);
  if (controller != nullptr) {
    std::string_view uid = controller->at("uid").as_string();
    if (uid != set.uid() && uid != pod.uid()) return std::nullopt;
  }
  Value document = claim.document();
  Value& owners = document["metadata"]["ownerReferences"];
  set_owner(owners, set, set_owns);
  set_owner(owners, pod, pod_owns);
  if (owners.empty()) document["metadata"].erase("ownerReferences");
  return document;
}

bool is_stale(const Object& claim, std::string_view pod_name) {
  for (const Value& owner : claim.metadata().at("ownerReferences").items()) {
    if (owner.at("kind").as_string() == "Pod" && owner.at("name").as_string() == pod_name) return true;
  }
  return false;
}

}  // namespace stead::controllers::statefulset
