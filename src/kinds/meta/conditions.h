#pragma once

// The conditions of a status, for every room that has to ask. Pure; returned pointers live as long as `status`.

#include <string_view>

#include "object/value.h"

namespace stead::kinds {

// The entry of `status`.conditions of that type; nullptr where there is none.
const object::Value* find_condition(const object::Value& status, std::string_view type);
// Whether that condition's status is "True".
bool is_condition_true(const object::Value& status, std::string_view type);

}  // namespace stead::kinds
