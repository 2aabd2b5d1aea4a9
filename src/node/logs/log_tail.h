#pragma once

#include <cstdint>

#include "base/result.h"

namespace stead::node {

// Where the last `lines` lines of the open log `fd` begin, found from its end. Pieces of one line count once; a last
// line without newline does not count. Blocks.
Result<int64_t> find_tail(int fd, int64_t lines);

}  // namespace stead::node
