#pragma once

// /metrics: what the process has counted (base/metrics.h) and what can be counted when asked: objects held, the process
// itself, its build. In Prometheus' text form.

#include <string>

#include "apiserver/api_server.h"

namespace stead::apiserver {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// API loop.
std::string metrics_page(ApiServer& server);

}  // namespace stead::apiserver
