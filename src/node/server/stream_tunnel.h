#pragma once

// A SPDY connection inside a WebSocket, as `kubectl port-forward` makes it since 1.31: the bytes of binary messages,
// one after the other, are the connection's. On the exchange's loop.

#include <memory>

#include "http/byte_stream.h"
#include "http/websocket.h"

namespace stead::node {

inline constexpr char kTunnelProtocol[] = "SPDY/3.1+portforward.k8s.io";

class StreamTunnel : public std::enable_shared_from_this<StreamTunnel> {
 public:
  StreamTunnel(http::ByteStreamPtr client, http::ByteStreamPtr upstream);
  // Kept alive by its connections from here on.
  void begin();

 private:
  void from_client(std::string_view bytes);
  void finish(uint16_t close_code);
  void balance();

  const http::ByteStreamPtr client_;
  const http::ByteStreamPtr upstream_;
  http::WebSocketReader reader_;
  bool finished_ = false;
};

}  // namespace stead::node
