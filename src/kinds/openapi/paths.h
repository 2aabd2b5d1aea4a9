#pragma once

// The paths of resources and the operations on them.

#include <string>

#include "kinds/openapi/schema.h"

namespace stead::kinds::openapi {

// "/api/v1", "/apis/apps/v1beta1"
std::string base_path(std::string_view group, std::string_view version);

// Adds to `paths` all paths of one version of a resource, and to `definitions` what their operations refer to.
void add_paths(Value& paths, Definitions& definitions, Dialect dialect, const Resource& resource,
               const Version& version);

}  // namespace stead::kinds::openapi
