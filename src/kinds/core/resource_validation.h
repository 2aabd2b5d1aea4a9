#pragma once

// Rules for amounts of resources: of containers, pods, nodes. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// resources.limits and resources.requests of a container.
void validate_container_resources(const Path& path, const Value& resources, FieldErrors& errors);
// A map of resource names to quantities that may not be negative, and are whole where the resource is counted.
void validate_resource_list(const Path& path, const Value& amounts, FieldErrors& errors);
// Whether the name has no domain or one of Kubernetes' own.
bool is_native_resource(std::string_view name);

}  // namespace stead::kinds
