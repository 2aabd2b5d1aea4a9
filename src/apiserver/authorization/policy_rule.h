#pragma once

// What a rule of a role allows, and whether rules allow at least what others do. Pure, any thread.

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/authorization/attributes.h"
#include "object/value.h"

namespace stead::apiserver {

using object::Value;

// rbac/v1 PolicyRule.
struct PolicyRule {
  std::vector<std::string> verbs;
  std::vector<std::string> groups;
  std::vector<std::string> resources;  // "pods", "pods/log", "*/scale", "*"
  std::vector<std::string> names;      // empty: all
  std::vector<std::string> urls;       // "/healthz", "/api/*", "*"

  friend bool operator==(const PolicyRule& a, const PolicyRule& b) = default;
};
using PolicyRules = std::vector<PolicyRule>;

PolicyRule read_rule(const Value& rule);
PolicyRules read_rules(const Value& rules);
Value write_rule(const PolicyRule& rule);

bool rule_allows(const PolicyRule& rule, const Attributes& attributes);

// Whether `owned` together allow all that `wanted` allow, taken apart into single rights: a right is one verb on one
// resource (and name) or path. What is missing, with the verbs of one resource joined again. kForbidden where taking
// apart would yield more than kSingleRightsMax.
inline constexpr size_t kSingleRightsMax = 100'000;
Result<PolicyRules> missing_rights(const PolicyRules& owned, const PolicyRules& wanted);

// `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`
std::string describe(const PolicyRule& rule);

}  // namespace stead::apiserver
