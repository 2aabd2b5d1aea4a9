#include "node/server/stream_tunnel.h"

namespace stead::node {
namespace {

constexpr size_t kMessageBytesMax = 4 * 1024 * 1024;
constexpr size_t kQueuedBytesMax = 256 * 1024;
constexpr uint16_t kNormalEnd = 1000;

}  // namespace

StreamTunnel::StreamTunnel(http::ByteStreamPtr client, http::ByteStreamPtr upstream)
    : client_(std::move(client)), upstream_(std::move(upstream)), reader_(kMessageBytesMax) {}

void StreamTunnel::begin() {
  auto self = shared_from_this();
  client_->begin({[self](std::string_view bytes) { self->from_client(bytes); }, [self] { self->balance(); },
                  [self] { self->finish(kNormalEnd); }});
  upstream_->begin({[self](std::string_view bytes) {
                      self->client_->write(http::websocket_frame(http::WebSocketKind::kBinary, bytes));
                      self->balance();
                    },
                    [self] { self->balance(); }, [self] { self->finish(kNormalEnd); }});
}

void StreamTunnel::from_client(std::string_view bytes) {
  std::vector<http::WebSocketMessage> messages;
  uint16_t failure = reader_.take(bytes, messages);
  for (http::WebSocketMessage& message : messages) {
    if (message.kind == http::WebSocketKind::kPing) {
      client_->write(http::websocket_frame(http::WebSocketKind::kPong, message.data));
    } else if (message.kind == http::WebSocketKind::kClose) {
      return finish(kNormalEnd);
    } else if (message.kind != http::WebSocketKind::kPong) {
      upstream_->write(std::move(message.data));
    }
  }
  if (failure != 0) return finish(failure);
  balance();
}

void StreamTunnel::finish(uint16_t close_code) {
  if (finished_) return;
  finished_ = true;
  client_->write(http::websocket_close(close_code));
  client_->end();
  upstream_->end();
}

void StreamTunnel::balance() {
  if (finished_) return;
  upstream_->pause(client_->queued_bytes() > kQueuedBytesMax);
  client_->pause(upstream_->queued_bytes() > kQueuedBytesMax);
}

}  // namespace stead::node
