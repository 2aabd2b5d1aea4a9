#pragma once

// HTTP as the rest of the house sees it: requests, answers, streams, upgrades. Knows nothing of Kubernetes.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/byte_stream.h"

struct ssl_ctx_st;

namespace stead::http {

// Protocols, ciphers and certificates (tls.h makes them).
using TlsContext = std::shared_ptr<ssl_ctx_st>;

// The verified client certificate of a connection.
struct Peer {
  std::string common_name;
  std::vector<std::string> organizations;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // upper case
  std::string target;  // as sent: "/api/v1/pods?watch=1"
  std::string path;    // decoded path of the target
  // Decoded query parameters in order; keys may repeat.
  std::vector<std::pair<std::string, std::string>> query;
  Headers headers;
  std::string body;
  std::optional<Peer> peer;
  std::string remote_address;  // "127.0.0.1:4711"

  // The first value, case-insensitively by name; empty if absent.
  std::string_view header(std::string_view name) const;
  // The first value; empty if absent. has_query tells ?x= from nothing.
  std::string_view query_value(std::string_view name) const;
  bool has_query(std::string_view name) const;
  // A switch: on where it is there, but for "0" and "false".
  bool has_flag(std::string_view name) const;
};

using Bytes = std::shared_ptr<const std::string>;

struct Response {
  int status = 200;
  Headers headers;          // Content-Length and Date are added
  std::vector<Bytes> body;  // sent one after the other, without joining them first

  static Response text(int status, std::string body, std::string content_type = "text/plain; charset=utf-8");
};

// Where a request is passed on to.
struct Upstream {
  std::string host;  // an IP address or "localhost"
  uint16_t port = 0;
  TlsContext tls;  // null: plain TCP
  // From the connection to the head of the answer; zero: as long as the client waits.
  std::chrono::seconds answer_timeout{30};
  // What the client gets where there is no answer, told why; null: a 502 in plain text.
  std::function<Response(const std::string& why)> unreachable;
};

// One request and the way to answer it. Held by shared_ptr; used on the server's loop only. Exactly one of
// respond(), start()+finish(), relay(), join() must be called. An Exchange dropped unanswered gets a 500.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;

  virtual void respond(Response response) = 0;

  // A streamed answer (watch, logs): chunked where HTTP/1.1. write() never blocks; what the client has not taken
  // is queued, and queued_bytes() tells how much: callers end streams that fall too far behind.
  virtual void start(int status, Headers headers) = 0;
  virtual void write(Bytes chunk) = 0;
  virtual void finish() = 0;
  virtual size_t queued_bytes() const = 0;

  // `closed` runs once if the client goes away before the answer is complete.
  virtual void on_close(std::function<void()> closed) = 0;
  // `drained` runs each time the queue of write() has been sent.
  virtual void on_drain(std::function<void()> drained) = 0;

  // Sends this request on with `target`, upgrade headers included, credentials not. If the other server switches
  // protocols, bytes are relayed both ways until either side closes; any other answer is passed on as it comes.
  virtual void relay(const Upstream& upstream, const std::string& target) = 0;

  // Takes the connection over, joined to another server: sends `request` to `upstream` with `target`. If that
  // switches protocols, the client gets "101 Switching Protocols" with `headers`, and `joined` what both are from then
  // on, to be begun; otherwise the client gets what the server said.
  using Joined = std::function<void(ByteStreamPtr client, ByteStreamPtr upstream)>;
  virtual void join(Request request, const Upstream& upstream, const std::string& target, Headers headers,
                    Joined joined) = 0;

  // The one method for any thread: runs `task` on the server's loop. For handlers that do part of their work
  // elsewhere.
  virtual void post(std::function<void()> task) = 0;
};

using ExchangePtr = std::shared_ptr<Exchange>;
using Handler = std::function<void(ExchangePtr)>;

// Percent-decoding; nullopt on malformed escapes.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
std::string percent_encode(std::string_view text);

}  // namespace stead::http
