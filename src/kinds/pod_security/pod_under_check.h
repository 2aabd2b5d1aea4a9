#pragma once

// What the checks of the Pod Security Standards read of a pod, and how they name what they found. Pure; views of the
// pod, valid while it lives.

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kinds/pod_security/violations.h"

namespace stead::kinds {

using object::Value;

struct PodUnderCheck {
  PodUnderCheck(const Value& metadata, const Value& spec);

  const Value& metadata;
  const Value& spec;
  std::vector<const Value*> containers;  // init containers first, ephemeral ones last

  bool windows() const;                // spec.os.name
  bool in_own_user_namespace() const;  // hostUsers: false, which takes root's meaning away (KEP-127)
  // The pod's securityContext.<path>, or nullptr.
  const Value* pod_context(std::initializer_list<std::string_view> path) const;
};

using Names = std::vector<std::string>;
using NameSet = std::set<std::string>;
using Finding = std::optional<Violation>;

// A container's securityContext.<path>, or nullptr.
const Value* container_context(const Value& container, std::initializer_list<std::string_view> path);
std::string name_of_container(const Value& container);
std::string quoted(const Names& names);  // "a", "b"
std::string quoted(const NameSet& names);
std::string joined(const Names& names, std::string_view separator);
std::string_view counted(size_t count, std::string_view one, std::string_view many);
std::string containers_text(const Names& containers);  // containers "a", "b"
// pod and containers "a", "b": who set something.
std::string setters_text(bool pod, const Names& containers);

}  // namespace stead::kinds
