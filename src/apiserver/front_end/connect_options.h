#pragma once

// What a connection to a pod, service or node was asked to be: the object that admission is shown (core/v1
// PodExecOptions, PodAttachOptions, PodPortForwardOptions, PodProxyOptions, ServiceProxyOptions, NodeProxyOptions).
// Pure.

#include <string_view>

#include "apiserver/front_end/route.h"
#include "http/http.h"
#include "object/value.h"

namespace stead::apiserver {

// `path`: of a proxy, what lies behind it, query included.
object::Value connect_options(const Route& route, const http::Request& request, std::string_view path);

}  // namespace stead::apiserver
