#include "controllers/volumes/expansion_policy.h"

#include "controllers/requests.h"
#include "controllers/volumes/names.h"
#include "kinds/semantics/volume_fit.h"
#include "object/quantity.h"

namespace stead::controllers::volumes {
namespace {

object::Quantity storage_of(const Value& list) {
  auto parsed = object::Quantity::parse(list.at("storage").as_string());
  return parsed.ok() ? *parsed : object::Quantity();
}

}  // namespace

client::Plan decide_expansion(const ObjectPtr& claim, const ObjectPtr& volume) {
  client::Plan plan;
  if (!volume || claim->deleting() || claim->status().at("phase").as_string() != "Bound") return plan;
  const Value& wanted = claim->spec().at({"resources", "requests", "storage"});
  object::Quantity size = storage_of(claim->spec().at({"resources", "requests"}));
  if (size <= storage_of(claim->status().at("capacity")) || !kinds::is_bound_to(*volume, *claim)) return plan;
  if (volume->metadata().at({"annotations", kProvisionedBy}).as_string() != kLocalProvisioner) {
    plan.events.push_back(
        {claim, "Normal", "ExternalExpanding", "waiting for an external controller to expand this PVC", ""});
    return plan;
  }
  // The volume first: a claim never promises more than its volume.
  if (storage_of(volume->spec().at("capacity")) < size) {
    Value document = volume->document();
    document.set({"spec", "capacity", "storage"}, wanted);
    plan.steps.push_back({.request = update_request(kVolumes, std::move(document))});
  }
  Value status = claim->status();
  status.set({"capacity", "storage"}, wanted);
  plan.steps.push_back(
      {.request = patch_request(kClaims, *claim, Value::object({{"status", std::move(status)}}), "status"),
       .event_on_success = client::Event{claim, "Normal", "VolumeResizeSuccessful", "Resize volume succeeded", ""}});
  return plan;
}

}  // namespace stead::controllers::volumes
