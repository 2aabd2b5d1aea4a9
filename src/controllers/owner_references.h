#pragma once

// Reading and writing metadata.ownerReferences. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "object/object.h"

namespace stead::controllers {

using object::Object;
using object::Value;

// The reference whose `controller` is true; nullptr where there is none.
const Value* controller_of(const Object& object);
bool controlled_by(const Object& object, const Object& owner);
// The reference of any kind to `uid`; nullptr where there is none.
const Value* reference_to(const Object& object, std::string_view uid);

// An informer's index: the namespace of an object without controller.
std::vector<std::string> index_orphans(const Object& object);

// A reference that makes `owner` the controller. `owner` carries apiVersion and kind.
Value controller_reference(const Object& owner);

// The document of `object` with `reference` added, or without the reference to `uid`.
Value with_owner(const Object& object, Value reference);
Value without_owner(const Object& object, std::string_view uid);

}  // namespace stead::controllers
