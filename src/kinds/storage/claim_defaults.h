#pragma once

// Defaults of volume claims, wherever one stands: alone, in a StatefulSet, in an ephemeral volume. Pure.

#include "object/value.h"

namespace stead::kinds {

using object::Value;

// volumeMode.
void set_claim_spec_defaults(Value& spec);
// Those of the spec, and phase Pending.
void set_claim_defaults(Value& claim);

}  // namespace stead::kinds
