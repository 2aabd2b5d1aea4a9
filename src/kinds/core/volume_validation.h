#pragma once

// Rules for spec.volumes of pods. Pure.

#include <map>
#include <string>

#include "kinds/meta/checks.h"

namespace stead::kinds {

// Whose spec it is: a pod's own, or one that pods are made of.
enum class PodSpecOwner : uint8_t { kPod, kTemplate };

// Volumes that are fine, by name: what mounts may refer to.
using VolumesByName = std::map<std::string, const Value*, std::less<>>;

// `metadata` is the pod's (names of claims made for ephemeral volumes depend on it). The result points into `volumes`.
VolumesByName validate_volumes(const Path& path, const Value& volumes, const Value& metadata, PodSpecOwner owner,
                               FieldErrors& errors);

// A file mode, 0 to 0777.
void check_mode(const Path& path, const Value* mode, FieldErrors& errors);

}  // namespace stead::kinds
