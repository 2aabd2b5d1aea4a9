#pragma once

// Where a Service is answered from: what calls services on behalf of the API (webhooks, aggregated APIs) needs no
// service proxy on this machine. API loop only.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "cache/cache.h"

namespace stead::apiserver {

struct ServiceEndpoint {
  std::string host;  // an address; of an ExternalName service its name
  uint16_t port = 0;
};

// A ready endpoint behind `port` of the service, another at each call. kUnavailable: no such service or port, or none
// is ready.
Result<ServiceEndpoint> find_service_endpoint(const cache::Cache& cache, const std::string& ns, const std::string& name,
                                              uint16_t port);

}  // namespace stead::apiserver
