#pragma once

// One HTTP/2 connection of a server, from the end of its TLS handshake: joins an Http2Protocol to the socket and its
// streams to exchanges, whose number is the stream's.
//
//   open ──shut_down(), idle too long, or the client broke the protocol──▶ ending: GOAWAY, answers completed
//     └──connection lost, or the client takes nothing──▶ closed ◀──peer's end or a second── lingering ◀──┘
//
// Loop thread only.

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "http/connection.h"
#include "http/http2_protocol.h"
#include "http/relay.h"
#include "http/server_session.h"
#include "http/server_state.h"

namespace stead::http {

class Http2Session final : public ServerSession, public std::enable_shared_from_this<Http2Session> {
 public:
  Http2Session(std::shared_ptr<ServerState> server, ConnectionPtr connection, std::string remote_address,
               std::optional<Peer> peer);
  void begin();

  void close(bool tell) override;
  void shut_down() override;
  bool in_progress(uint64_t serial) const override;
  void respond(uint64_t serial, Response response) override;
  void start(uint64_t serial, int status, const Headers& headers) override;
  void write(uint64_t serial, Bytes chunk) override;
  void finish(uint64_t serial) override;
  size_t queued_bytes(uint64_t serial) const override;
  void on_close(uint64_t serial, std::function<void()> closed) override;
  void on_drain(uint64_t serial, std::function<void()> drained) override;
  // No connection can be taken over: a server that switches protocols is answered for with a 502.
  void relay(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target) override;
  void join(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target,
            Headers headers, Exchange::Joined joined) override;
  void abandoned(uint64_t serial) override;

 private:
  enum class Phase : uint8_t { kOpen, kLingering, kClosed };
  // An answer that its handler has not completed.
  struct Answer {
    bool started = false;
    std::function<void()> closed;
    std::function<void()> drained;
    UpstreamSlots upstream;
  };

  void pump();
  void pump_later();
  void wait(Io want);
  bool flush();
  void receive();
  void handle_events();
  void dispatch(int32_t stream, Request request);
  void answer_gone(int32_t stream);
  Answer* answer(uint64_t serial);
  void tick();
  void set_tick();

  const std::shared_ptr<ServerState> server_;
  const ConnectionPtr connection_;
  const std::string remote_address_;
  const std::optional<Peer> peer_;
  Http2Protocol protocol_;
  Phase phase_ = Phase::kOpen;
  std::unordered_map<uint64_t, Answer> answers_;

  std::string out_;  // from out_at_ on
  size_t out_at_ = 0;
  bool write_blocked_ = false;

  bool pumping_ = false;
  bool pump_again_ = false;
  bool pump_posted_ = false;

  Instant moved_;  // when anything was last received or taken by the socket
  loop::TimerId timer_ = loop::TimerId::kNone;
};

}  // namespace stead::http
