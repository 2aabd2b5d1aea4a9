#pragma once

// An HTTPS server on one loop, for HTTP/1.1 and, where the client chooses it in the TLS handshake, HTTP/2. Limits:
// header bytes, body bytes (413), idle and header time-outs, connections, streams of one connection.
// A client that talks nonsense or breaks TLS loses its connection, nothing else.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/http.h"

namespace stead::loop {
class AsioLoop;
}

namespace stead::http {

struct TlsFiles {
  std::string certificate_pem;
  std::string key_pem;
  std::string client_ca_pem;  // empty: client certificates are not asked for
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any free port
  TlsFiles tls;       // empty certificate: plain HTTP (tests)
  size_t header_bytes_max = 64 * 1024;
  size_t body_bytes_max = 3 * 1024 * 1024;
  size_t connections_max = 10'000;
  bool http2 = true;           // offered over TLS
  uint32_t streams_max = 250;  // at once, of one HTTP/2 connection
  std::chrono::seconds header_timeout{30};
  std::chrono::seconds idle_timeout{180};
};

class Server {
 public:
  virtual ~Server() = default;  // on the loop's thread or after it stopped: closes everything
  virtual uint16_t port() const = 0;
  // Further addresses served by the same handler (loop thread).
  virtual Result<void> listen(const std::string& address, uint16_t port) = 0;
  // Certificates for connections from now on (loop thread). kBadRequest, and no change, if the PEMs do not parse.
  virtual Result<void> use_tls(const TlsFiles& files) = 0;
  // Stops accepting, ends idle and upgraded connections and asks streams to finish; answers in progress are completed.
  // `ended` runs on the loop when the last connection has gone.
  virtual void shut_down(std::function<void()> ended = nullptr) = 0;
};

// The handler runs on the loop's thread. Fails if the address cannot be bound or the PEMs do not parse.
Result<std::unique_ptr<Server>> make_server(loop::AsioLoop& loop, ServerOptions options, Handler handler);

}  // namespace stead::http
