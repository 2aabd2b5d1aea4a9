#pragma once

// Authenticated encryption of one value. Pure but for the nonce; any thread.

#include "store/sealed/sealed_store.h"

namespace stead::store {

bool is_sealed(std::string_view value);
// Bound to `context`. Aborts where the machine gives no random bytes.
std::string seal(const SealingKey& key, std::string_view context, std::string_view value);
// kInternal: sealed with a key that is not among `keys`, or not what was sealed in this context.
Result<std::string> open_sealed(const std::vector<SealingKey>& keys, std::string_view context, std::string_view sealed);

}  // namespace stead::store
