#pragma once

// Between verbs and HTTP messages, as the API defines them. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "client/transport.h"
#include "http/async_client.h"

namespace stead::client {

// kNotFound: the kind is not known here and the request names no version.
Result<http::OutgoingRequest> to_http(const Request& request, const std::string& bearer_token);

// The answer to `request`; an error status becomes the Error that its Status document tells.
Result<Response> from_http(const Request& request, const http::ClientResponse& http);

// The Error of an answer that is no success.
Error error_of(int status, const http::Headers& headers, const std::string& body);

// One line of a watch. An ERROR event is the error.
Result<WatchEvent> watch_event(std::string_view line);

}  // namespace stead::client
