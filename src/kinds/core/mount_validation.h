#pragma once

// Rules for volumeMounts and volumeDevices of a container. Pure.

#include "kinds/core/volume_validation.h"
#include "kinds/meta/checks.h"

namespace stead::kinds {

void validate_mounts(const Path& path, const Value& container, const VolumesByName& volumes, FieldErrors& errors);
void validate_devices(const Path& path, const Value& container, const VolumesByName& volumes, FieldErrors& errors);

}  // namespace stead::kinds
