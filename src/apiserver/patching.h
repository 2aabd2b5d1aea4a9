#pragma once

#include "apiserver/call.h"

namespace stead::apiserver {

// Applies the request's patch to a document in the caller's version. kBadRequest, kInvalid, kUnsupportedMediaType.
Result<void> apply_patch(const Call& call, const object::Value& patch, object::Value& document);

}  // namespace stead::apiserver
