#include "node/server/channel_protocol.h"

#include "object/base64.h"

namespace stead::node {
namespace {

const ChannelProtocol kProtocols[] = {
    {"v5.channel.k8s.io", false, true, true},        {"v4.channel.k8s.io", false, true, false},
    {"v4.base64.channel.k8s.io", true, true, false}, {"channel.k8s.io", false, false, false},
    {"base64.channel.k8s.io", true, false, false},
};

}  // namespace

std::optional<ChannelProtocol> choose_channel_protocol(const std::vector<std::string>& offered) {
  if (offered.empty()) return ChannelProtocol{};
  // The client's order counts.
  for (const std::string& name : offered) {
    for (const ChannelProtocol& protocol : kProtocols) {
      if (protocol.name == name) return protocol;
    }
  }
  return std::nullopt;
}

std::string channel_frame(const ChannelProtocol& protocol, Channel channel, std::string_view bytes) {
  std::string data;
  if (protocol.base64) {
    data.push_back(static_cast<char>('0' + static_cast<int>(channel)));
    data.append(object::encode_base64(bytes));
    return http::websocket_frame(http::WebSocketKind::kText, data);
  }
  data.reserve(bytes.size() + 1);
  data.push_back(static_cast<char>(channel));
  data.append(bytes);
  return http::websocket_frame(http::WebSocketKind::kBinary, data);
}

std::optional<ChannelMessage> read_channel_message(const ChannelProtocol& protocol, std::string_view data) {
  if (data.empty()) return std::nullopt;
  if (!protocol.base64) {
    return ChannelMessage{static_cast<Channel>(static_cast<uint8_t>(data.front())), std::string(data.substr(1))};
  }
  auto bytes = object::decode_base64(data.substr(1));
  if (data.front() < '0' || data.front() > '9' || !bytes.ok()) return std::nullopt;
  return ChannelMessage{static_cast<Channel>(data.front() - '0'), std::move(*bytes)};
}

}  // namespace stead::node
