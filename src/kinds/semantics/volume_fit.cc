#include "kinds/semantics/volume_fit.h"

#include <algorithm>

#include "object/quantity.h"
#include "object/selector.h"

namespace stead::kinds {
namespace {

constexpr std::string_view kClassAnnotation = "volume.beta.kubernetes.io/storage-class";

object::Quantity storage_of(const Value& list) {
  auto quantity = object::Quantity::parse(list.at("storage").as_string());
  return quantity.ok() ? *quantity : object::Quantity();
}

bool offers_modes(const Object& volume, const Object& claim) {
  std::span<const Value> offered = volume.spec().at("accessModes").items();
  std::span<const Value> wanted = claim.spec().at("accessModes").items();
  return std::all_of(wanted.begin(), wanted.end(), [&](const Value& mode) {
    return std::find(offered.begin(), offered.end(), mode) != offered.end();
  });
}

std::string_view volume_mode(const Object& object) {
  std::string_view mode = object.spec().at("volumeMode").as_string();
  return mode.empty() ? "Filesystem" : mode;
}

// `wanted` is the claim's size: parsed once for all volumes.
bool fits(const Object& volume, const Object& claim, const object::Quantity& wanted) {
  if (volume.deleting()) return false;
  bool reserved = !volume.spec().at("claimRef").is_null();
  if (reserved && !is_bound_to(volume, claim)) return false;
  if (volume_mode(volume) != volume_mode(claim)) return false;
  if (volume.spec().at("volumeAttributesClassName").as_string() !=
      claim.spec().at("volumeAttributesClassName").as_string()) {
    return false;
  }
  if (!offers_modes(volume, claim)) return false;
  auto large_enough = [&] { return storage_of(volume.spec().at("capacity")) >= wanted; };
  // A volume reserved by name need not match class or selector: its admin has chosen.
  if (reserved) return large_enough();
  if (volume.status().at("phase").as_string() != "Available") return false;
  if (storage_class_of(volume) != storage_class_of(claim)) return false;
  if (!large_enough()) return false;
  const Value* selector = claim.spec().find("selector");
  if (selector == nullptr || selector->is_null()) return true;
  auto parsed = object::LabelSelector::from_document(*selector);
  return parsed.ok() && parsed->matches(volume.metadata().at("labels"));
}

object::Quantity wanted_by(const Object& claim) { return storage_of(claim.spec().at({"resources", "requests"})); }

}  // namespace

std::string_view storage_class_of(const Object& claim_or_volume) {
  const Value* annotated = claim_or_volume.metadata().at("annotations").find(kClassAnnotation);
  return annotated != nullptr ? annotated->as_string() : claim_or_volume.spec().at("storageClassName").as_string();
}

bool has_class(const Object& claim) {
  return claim.metadata().at("annotations").find(kClassAnnotation) != nullptr ||
         claim.spec().find("storageClassName") != nullptr;
}

bool is_bound_to(const Object& volume, const Object& claim) {
  const Value& reference = volume.spec().at("claimRef");
  if (reference.at("name").as_string() != claim.name() || reference.at("namespace").as_string() != claim.ns()) {
    return false;
  }
  std::string_view uid = reference.at("uid").as_string();
  return uid.empty() || uid == claim.uid();
}

bool volume_fits(const Object& volume, const Object& claim) { return fits(volume, claim, wanted_by(claim)); }

ObjectPtr best_volume(const std::vector<ObjectPtr>& volumes, const Object& claim) {
  auto modes = [](const Object& volume) { return volume.spec().at("accessModes").items().size(); };
  auto reserved = [](const Object& volume) { return !volume.spec().at("claimRef").is_null(); };
  object::Quantity wanted = wanted_by(claim);
  ObjectPtr best;
  object::Quantity best_size;
  for (const ObjectPtr& volume : volumes) {
    if (!fits(*volume, claim, wanted)) continue;
    object::Quantity size = storage_of(volume->spec().at("capacity"));
    bool better = !best;
    if (best && modes(*volume) != modes(*best)) {
      better = modes(*volume) < modes(*best);
    } else if (best && reserved(*volume) != reserved(*best)) {
      better = reserved(*volume);
    } else if (best) {
      better = size < best_size;
    }
    if (!better) continue;
    best = volume;
    best_size = size;
  }
  return best;
}

}  // namespace stead::kinds
