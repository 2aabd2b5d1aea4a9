#pragma once

// The HTTP face of the API server: one handler for every path.

#include <functional>
#include <memory>

#include "apiserver/api_server.h"
#include "apiserver/audit/audited_exchange.h"
#include "http/http.h"

namespace stead::apiserver {

struct FrontEndOptions {
  std::string server_address;                // "127.0.0.1:6443": told by /api
  std::function<bool()> ready;               // whether /readyz says ok
  std::shared_ptr<const AuditTarget> audit;  // null: nothing is recorded
  std::string ca_pem;                        // told at /.well-known/stead/ca.crt to machines that are to join; public
};

// Handles requests on the API's loop. References outlive the handler.
http::Handler make_front_end(ApiServer& server, NodeGateway& nodes, FrontEndOptions options);

}  // namespace stead::apiserver
