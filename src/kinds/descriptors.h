#pragma once

// The descriptors of every message declared in api/. Built once at first use (a few milliseconds), immutable, alive for
// ever, safe from any thread.

#include <span>
#include <string_view>

#include "object/descriptor.h"

namespace stead::kinds {

// In order of declaration, package by package.
std::span<const object::Message> messages();

// The message of a package as declared: find_message("apps.v1", "StatefulSetSpec"), find_message("meta.v1",
// "ObjectMeta"). nullptr where there is none.
const object::Message* find_message(std::string_view package, std::string_view name);

}  // namespace stead::kinds
