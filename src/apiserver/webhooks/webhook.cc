#include "apiserver/webhooks/webhook.h"

#include <fmt/format.h>

#include "apiserver/webhooks/request_match.h"

namespace stead::apiserver {
using object::Value;

std::string_view operation_name(Operation operation) {
  switch (operation) {
    case Operation::kCreate:
      return "CREATE";
    case Operation::kUpdate:
      return "UPDATE";
    case Operation::kDelete:
      return "DELETE";
    case Operation::kConnect:
      break;
  }
  return "CONNECT";
}

Webhook Webhook::make(const Value& document, bool mutating) {
  Webhook made;
  made.name = document.at("name").as_string();
  made.mutating = mutating;
  made.rules = document.at("rules");
  made.equivalent = document.at("matchPolicy").as_string() != "Exact";
  made.failure_is_fatal = document.at("failurePolicy").as_string() != "Ignore";
  made.reinvoke = document.at("reinvocationPolicy").as_string() == "IfNeeded";
  made.namespaces = selector_of(document.at("namespaceSelector"));
  made.objects = selector_of(document.at("objectSelector"));
  object::FieldErrors none;
  made.conditions = kinds::compile_match_conditions({}, document.at("matchConditions"), false, none);
  made.timeout = std::chrono::seconds(document.at("timeoutSeconds").as_int(10));
  for (const Value& version : document.at("admissionReviewVersions").items()) {
    if (version.as_string() != "v1" && version.as_string() != "v1beta1") continue;
    made.review_version = version.as_string();
    break;
  }
  made.target = WebhookTarget::make(document.at("clientConfig"));
  return made;
}

const kinds::Version* Webhook::matching_version(const Call& call, Operation operation) const {
  return apiserver::matching_version(rules, equivalent, call, operation, std::nullopt);
}

bool Webhook::selects(const AdmissionAttributes& attributes, const Value* namespace_labels) const {
  return selectors_choose(namespaces, objects, attributes, namespace_labels);
}

bool is_exempt_from_webhooks(const Call& call) { return call.resource->group == "admissionregistration.k8s.io"; }

}  // namespace stead::apiserver
