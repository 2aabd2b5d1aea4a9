#pragma once

// What is allowed in spec.volumes of pods but hardly meant. Pure.

#include "kinds/core/pod_warnings.h"

namespace stead::kinds {

void warn_of_volumes(const Path& path, const Value& volumes, Warnings& warnings);
// Which release stopped serving a volume source, for pods' volumes and PersistentVolumes; empty where it still works.
std::string_view gone_volume_source(std::string_view kind);

}  // namespace stead::kinds
