#pragma once

// Rules for containers, init containers and ephemeral containers of a pod. Pure.

#include <set>
#include <string_view>

#include "kinds/core/volume_validation.h"
#include "kinds/meta/checks.h"

namespace stead::kinds {

// What containers are checked against.
struct ContainerContext {
  const Value& spec;  // the PodSpec
  const VolumesByName& volumes;
  const std::set<std::string_view>& claims;  // the names of the pod's resource claims
};

void validate_containers(const Path& path, const ContainerContext& context, FieldErrors& errors);
void validate_init_containers(const Path& path, const ContainerContext& context, FieldErrors& errors);
void validate_ephemeral_containers(const Path& path, const ContainerContext& context, FieldErrors& errors);
// No white space around images; templates were let through with it once.
void check_trimmed_images(const Path& path, const Value& containers, FieldErrors& errors);

}  // namespace stead::kinds
