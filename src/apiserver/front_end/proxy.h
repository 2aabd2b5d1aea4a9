#pragma once

// pods/NAME/proxy, services/NAME/proxy, nodes/NAME/proxy: authorized here, then passed on to the pod, to a ready
// endpoint of the service, or to the node. Names may be "NAME", "NAME:PORT" or "SCHEME:NAME:PORT". API loop only.

#include <optional>
#include <string>
#include <string_view>

#include "apiserver/api_server.h"
#include "apiserver/front_end/route.h"
#include "http/http.h"

namespace stead::apiserver {

bool is_proxy(const Route& route);
void serve_proxy(ApiServer& server, NodeGateway& nodes, const client::Identity& identity, const Route& route,
                 const http::ExchangePtr& exchange);

struct ProxyName {
  bool tls = false;
  std::string name;
  std::string port;  // empty: not told
};
// nullopt: no such scheme, or too many parts.
std::optional<ProxyName> parse_proxy_name(std::string_view text);

// What follows "…/proxy" in the target as it was sent, query included; empty if nothing does.
std::string proxied_target(std::string_view target, bool namespaced);

}  // namespace stead::apiserver
