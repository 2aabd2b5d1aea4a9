#include "http/websocket.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

#include "http/message_parser.h"

namespace stead::http {
namespace {

constexpr uint16_t kProtocolError = 1002;
constexpr uint16_t kTooBig = 1009;
constexpr size_t kControlBytesMax = 125;

template <class Visit>
void each_token(std::string_view list, Visit visit) {
  while (!list.empty()) {
    size_t end = std::min(list.find(','), list.size());
    std::string_view token = list.substr(0, end);
    list.remove_prefix(std::min(list.size(), end + 1));
    while (!token.empty() && (token.front() == ' ' || token.front() == '\t')) token.remove_prefix(1);
    while (!token.empty() && (token.back() == ' ' || token.back() == '\t')) token.remove_suffix(1);
    if (!token.empty()) visit(token);
  }
}

bool has_token(const Request& request, std::string_view name, std::string_view wanted) {
  bool found = false;
  for (const auto& [key, value] : request.headers) {
    if (!equal_ignoring_case(key, name)) continue;
    each_token(value, [&](std::string_view token) { found = found || equal_ignoring_case(token, wanted); });
  }
  return found;
}

// RFC 6455 section 4.2.2.
std::string accept_value(std::string_view key) {
  std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 4 * ((SHA_DIGEST_LENGTH + 2) / 3) + 1> encoded{};
  int size = EVP_EncodeBlock(encoded.data(), digest.data(), SHA_DIGEST_LENGTH);
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<size_t>(size)};
}

}  // namespace

bool asks_for_websocket(const Request& request) {
  return request.method == "GET" && has_token(request, "Connection", "upgrade") &&
         has_token(request, "Upgrade", "websocket") && request.header("Sec-WebSocket-Version") == "13" &&
         !request.header("Sec-WebSocket-Key").empty();
}

std::vector<std::string> websocket_protocols(const Request& request) {
  std::vector<std::string> protocols;
  for (const auto& [name, value] : request.headers) {
    if (!equal_ignoring_case(name, "Sec-WebSocket-Protocol")) continue;
    each_token(value, [&](std::string_view token) { protocols.emplace_back(token); });
  }
  return protocols;
}

Headers websocket_answer(const Request& request, std::string_view protocol) {
  Headers headers = {{"Upgrade", "websocket"},
                     {"Connection", "Upgrade"},
                     {"Sec-WebSocket-Accept", accept_value(request.header("Sec-WebSocket-Key"))}};
  if (!protocol.empty()) headers.emplace_back("Sec-WebSocket-Protocol", protocol);
  return headers;
}

std::string websocket_frame(WebSocketKind kind, std::string_view data) {
  std::string frame;
  frame.reserve(data.size() + 10);
  frame.push_back(static_cast<char>(0x80 | static_cast<uint8_t>(kind)));
  uint64_t size = data.size();
  int size_bytes = size <= 125 ? 0 : size <= 0xffff ? 2 : 8;
  frame.push_back(static_cast<char>(size_bytes == 0 ? size : size_bytes == 2 ? 126 : 127));
  for (int at = size_bytes - 1; at >= 0; --at) frame.push_back(static_cast<char>(size >> (8 * at)));
  return frame.append(data);
}

std::string websocket_close(uint16_t code, std::string_view reason) {
  std::string data = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return websocket_frame(WebSocketKind::kClose, data.append(reason.substr(0, kControlBytesMax - 2)));
}

uint16_t WebSocketReader::take(std::string_view bytes, std::vector<WebSocketMessage>& messages) {
  pending_.append(bytes);
  size_t used = 0;
  uint16_t failure = 0;
  while (failure == 0) {
    std::string_view rest = std::string_view(pending_).substr(used);
    if (rest.size() < 2) break;
    auto byte = [&](size_t at) { return static_cast<uint8_t>(rest[at]); };
    bool masked = (byte(1) & 0x80) != 0;
    uint64_t size = byte(1) & 0x7f;
    size_t head = 2;
    size_t size_bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (rest.size() < head + size_bytes) break;
    if (size_bytes > 0) size = 0;
    for (size_t at = 0; at < size_bytes; ++at) size = size << 8 | byte(head + at);
    head += size_bytes;
    // RFC 6455 section 5.1: a server must not take unmasked frames.
    if (!masked) return kProtocolError;
    if (size > message_bytes_max_ || message_.data.size() + size > message_bytes_max_) return kTooBig;
    if (rest.size() < head + 4 + size) break;
    std::string payload(rest.substr(head + 4, size));
    for (size_t at = 0; at < payload.size(); ++at) payload[at] = static_cast<char>(payload[at] ^ rest[head + at % 4]);
    used += head + 4 + size;
    failure = take_frame(byte(0), std::move(payload), messages);
  }
  pending_.erase(0, used);
  return failure;
}

uint16_t WebSocketReader::take_frame(uint8_t first, std::string payload, std::vector<WebSocketMessage>& messages) {
  bool last = (first & 0x80) != 0;
  uint8_t code = first & 0x0f;
  if ((first & 0x70) != 0) return kProtocolError;  // extensions: none was agreed on
  if (code >= 8) {
    if (!last || payload.size() > kControlBytesMax || code > 10) return kProtocolError;
    messages.push_back({static_cast<WebSocketKind>(code), std::move(payload)});
    return 0;
  }
  if (code > 2 || (code == 0) != in_message_) return kProtocolError;
  if (code != 0) message_.kind = static_cast<WebSocketKind>(code);
  message_.data.append(payload);
  in_message_ = !last;
  if (last) messages.push_back(std::exchange(message_, {}));
  return 0;
}

}  // namespace stead::http
