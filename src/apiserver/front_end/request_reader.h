#pragma once

// From an HTTP request to a verb call. Pure.

#include "apiserver/front_end/negotiation.h"
#include "apiserver/front_end/route.h"
#include "client/transport.h"
#include "http/http.h"
#include "object/codec.h"

namespace stead::apiserver {

struct ReadRequest {
  client::Request request;
  object::StrictErrors strict;  // duplicate fields of the body
};

// What the route and the method alone say; a method that means nothing there reads as get.
client::Request request_of(const Route& route, const http::Request& http);

// Decodes method, query and body for a resource route. kBadRequest, kMethodNotAllowed, kUnsupportedMediaType.
Result<ReadRequest> read_request(const Route& route, const http::Request& http);

}  // namespace stead::apiserver
