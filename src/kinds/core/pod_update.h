#pragma once

// What of a pod may change once it exists. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

void validate_pod_update(const Value& pod, const Value& old, FieldErrors& errors);
void validate_pod_status_update(const Value& pod, const Value& old, FieldErrors& errors);
// The `ephemeralcontainers` subresource: containers are added, none is changed or taken away.
void validate_pod_ephemeral_update(const Value& pod, const Value& old, FieldErrors& errors);

}  // namespace stead::kinds
