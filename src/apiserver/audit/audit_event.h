#pragma once

// One recorded request (audit.k8s.io/v1 Event, level Metadata). Pure, any thread.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "apiserver/authorization/attributes.h"
#include "base/clock.h"
#include "client/transport.h"
#include "http/http.h"
#include "object/value.h"

namespace stead::apiserver {

struct AuditedRequest {
  std::string id;
  std::string uri, user_agent, source;
  client::Identity identity;                                          // who authenticated
  std::optional<client::Identity> impersonated;                       // and as whom they act
  std::string verb, group, version, resource, subresource, ns, name;  // resource: empty for a path
  WallTime received;
  // What admission adds while it judges; shared with the request on its way.
  std::shared_ptr<std::map<std::string, std::string>> annotations = {};
};

// `stage` is "ResponseStarted" or "ResponseComplete"; `status` the HTTP status of the answer.
object::Value audit_event(const AuditedRequest& request, std::string_view stage, int status, WallTime now);

}  // namespace stead::apiserver
