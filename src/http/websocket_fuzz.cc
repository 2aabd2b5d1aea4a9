// Frames of a client and of a SPDY server, in any pieces: bounded, and the pieces make no difference.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "http/spdy.h"
#include "http/websocket.h"

namespace {

using namespace stead::http;

std::string read_websocket(std::string_view bytes, size_t piece) {
  WebSocketReader reader(1000);
  std::vector<WebSocketMessage> messages;
  uint16_t failure = 0;
  while (failure == 0 && !bytes.empty()) {
    failure = reader.take(bytes.substr(0, piece), messages);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  std::string text = std::to_string(failure);
  for (const auto& message : messages) {
    STEAD_CHECK(message.data.size() <= 1000);
    text.append("|").append(std::to_string(static_cast<int>(message.kind))).append(message.data);
  }
  return text;
}

std::string read_spdy(std::string_view bytes, size_t piece) {
  SpdyReader reader;
  std::vector<SpdyFrame> frames;
  bool fine = true;
  while (fine && !bytes.empty()) {
    fine = reader.take(bytes.substr(0, piece), frames);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  std::string text;
  for (const auto& frame : frames) {
    if (frame.kind == SpdyFrame::Kind::kData) text.append(frame.data);
    if (frame.last) text.append("|").append(std::to_string(frame.stream));
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  STEAD_CHECK(read_websocket(bytes, 3) == read_websocket(bytes, bytes.size() + 1));
  STEAD_CHECK(read_spdy(bytes, 3) == read_spdy(bytes, bytes.size() + 1));
  return 0;
}
