#pragma once

// Labels of nodes that got other names (KEP-589, KEP-837), which manifests in the field still use. Pure.

#include <string>
#include <string_view>

namespace stead::kinds {

// The name that took the place of `label`; empty where it is not an old one.
std::string_view current_node_label(std::string_view label);
// "deprecated since …; use … instead"; empty where it is not an old one.
std::string deprecated_node_label(std::string_view label);

}  // namespace stead::kinds
