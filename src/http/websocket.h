#pragma once

// WebSocket (RFC 6455), the server's side: the handshake's parts and frames as bytes. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/http.h"

namespace stead::http {

// Whether `request` asks for the upgrade to WebSocket version 13, with a key.
bool asks_for_websocket(const Request& request);
// The subprotocols that the client offers, best first.
std::vector<std::string> websocket_protocols(const Request& request);
// The headers of the "101 Switching Protocols". An empty `protocol` names none.
Headers websocket_answer(const Request& request, std::string_view protocol);

enum class WebSocketKind : uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

struct WebSocketMessage {
  WebSocketKind kind;
  std::string data;
};

// One unmasked frame that is a whole message.
std::string websocket_frame(WebSocketKind kind, std::string_view data);
// A close frame with a status code (RFC 6455 section 7.4), 1000 for a normal end.
std::string websocket_close(uint16_t code, std::string_view reason = {});

// Puts a client's frames together. Bounded: a message larger than `message_bytes_max` is refused.
class WebSocketReader {
 public:
  explicit WebSocketReader(size_t message_bytes_max) : message_bytes_max_(message_bytes_max) {}

  // Appends the messages that `bytes` completes. 0, or the status code to close with: the client broke the protocol.
  uint16_t take(std::string_view bytes, std::vector<WebSocketMessage>& messages);

 private:
  uint16_t take_frame(uint8_t first, std::string payload, std::vector<WebSocketMessage>& messages);

  const size_t message_bytes_max_;
  std::string pending_;
  bool in_message_ = false;
  WebSocketMessage message_{};
};

}  // namespace stead::http
