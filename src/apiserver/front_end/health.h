#pragma once

// /healthz, /livez and /readyz as kube-apiserver answers them: each check alone below the path, all of them with
// ?verbose, without those that ?exclude names. Pure.

#include <optional>
#include <string_view>

#include "http/http.h"

namespace stead::apiserver {

// What the answers depend on.
struct Health {
  bool node_started = true;  // told by /readyz alone
};

// Nothing for a path that is none of these.
std::optional<http::Response> health_response(const http::Request& request, const Health& health);

}  // namespace stead::apiserver
