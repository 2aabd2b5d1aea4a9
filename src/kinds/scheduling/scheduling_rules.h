#pragma once

// Rules of scheduling.k8s.io: PriorityClass.

#include <span>

#include "kinds/rules.h"

namespace stead::kinds {

KindRules priority_class_rules();

// The classes that exist in every cluster, for what the cluster itself cannot do without.
struct SystemPriorityClass {
  std::string_view name;
  int64_t value;
  std::string_view description;
};
std::span<const SystemPriorityClass> system_priority_classes();

}  // namespace stead::kinds
