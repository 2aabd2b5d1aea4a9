#pragma once

// The rules of CustomResourceDefinition itself.

#include "kinds/rules.h"

namespace stead::kinds {

void set_definition_defaults(Value& definition);
KindRules custom_resource_definition_rules();

inline constexpr std::string_view kCleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

// Sets or renews a condition of status.conditions; its time changes with its status.
void set_definition_condition(Value& definition, std::string_view type, bool status, std::string_view reason,
                              std::string_view message, WallTime now);
bool has_definition_condition(const Value& definition, std::string_view type);

}  // namespace stead::kinds
