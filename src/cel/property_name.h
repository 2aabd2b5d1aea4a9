#pragma once

// How expressions write the property names of custom resources that are no CEL identifiers: "foo-bar" is
// foo__dash__bar, "namespace" is __namespace__ (Kubernetes' documentation, CustomResourceDefinition validation rules).

#include <optional>
#include <string>
#include <string_view>

namespace stead::cel {

// nullopt where the name cannot be written.
std::optional<std::string> escape_property(std::string_view name);
// The name that is written as `escaped`; nullopt where none is.
std::optional<std::string> unescape_property(std::string_view escaped);

}  // namespace stead::cel
