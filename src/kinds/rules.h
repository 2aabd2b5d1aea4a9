#pragma once

// The hand-written rules of each kind, found by the generated registry. One folder per API group holds them.

#include <string_view>
#include <vector>

#include "kinds/registry.h"

namespace stead::kinds {

struct KindRules {
  Rules rules;
  std::vector<Column> columns;  // empty: name and age
  std::vector<std::string_view> selectable_fields;
};

struct VersionRules {
  void (*set_defaults)(Value& document) = nullptr;
  void (*to_hub)(Value& document) = nullptr;
  void (*from_hub)(Value& document) = nullptr;
};

// An empty KindRules where a kind has none.
KindRules find_rules(std::string_view group, std::string_view kind);
VersionRules find_version_rules(std::string_view group, std::string_view version, std::string_view kind);

}  // namespace stead::kinds
