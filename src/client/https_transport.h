#pragma once

// The HTTPS form of ApiTransport: agents and outside controllers speak to the API server with it. Who the caller is
// says the TLS client certificate. One transport belongs to one loop.
//
// - Calls share kept-alive connections. What the server cannot have acted on (no connection, or a read) is repeated,
//   as is what it asks to repeat (429 and 503 with Retry-After): at most five times, with back-off; then the error
//   reaches the caller, who tries again in its own time. A write whose answer was lost is not repeated.
// - A watch outlives its connection: it goes on from the last revision that it has seen, with back-off between 50 ms
// and
//   2 s for as long as the server is away, so that informers notice nothing. on_end() comes when the server says that
//   the revision is too old (kExpired) or refuses the request.
// - Unlike the in-process form, a write's watch events may come before or after its answer.
// - A delete that is complete answers no object for most kinds (the API sends a Status): Response::object is null.

#include <chrono>
#include <memory>
#include <string>

#include "client/transport.h"
#include "http/tls.h"

namespace stead::loop {
class AsioLoop;
}

namespace stead::client {

struct HttpsTransportOptions {
  std::string host;
  uint16_t port = 6443;
  http::TlsContext tls;
  std::string bearer_token;  // empty: none
  std::chrono::milliseconds answer_timeout{30'000};
  // A watch on which nothing comes for so long is opened again; the server sends bookmarks every minute.
  std::chrono::milliseconds silence_max{150'000};
};

class HttpsTransport final : public ApiTransport {
 public:
  // `loop` outlives the transport. Destroyed on the loop's thread or after it stopped: calls in progress end without
  // their callback.
  HttpsTransport(loop::AsioLoop& loop, HttpsTransportOptions options);
  ~HttpsTransport() override;

  void call(Request request, Callback done) override;
  std::unique_ptr<Watch> watch(Request request, std::shared_ptr<WatchSink> sink) override;

  // A new certificate, for connections from now on. Any thread.
  void use_tls(http::TlsContext tls);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::client
