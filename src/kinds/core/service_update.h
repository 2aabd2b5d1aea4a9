#pragma once

// What of a Service may change once it exists. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// Drops what the old type had and the new one may not; keeps addresses and node ports that the client left out.
void prepare_service_update(Value& service, const Value& old);
void validate_service_update(const Value& service, const Value& old, FieldErrors& errors);

}  // namespace stead::kinds
