#include "node/server/remote_command.h"

#include "object/codec.h"

namespace stead::node {
namespace {

using http::SpdyFrame;
using http::WebSocketKind;

// Clients send what was pasted or piped into them as one message.
constexpr size_t kMessageBytesMax = 32 * 1024 * 1024;
// What may wait for one side before the other is paused.
constexpr size_t kQueuedBytesMax = 256 * 1024;
constexpr size_t kStatusBytesMax = 64 * 1024;
constexpr uint16_t kNormalEnd = 1000;
constexpr uint16_t kUnusable = 1011;

}  // namespace

RemoteCommand::RemoteCommand(ChannelProtocol protocol, const KubeletTarget& target, http::ByteStreamPtr client,
                             http::ByteStreamPtr upstream)
    : protocol_(std::move(protocol)),
      tty_(target.tty),
      input_(target.input),
      output_(target.output),
      error_(target.error),
      client_(std::move(client)),
      upstream_(std::move(upstream)),
      reader_(kMessageBytesMax) {}

void RemoteCommand::begin() {
  open("error", Channel::kError);
  if (input_) open("stdin", Channel::kStdin);
  if (output_) open("stdout", Channel::kStdout);
  if (error_) open("stderr", Channel::kStderr);
  if (tty_) open("resize", Channel::kResize);
  // Tells the client that it is connected, on the lowest channel it hears of.
  Channel lowest = output_ ? Channel::kStdout : error_ ? Channel::kStderr : Channel::kError;
  client_->write(channel_frame(protocol_, lowest, {}));
  auto self = shared_from_this();
  client_->begin({[self](std::string_view bytes) { self->from_client(bytes); }, [self] { self->balance(); },
                  [self] { self->finish(kNormalEnd); }});
  upstream_->begin({[self](std::string_view bytes) { self->from_upstream(bytes); }, [self] { self->balance(); },
                    [self] { self->upstream_gone(); }});
}

void RemoteCommand::open(const char* type, Channel channel) {
  channels_[next_stream_] = channel;
  streams_[channel] = next_stream_;
  upstream_->write(spdy_.open(next_stream_, {{"streamType", type}}));
  next_stream_ += 2;
}

// ---- the client ----

void RemoteCommand::from_client(std::string_view bytes) {
  std::vector<http::WebSocketMessage> messages;
  uint16_t failure = reader_.take(bytes, messages);
  for (const auto& message : messages) {
    if (finished_) return;
    take_message(message);
  }
  if (failure != 0) finish(failure);
  balance();
}

void RemoteCommand::take_message(const http::WebSocketMessage& message) {
  switch (message.kind) {
    case WebSocketKind::kPing:
      return client_->write(http::websocket_frame(WebSocketKind::kPong, message.data));
    case WebSocketKind::kPong:
      return;
    case WebSocketKind::kClose:
      return finish(kNormalEnd);
    default:
      break;
  }
  auto read = read_channel_message(protocol_, message.data);
  if (!read) return finish(1003);
  Channel channel = read->channel;
  bool last = channel == Channel::kClose && protocol_.close_signal;
  if (last) {
    if (read->bytes.size() != 1) return finish(1003);
    channel = static_cast<Channel>(static_cast<uint8_t>(read->bytes.front()));
    read->bytes.clear();
  }
  // What nobody asked for is ignored, as is what comes on a channel that has ended.
  if (channel != Channel::kStdin && channel != Channel::kResize) return;
  auto stream = streams_.find(channel);
  if (stream == streams_.end() || (read->bytes.empty() && !last)) return;
  upstream_->write(http::SpdyWriter::data(stream->second, read->bytes, last));
  if (last) streams_.erase(stream);
}

// ---- the runtime ----

void RemoteCommand::from_upstream(std::string_view bytes) {
  std::vector<SpdyFrame> frames;
  bool fine = spdy_reader_.take(bytes, frames);
  for (const SpdyFrame& frame : frames) {
    if (finished_) return;
    take_frame(frame);
  }
  if (!fine && !finished_) upstream_gone();
  balance();
}

void RemoteCommand::take_frame(const SpdyFrame& frame) {
  if (frame.kind == SpdyFrame::Kind::kPing) return upstream_->write(http::SpdyWriter::ping(frame.stream));
  auto found = channels_.find(frame.stream);
  if (found == channels_.end()) return;
  Channel channel = found->second;
  if (frame.kind == SpdyFrame::Kind::kData && !frame.data.empty()) {
    if (channel == Channel::kError) {
      take_status(frame.data);
    } else if (channel == Channel::kStdout || channel == Channel::kStderr) {
      client_->write(channel_frame(protocol_, channel, frame.data));
    }
  }
  if (!frame.last) return;
  channels_.erase(found);
  for (const auto& [stream, open] : channels_) {
    if (open == Channel::kError || open == Channel::kStdout || open == Channel::kStderr) return;
  }
  finish(status_seen_ ? kNormalEnd : kUnusable);
}

void RemoteCommand::take_status(std::string_view bytes) {
  status_seen_ = true;
  if (protocol_.status_documents) {
    client_->write(channel_frame(protocol_, Channel::kError, bytes));
  } else if (status_text_.size() < kStatusBytesMax) {
    status_text_.append(bytes);
  }
}

void RemoteCommand::upstream_gone() {
  if (finished_) return;
  if (!status_seen_ && protocol_.status_documents) {
    object::Value status = object::Value::object({{"metadata", object::Value::object()},
                                                  {"status", "Failure"},
                                                  {"message", "the connection to the container runtime was lost"},
                                                  {"reason", "InternalError"},
                                                  {"code", 500}});
    client_->write(channel_frame(protocol_, Channel::kError, object::to_json(status)));
  }
  finish(status_seen_ ? kNormalEnd : kUnusable);
}

// ---- both ----

void RemoteCommand::finish(uint16_t close_code) {
  if (finished_) return;
  finished_ = true;
  if (!status_text_.empty()) {
    auto status = object::parse_json(status_text_);
    if (status.ok() && status->at("status").as_string() == "Failure") {
      client_->write(channel_frame(protocol_, Channel::kError, status->at("message").as_string()));
    }
  }
  client_->write(http::websocket_close(close_code));
  client_->end();
  upstream_->close();
}

void RemoteCommand::balance() {
  if (finished_) return;
  upstream_->pause(client_->queued_bytes() > kQueuedBytesMax);
  client_->pause(upstream_->queued_bytes() > kQueuedBytesMax);
}

}  // namespace stead::node
