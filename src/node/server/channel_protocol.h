#pragma once

// The WebSocket subprotocols of exec and attach: one byte that names a channel, then its bytes; in the base64 forms a
// digit and text. Pure. (Kubernetes' KEP-4006; pkg wsstream for the older ones.)

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/websocket.h"

namespace stead::node {

enum class Channel : uint8_t { kStdin = 0, kStdout = 1, kStderr = 2, kError = 3, kResize = 4, kClose = 255 };

struct ChannelProtocol {
  std::string name;  // empty: the client named none
  bool base64 = false;
  bool status_documents = false;  // since v4 the error channel carries a Status; before, text and only of failures
  bool close_signal = false;      // since v5 the client can end a channel
};

// The best of what both sides speak; nullopt if the client offers only others.
std::optional<ChannelProtocol> choose_channel_protocol(const std::vector<std::string>& offered);

// One frame that carries `bytes`.
std::string channel_frame(const ChannelProtocol& protocol, Channel channel, std::string_view bytes);

struct ChannelMessage {
  Channel channel;
  std::string bytes;
};
// nullopt: there is no channel in it, or no base64.
std::optional<ChannelMessage> read_channel_message(const ChannelProtocol& protocol, std::string_view data);

}  // namespace stead::node
