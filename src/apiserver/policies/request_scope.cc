#include "apiserver/policies/request_scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/webhooks/admission_review.h"
#include "apiserver/webhooks/request_match.h"

namespace stead::apiserver {
namespace {

using object::Value;

client::Identity service_account(const cel::AuthorizationQuestion& question) {
  const std::string& ns = question.service_account_namespace;
  return {.user = fmt::format("system:serviceaccount:{}:{}", ns, question.service_account_name),
          .uid = {},
          .groups = {"system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"}};
}

cel::Value seen(const Value& document, const cel::Type& type = {}) {
  return document.is_null() ? cel::Value::null() : cel::Value::document(document, type);
}

}  // namespace

cel::AuthorizationAnswer RequestAuthorizer::check(const cel::AuthorizationQuestion& question) const {
  Attributes attributes{.verb = question.verb,
                        .group = question.group,
                        .version = "*",
                        .resource = question.resource,
                        .subresource = question.subresource,
                        .ns = question.ns,
                        .name = question.name,
                        .path = question.path};
  if (question.field_selector) attributes.field_selector = *question.field_selector;
  const bool other = !question.service_account_name.empty();
  apiserver::Authorizer::Decision decision =
      other ? authorizer_.decide(service_account(question), attributes) : authorizer_.decide(identity_, attributes);
  return {.allowed = decision.allowed, .reason = std::move(decision.reason), .error = {}};
}

cel::Value evaluate(const cel::Program& program, const cel::Activation& activation, CostBudget& budget) {
  if (budget.spent) return cel::Value::error("running out of cost budget");
  cel::Evaluation done = program.evaluate(activation, std::min(cel::kCostLimitPerCall, budget.left));
  if (done.cost > budget.left) budget.spent = true;
  budget.left -= std::min(budget.left, done.cost);
  return std::move(done.value);
}

RequestScope::RequestScope(const AdmissionAttributes& attributes, const kinds::Version& version, const Value* ns,
                           const Authorizer& authorizer)
    : object_(in_version(attributes, version, attributes.object)),
      old_(in_version(attributes, version, attributes.old)),
      request_(describe_request(attributes, version)),
      authorizer_(authorizer, attributes.call->identity) {
  const Call& call = *attributes.call;
  activation_.bind("object", seen(object_));
  activation_.bind("oldObject", seen(old_));
  activation_.bind("request", seen(request_, kinds::admission_request_type()));
  activation_.bind("namespaceObject",
                   ns == nullptr ? cel::Value::null() : seen(*ns, kinds::admission_namespace_type()));
  activation_.bind("authorizer", cel::authorizer_value(authorizer_));
  activation_.bind("authorizer.requestResource",
                   cel::resource_check_value(authorizer_, {.group = std::string(call.version->group),
                                                           .resource = std::string(call.resource->name),
                                                           .subresource = call.request.subresource,
                                                           .ns = call.request.ns,
                                                           .name = std::string(object_name(attributes))}));
}

void RequestScope::set_params(const Value* params) {
  activation_.bind("params", params == nullptr ? cel::Value::null() : seen(*params));
}

Result<bool> all_hold(std::span<const kinds::MatchCondition> conditions, const cel::Activation& activation,
                      CostBudget& budget) {
  std::string failed;
  size_t failures = 0;
  for (const kinds::MatchCondition& condition : conditions) {
    const cel::Value held = evaluate(*condition.program, activation, budget);
    if (held.is_bool() && !held.as_bool()) return false;
    if (!held.is_error()) continue;
    failed += (failures++ == 0 ? "" : ", ") + failure_text(condition.expression, held);
  }
  if (failures == 0) return true;
  return make_error(Reason::kInternal, failures == 1 ? failed : "[" + failed + "]");
}

std::string failure_text(std::string_view expression, const cel::Value& error) {
  return fmt::format("expression '{}' resulted in error: {}", expression, error.error_message());
}

}  // namespace stead::apiserver
