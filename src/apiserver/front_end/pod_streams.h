#pragma once

// pods/NAME/log, exec, attach, portforward: authorized here, answered by the pod's node. API loop only.

#include "apiserver/api_server.h"
#include "apiserver/front_end/route.h"
#include "http/http.h"

namespace stead::apiserver {

bool is_pod_stream(const Route& route);
void serve_pod_stream(ApiServer& server, NodeGateway& nodes, const client::Identity& identity, const Route& route,
                      const http::ExchangePtr& exchange);

}  // namespace stead::apiserver
