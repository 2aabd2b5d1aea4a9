#pragma once

// References to images as people write them (the grammar of distribution's `reference` package). Pure.

#include <string>
#include <string_view>

#include "base/result.h"

namespace stead::node {

// "busybox" → "docker.io/library/busybox:latest", as Docker's clients do. kBadRequest, "invalid reference format" and
// perhaps why, for what is no reference.
Result<std::string> normal_image_name(std::string_view name);

}  // namespace stead::node
