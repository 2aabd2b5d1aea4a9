#include "controllers/cluster_roles/aggregation_policy.h"

#include <algorithm>

#include "object/selector.h"

namespace stead::controllers::cluster_roles {
namespace {

const ResourceRef kClusterRoles{"rbac.authorization.k8s.io", "clusterroles"};

}  // namespace

client::Plan decide(const object::Object& role, const std::vector<ObjectPtr>& roles) {
  client::Plan plan;
  const Value& aggregation = role.document().at("aggregationRule");
  if (aggregation.is_null()) return plan;
  Value rules = Value::array();
  for (const Value& document : aggregation.at("clusterRoleSelectors").items()) {
    Result<object::LabelSelector> selector = object::LabelSelector::from_document(document);
    if (!selector.ok()) continue;
    for (const ObjectPtr& other : roles) {
      if (other->name() == role.name() || !selector->matches(other->metadata().at("labels"))) continue;
      for (const Value& rule : other->document().at("rules").items()) {
        auto known = rules.items();
        if (std::find(known.begin(), known.end(), rule) == known.end()) rules.append(rule);
      }
    }
  }
  const Value& present = role.document().at("rules");
  if (present == rules || (present.empty() && rules.empty())) return plan;
  Value body = role.document();
  body.set("rules", std::move(rules));
  plan.steps.push_back({update_request(kClusterRoles, std::move(body)), {}, {}, {}});
  return plan;
}

}  // namespace stead::controllers::cluster_roles
