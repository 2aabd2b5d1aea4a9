#include "apiserver/audit/audit_event.h"

#include "object/time.h"

namespace stead::apiserver {
namespace {

using object::Value;

Value user_of(const client::Identity& identity) {
  auto list = [](const std::vector<std::string>& texts) {
    Value made = Value::array();
    for (const std::string& text : texts) made.append(text);
    return made;
  };
  Value user = Value::object({{"username", identity.user}});
  if (!identity.uid.empty()) user.set("uid", identity.uid);
  if (!identity.groups.empty()) user.set("groups", list(identity.groups));
  for (const auto& [key, values] : identity.extra) user["extra"].set(key, list(values));
  return user;
}

Value reference_of(const AuditedRequest& request) {
  Value reference = Value::object({{"resource", request.resource}});
  auto set = [&](std::string_view field, const std::string& text) {
    if (!text.empty()) reference.set(field, text);
  };
  set("namespace", request.ns);
  set("name", request.name);
  set("apiGroup", request.group);
  set("apiVersion", request.version);
  set("subresource", request.subresource);
  return reference;
}

}  // namespace

Value audit_event(const AuditedRequest& request, std::string_view stage, int status, WallTime now) {
  Value event = Value::object({{"kind", "Event"},
                               {"apiVersion", "audit.k8s.io/v1"},
                               {"level", "Metadata"},
                               {"auditID", request.id},
                               {"stage", stage},
                               {"requestURI", request.uri},
                               {"verb", request.verb},
                               {"user", user_of(request.identity)}});
  if (request.impersonated) event.set("impersonatedUser", user_of(*request.impersonated));
  event.set("sourceIPs", Value::array({request.source}));
  if (!request.user_agent.empty()) event.set("userAgent", request.user_agent);
  if (!request.resource.empty()) event.set("objectRef", reference_of(request));
  event.set("responseStatus", Value::object({{"metadata", Value::object()}, {"code", status}}));
  event.set("requestReceivedTimestamp", object::format_micro_time(request.received));
  event.set("stageTimestamp", object::format_micro_time(now));
  if (request.annotations) {
    for (const auto& [key, text] : *request.annotations) event["annotations"].set(key, text);
  }
  return event;
}

}  // namespace stead::apiserver
