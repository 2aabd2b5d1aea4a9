#pragma once

// Where a clientConfig leads: of admission webhooks and of conversion webhooks. API loop only.

#include <cstdint>
#include <string>
#include <string_view>

#include "apiserver/webhooks/webhook_caller.h"
#include "base/result.h"
#include "cache/cache.h"
#include "object/value.h"

namespace stead::apiserver {

struct WebhookTarget {
  std::string service_namespace;  // empty: `host` tells
  std::string service_name;
  std::string host;
  uint16_t port = 443;
  std::string path = "/";
  std::string ca_pem;  // empty: those that the system trusts

  static WebhookTarget make(const object::Value& client_config);
  // "https://name.namespace.svc:443/path"
  std::string url() const;
};

// What to call now; `query` ("?timeout=10s") follows the path. kUnavailable: the service has no ready endpoint.
Result<HttpsTarget> find_webhook(const cache::Cache& cache, const WebhookTarget& target, std::string_view query);

}  // namespace stead::apiserver
