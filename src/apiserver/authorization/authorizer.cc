#include "apiserver/authorization/authorizer.h"

#include <fmt/ranges.h>

namespace stead::apiserver {

Authorizer::Decision Authorizer::decide(const client::Identity& identity, const Attributes& attributes) const {
  if (identity.in_group(kMasters)) return {true, {}};
  std::string node_reason;
  if (auto node = node_of(identity)) {
    std::optional<std::string> refusal = nodes_.refusal(*node, attributes);
    if (!refusal) return {true, {}};
    node_reason = std::move(*refusal);
  }
  Decision decision;
  std::vector<std::string> errors = rbac_.visit(identity, attributes.ns, [&](const RbacIndex::Grant& grant) {
    if (!rule_allows(grant.rule, attributes)) return true;
    decision = {true, "RBAC: allowed by " + grant.binding};
    return false;
  });
  if (decision.allowed) return decision;
  decision.reason = std::move(node_reason);
  if (errors.empty()) return decision;
  if (!decision.reason.empty()) decision.reason += ", ";
  decision.reason +=
      errors.size() == 1 ? "RBAC: " + errors.front() : fmt::format("RBAC: [{}]", fmt::join(errors, ", "));
  return decision;
}

Result<void> Authorizer::authorize(const client::Identity& identity, const Attributes& attributes) const {
  Decision decision = decide(identity, attributes);
  if (decision.allowed) return {};
  return forbidden_error(identity, attributes, decision.reason);
}

Result<void> Authorizer::authorize(const client::Identity& identity, const client::Request& request) const {
  // Most calls of this process: spares them the attributes.
  if (identity.in_group(kMasters)) return {};
  return authorize(identity, attributes_of(request));
}

PolicyRules Authorizer::rules_for(const client::Identity& identity, std::string_view ns,
                                  std::vector<std::string>* errors) const {
  PolicyRules rules;
  if (identity.in_group(kMasters)) {
    rules.push_back({{"*"}, {"*"}, {"*"}, {}, {}});
    rules.push_back({{"*"}, {}, {}, {}, {"*"}});
  }
  std::vector<std::string> found = rbac_.visit(identity, ns, [&](const RbacIndex::Grant& grant) {
    rules.push_back(grant.rule);
    return true;
  });
  if (errors != nullptr) *errors = std::move(found);
  return rules;
}

}  // namespace stead::apiserver
