#pragma once

// What a plain YAML scalar means. Kubernetes reads YAML with go-yaml v2 (sigs.k8s.io/yaml), whose rules are those of
// YAML 1.1 without base 60: `yes`, `on`, `y` are booleans, 0x10, 0o10, 010 and 1_000 are integers.

#include <string_view>

#include "base/result.h"
#include "object/value.h"

namespace stead::object {

// The value of an untagged plain scalar; text where it is nothing else. kBadRequest for .inf and .nan, which JSON
// cannot hold.
Result<Value> resolve_yaml_scalar(std::string_view text);

// Whether a reader would take the plain scalar for something other than text (dates and base 60 numbers included).
bool yaml_scalar_needs_quotes(std::string_view text);

}  // namespace stead::object
