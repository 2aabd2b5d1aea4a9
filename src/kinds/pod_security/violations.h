#pragma once

// What a pod has that a level of the Pod Security Standards forbids. Pure.

#include <string>
#include <vector>

#include "kinds/pod_security/policy.h"
#include "object/value.h"

namespace stead::kinds {

struct Violation {
  std::string reason;  // "host namespaces"
  std::string detail;  // "hostNetwork=true"; may be empty
};

// `metadata` and `spec` are those of a pod or of a pod template. In the standard's order; empty where all is allowed.
std::vector<Violation> security_violations(LevelVersion policy, const object::Value& metadata,
                                           const object::Value& spec);

// "reason (detail), reason", as errors and warnings tell it.
std::string violations_text(const std::vector<Violation>& violations);
// "reason, reason"
std::string violation_reasons(const std::vector<Violation>& violations);

}  // namespace stead::kinds
