#pragma once

// x-kubernetes-list-type, x-kubernetes-list-map-keys and x-kubernetes-map-type of one schema (KEP-2956). Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// Whether they go with the type that the schema has, and what is in lists with what they promise of it.
void check_list_extensions(const Value& schema, const Path& path, FieldErrors& errors);

}  // namespace stead::kinds
