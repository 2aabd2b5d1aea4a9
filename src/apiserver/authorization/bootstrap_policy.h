#pragma once

// The roles and bindings that every cluster starts with (Kubernetes' bootstrap policy), and what of them is missing in
// objects that people may have changed since. Pure.

#include <optional>
#include <string_view>
#include <vector>

#include "object/value.h"

namespace stead::apiserver {

using object::Value;

struct BootstrapObject {
  std::string_view resource;  // "clusterroles", "clusterrolebindings", "roles", "rolebindings"
  Value document;             // hub form; metadata.namespace says where, if anywhere
};

// Roles before the bindings to them.
std::vector<BootstrapObject> bootstrap_policy();

// `existing` with the rights, subjects and marks of `wanted` that it lacks; nothing is taken away. nullopt if it lacks
// nothing, or is not to be touched: annotation rbac.authorization.kubernetes.io/autoupdate other than "true".
std::optional<Value> reconciled(const Value& existing, const Value& wanted);

}  // namespace stead::apiserver
