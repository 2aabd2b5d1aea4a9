#pragma once

// A Store that forgets everything at exit: for simulations and tests. It is deterministic: a write takes effect inside
// write(), in the order of the calls; events and callbacks come on `loop`, batched as a group commit would.

#include <cstddef>
#include <memory>

#include "loop/loop.h"
#include "store/store.h"

namespace stead::store {

struct MemoryOptions {
  size_t queue_max = 10'000;  // writes not yet reported; more are refused with kTooManyRequests
};

// `loop` runs events, callbacks and expiry, gives the time, and must outlive the store.
std::unique_ptr<Store> open_memory_store(loop::Loop& loop, MemoryOptions options = {});

}  // namespace stead::store
