#pragma once

// Rules of roles and role bindings.

#include "kinds/meta/checks.h"
#include "kinds/rules.h"

namespace stead::kinds {

inline constexpr std::string_view kRbacGroup = "rbac.authorization.k8s.io";

KindRules role_rules();
KindRules cluster_role_rules();
KindRules role_binding_rules();
KindRules cluster_role_binding_rules();

// A subject's API group follows from its kind.
void set_binding_defaults(Value& binding);

}  // namespace stead::kinds
