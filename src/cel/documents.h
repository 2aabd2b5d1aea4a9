#pragma once

// Documents read as CEL values, without copies. Internal to the room.

#include "cel/value.h"

namespace stead::cel {

// Whether two items of a list of maps have equal values under each of `keys` (missing in both is equal).
bool same_map_key(const Value& a, const Value& b, const std::vector<std::string>& keys);

// What a `==` between values of types compares: lists and maps of whatever are one type at run time.
bool types_alike(const Type& a, const Type& b);

// `a + b` by the list type of `a`: one after the other; the union of sets; of lists of maps, items of `b` take the
// place of those of `a` with the same keys. The Value keeps both alive.
Value concatenate(const std::shared_ptr<const List>& a, const std::shared_ptr<const List>& b);

}  // namespace stead::cel
