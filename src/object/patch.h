#pragma once

// The patch forms of the API. All functions leave `target` untouched on error.

#include "base/result.h"
#include "object/descriptor.h"
#include "object/value.h"

namespace stead::object {

// RFC 6902. kInvalid when an operation cannot be applied (a test fails, a path is missing), kBadRequest when the
// patch itself is malformed. At most 10,000 operations, as upstream.
Result<void> apply_json_patch(Value& target, const Value& patch);

// RFC 7386.
void apply_merge_patch(Value& target, const Value& patch);

// Kubernetes' strategic merge patch: lists merge by patchMergeKey; directives $patch (replace, delete, merge),
// $retainKeys, $setElementOrder/<field>, $deleteFromPrimitiveList/<field>. kBadRequest on malformed directives.
Result<void> apply_strategic_merge_patch(Value& target, const Value& patch, const Message& message);

}  // namespace stead::object
