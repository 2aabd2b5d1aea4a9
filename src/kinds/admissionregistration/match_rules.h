#pragma once

// How webhooks and policies say which requests they are about: the checks they share. Pure.

#include "kinds/meta/checks.h"

namespace stead::kinds {

// A RuleWithOperations.
void check_rule_with_operations(const Path& path, const Value& rule, FieldErrors& errors);
// A MatchResources; defaults have been set.
void check_match_resources(const Path& path, const Value& resources, FieldErrors& errors);

}  // namespace stead::kinds
