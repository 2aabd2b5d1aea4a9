#pragma once

// Kinds' descriptors as types of expressions, for the doubts that a policy's status tells. Pure, any thread.

#include "cel/type.h"
#include "object/descriptor.h"

namespace stead::kinds {

// `message` outlives the type. What may be of several types (quantities, IntOrString, raw JSON) is dyn.
cel::Type message_type(const object::Message& message);

}  // namespace stead::kinds
