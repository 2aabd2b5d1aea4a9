#pragma once

// The smaller rules of a CustomResourceDefinition's versions: subresources, selectable fields, warnings; and of its
// group. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// What one of spec.versions says besides its name, schema and columns.
void check_version_extras(const Value& version, const Path& path, FieldErrors& errors);

// Groups under k8s.io and kubernetes.io belong to the Kubernetes community (KEP-1111): definitions there say who
// approved them.
void check_approval(const Value& definition, FieldErrors& errors);

}  // namespace stead::kinds
