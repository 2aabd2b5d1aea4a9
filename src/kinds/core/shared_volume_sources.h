#pragma once

// Rules for the sources that a PersistentVolume and a pod's volume have in common. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// Where a source stands. A volume of the cluster names the namespaces that a pod's volume takes from its pod.
struct VolumeOwner {
  bool is_persistent = false;
  std::string_view name;  // of the volume
};

// False where `kind` is not such a source.
bool validate_shared_source(const Path& path, std::string_view kind, const Value& source, const VolumeOwner& owner,
                            FieldErrors& errors);

}  // namespace stead::kinds
