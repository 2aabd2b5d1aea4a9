#include "apiserver/authorization/escalation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "object/quote.h"

namespace stead::apiserver {
namespace {

using object::quote;

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

std::string groups_text(const std::vector<std::string>& groups) {
  std::string text;
  for (const std::string& group : groups) text.append(text.empty() ? "" : " ").append(quote(group));
  return "[" + text + "]";
}

Error refused(const Call& call, const Value& document, std::string_view why) {
  std::string name(document.at({"metadata", "name"}).as_string());
  Error error = make_error(Reason::kForbidden,
                           fmt::format("{} {} is forbidden: {}", call.qualified_resource(), quote(name), why));
  error.group = call.resource->group;
  error.kind = call.resource->name;
  error.name = name;
  return error;
}

Result<void> check_rights(const Authorizer& authorizer, const Call& call, const Value& document,
                          const PolicyRules& wanted) {
  std::vector<std::string> errors;
  PolicyRules owned = authorizer.rules_for(call.identity, call.request.ns, &errors);
  STEAD_TRY(missing, missing_rights(owned, wanted));
  if (missing.empty()) return {};
  std::vector<std::string> lines;
  for (const PolicyRule& rule : missing) lines.push_back(describe(rule));
  std::sort(lines.begin(), lines.end());
  std::string why = fmt::format("user {} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
                                quote(call.identity.user), groups_text(call.identity.groups), fmt::join(lines, "\n"));
  if (!errors.empty()) why += fmt::format("; resolution errors: [{}]", fmt::join(errors, ", "));
  return refused(call, document, why);
}

Result<void> check_role(const Authorizer& authorizer, const Call& call, const Value& document, const Value* old) {
  const Value& aggregation = document.at("aggregationRule");
  bool same_aggregation = old != nullptr && old->at("aggregationRule") == aggregation;
  if (old != nullptr && same_aggregation && old->at("rules") == document.at("rules")) return {};
  Attributes escalate{"escalate", kGroup, "*", call.resource->name, {}, call.request.ns, {}, {}};
  escalate.name = document.at({"metadata", "name"}).as_string();
  if (authorizer.allows(call.identity, escalate)) return {};
  // Taking over whatever is labelled so later means that any right may come.
  if (!aggregation.is_null() && !same_aggregation) {
    STEAD_TRY_VOID(
        check_rights(authorizer, call, document, {{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}}));
  }
  return check_rights(authorizer, call, document, read_rules(document.at("rules")));
}

Result<void> check_binding(const Authorizer& authorizer, const cache::Cache& cache, const Call& call,
                           const Value& document, const Value* old) {
  bool same =
      old != nullptr && old->at("roleRef") == document.at("roleRef") && old->at("subjects") == document.at("subjects");
  if (same) return {};
  bool cluster_role = document.at({"roleRef", "kind"}).as_string() == "ClusterRole";
  std::string name(document.at({"roleRef", "name"}).as_string());
  std::string_view resource = cluster_role ? "clusterroles" : "roles";
  Attributes bind{"bind", kGroup, "*", resource, {}, call.request.ns, name, {}};
  if (authorizer.allows(call.identity, bind)) return {};
  object::ObjectPtr role =
      cache.get(std::string(kGroup) + "/" + std::string(resource), cluster_role ? name : call.request.ns + "/" + name);
  if (!role) {
    Error error = make_error(Reason::kNotFound, fmt::format("{}.{} {} not found", resource, kGroup, quote(name)));
    error.group = kGroup;
    error.kind = resource;
    error.name = name;
    return error;
  }
  return check_rights(authorizer, call, document, read_rules(role->document().at("rules")));
}

}  // namespace

Result<void> check_escalation(const Authorizer& authorizer, const cache::Cache& cache, const Call& call,
                              const Value& document, const Value* old) {
  if (call.resource->group != kGroup || call.identity.in_group(kMasters)) return {};
  std::string_view resource = call.resource->name;
  if (resource == "roles" || resource == "clusterroles") return check_role(authorizer, call, document, old);
  return check_binding(authorizer, cache, call, document, old);
}

}  // namespace stead::apiserver
