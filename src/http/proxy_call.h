#pragma once

// A request passed on to another server, whose answer is passed back as it comes (pods/…/proxy and the like).

#include <string>

#include "http/http.h"

namespace stead::loop {
class AsioLoop;
}

namespace stead::http {

// Answers `exchange` with what the server says, streamed, or with a 502; credentials stay here. A server that falls
// silent is waited for as long as the client waits. Loop thread only.
void proxy(loop::AsioLoop& loop, ExchangePtr exchange, const ProxyTarget& target);

}  // namespace stead::http
