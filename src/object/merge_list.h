#pragma once

// Lists of a strategic merge patch: which items are the same, and in which order the merged ones stand
// (https://git.k8s.io/design-proposals-archive/cli/preserve-order-in-strategic-merge-patch.md).

#include <string_view>
#include <vector>

#include "base/result.h"
#include "object/value.h"

namespace stead::object {

using Items = std::vector<Value>;

// The first item of `list` that is `item`: by the merge key where there is one, else by value. -1 if none.
ptrdiff_t index_of(const Items& list, const Value& item, std::string_view merge_key);
// kBadRequest unless every item is an object that has the merge key.
Result<void> check_merge_key(const Items& list, std::string_view merge_key);
// Puts `merged` in order: items that `order` names stand in its order, the others in the order of `live`, and the
// two are interleaved by `live` as far as it knows both. Items need not be in `live`. Requires checked merge keys.
Items order_merged(Items merged, const Items& order, const Items& live, std::string_view merge_key);
// Drops later duplicates.
void drop_duplicates(Items& items);

}  // namespace stead::object
