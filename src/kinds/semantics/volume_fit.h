#pragma once

// Which PersistentVolume fits which PersistentVolumeClaim. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "object/object.h"

namespace stead::kinds {

using object::Object;
using object::ObjectPtr;
using object::Value;

// The class that a claim or volume asks for: spec.storageClassName, or the beta annotation that older manifests use.
// For a claim, `has_class` tells "" (no class on purpose) from absent (the default class).
std::string_view storage_class_of(const Object& claim_or_volume);
bool has_class(const Object& claim);

// Whether volume.spec.claimRef names the claim (and, where it has a UID, this very claim).
bool is_bound_to(const Object& volume, const Object& claim);

// Whether the volume could serve the claim: size, access modes, volumeMode, not being deleted; a free one also by class
// and selector, and only once it is Available. A volume with a claimRef serves that claim alone. Node affinity is not
// looked at.
bool volume_fits(const Object& volume, const Object& claim);

// The volume to bind, nullptr if none fits: of those with the fewest access modes beyond the wanted ones, one already
// reserved for the claim, else the smallest. So a reservation loses against a volume whose access modes are closer.
ObjectPtr best_volume(const std::vector<ObjectPtr>& volumes, const Object& claim);

}  // namespace stead::kinds
