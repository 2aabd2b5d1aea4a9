#pragma once

// A watch over HTTP: one JSON event per line in a chunked answer, until time-out, disconnect, or the client falls
// more than kQueuedBytesMax behind (it must then list again). API loop only.

#include <memory>

#include "apiserver/api_server.h"
#include "apiserver/front_end/negotiation.h"
#include "apiserver/front_end/table.h"
#include "http/http.h"

namespace stead::apiserver {

// Answers `exchange`.
void serve_watch(ApiServer& server, const client::Identity& identity, client::Request request, const AcceptedForm& form,
                 IncludeObject include_object, const http::ExchangePtr& exchange);

}  // namespace stead::apiserver
