#pragma once

// A client of one HTTP/1.1 server on a loop: never blocks, keeps connections alive, streams answers. Belongs to the
// loop; every call on its thread (or before it runs), every callback there too, never from within the call itself.
//
//   waiting ──connection free──▶ connecting ─▶ handshake ─▶ sending ─▶ receiving ──▶ over, connection kept or closed

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "http/client.h"
#include "http/tls.h"

namespace stead::loop {
class AsioLoop;
}

namespace stead::http {

struct AsyncClientOptions {
  std::string host;  // an address, or a name that the system's resolver knows
  uint16_t port = 0;
  TlsContext tls;              // null: plain
  std::string server_name;     // whom the certificate must be for, and the Host header; empty: `host`
  size_t connections_max = 8;  // of calls at one time; others wait their turn. Streams come on top.
  // From a connection's start until the server may be sent to.
  std::chrono::milliseconds connect_timeout{5'000};
  // From the sending of a request until its answer is complete; of a stream: until its head is there.
  std::chrono::milliseconds answer_timeout{30'000};
  size_t body_bytes_max = size_t{1} << 30;  // of an answer
};

struct OutgoingRequest {
  std::string method;
  std::string target;
  Headers headers;  // Host and Content-Length are added
  std::string body;
};

class AsyncClient {
 public:
  // A stream in progress. Ends, without a callback, when destroyed.
  class Stream {
   public:
    virtual ~Stream() = default;
  };
  struct StreamEvents {
    std::function<void(int status, const Headers& headers)> head;
    std::function<void(std::string_view piece)> body;
    // Once: the body is complete, or the error says why it never will be.
    std::function<void(Result<void> outcome)> end;
  };
  // `reached`: the server may have acted on the request though the outcome is an error.
  using Done = std::function<void(Result<ClientResponse> response, bool reached)>;

  AsyncClient(loop::AsioLoop& loop, AsyncClientOptions options);
  // Ends everything without callbacks.
  ~AsyncClient();

  // `done` runs exactly once unless the client is destroyed first. A kept connection that turns out closed before
  // anything was answered is replaced once for methods that may be repeated (RFC 9110 section 9.2.2). kUnavailable:
  // no connection, or it broke; kTimeout; kUnauthorized: the server's certificate does not verify.
  void call(OutgoingRequest request, Done done);
  // A stream has a connection of its own. `silence_max` (0: none) ends one on which nothing comes for so long.
  std::unique_ptr<Stream> stream(OutgoingRequest request, StreamEvents events, std::chrono::milliseconds silence_max);
  // For connections from now on; kept ones are closed when they fall idle, streams go on.
  void use_tls(TlsContext tls);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::http
