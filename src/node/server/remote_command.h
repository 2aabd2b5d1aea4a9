#pragma once

// An exec or attach between a client that speaks WebSocket and the runtime's streaming server, which speaks SPDY.
//
//   client: channels in messages ◀──▶ RemoteCommand ◀──▶ streams: error, stdin, stdout, stderr, resize
//
// Over once the runtime has ended the error stream and the outputs, or either side is gone. Neither side's bytes pile
// up: who sends faster than the other takes is paused. On the exchange's loop.

#include <map>
#include <memory>
#include <string>

#include "http/byte_stream.h"
#include "http/spdy.h"
#include "node/server/channel_protocol.h"
#include "node/server/target.h"

namespace stead::node {

class RemoteCommand : public std::enable_shared_from_this<RemoteCommand> {
 public:
  RemoteCommand(ChannelProtocol protocol, const KubeletTarget& target, http::ByteStreamPtr client,
                http::ByteStreamPtr upstream);
  // Kept alive by its connections from here on.
  void begin();

 private:
  void open(const char* type, Channel channel);
  void from_client(std::string_view bytes);
  void take_message(const http::WebSocketMessage& message);
  void from_upstream(std::string_view bytes);
  void take_frame(const http::SpdyFrame& frame);
  void take_status(std::string_view bytes);
  void upstream_gone();
  void finish(uint16_t close_code);
  void balance();

  const ChannelProtocol protocol_;
  const bool tty_, input_, output_, error_;
  const http::ByteStreamPtr client_;
  const http::ByteStreamPtr upstream_;
  http::WebSocketReader reader_;
  http::SpdyReader spdy_reader_;
  http::SpdyWriter spdy_;
  std::map<uint32_t, Channel> channels_;  // of streams, by id, until the runtime ends them
  std::map<Channel, uint32_t> streams_;   // for the client's channels, until the client ends them
  uint32_t next_stream_ = 1;
  std::string status_text_;  // what came on the error stream, for clients that take it as text
  bool status_seen_ = false;
  bool finished_ = false;
};

}  // namespace stead::node
