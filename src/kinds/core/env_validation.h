#pragma once

// Rules for what reaches a container from elsewhere: environment variables, and the downward API in both of its
// places. Pure.

#include <span>

#include "kinds/meta/checks.h"

namespace stead::kinds {

void validate_env(const Path& path, const Value& variables, FieldErrors& errors);
void validate_env_from(const Path& path, const Value& sources, FieldErrors& errors);
// An ObjectFieldSelector; `supported` are the paths besides single labels and annotations.
void validate_field_ref(const Path& path, const Value& selector, std::span<const std::string_view> supported,
                        FieldErrors& errors);
enum class ResourceFieldPlace : uint8_t { kEnv, kVolume };
void validate_resource_field_ref(const Path& path, const Value& selector, ResourceFieldPlace place,
                                 FieldErrors& errors);

}  // namespace stead::kinds
