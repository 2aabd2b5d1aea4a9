#pragma once

// One connection of a server, from its handshake to its end, in HTTP/1.1. One whose client chose HTTP/2 in the
// handshake is handed over to an Http2Session.
//
//   handshake ─▶ reading ──request──▶ answering ──sent──▶ reading (keep-alive)
//                   │                    │  │
//                   │ bad request        │  └──upstream switched protocols──▶ a Relay takes the connection
//                   ▼                    ▼ close
//               answering ──sent──▶ lingering ──peer's end or a second──▶ closed
//
// While a request is being answered the session goes on reading (bounded): so it notices a client that leaves, and
// pipelined requests wait in order. Any failure or time-out leads to closed. Loop thread only.

#include <deque>
#include <memory>
#include <string>

#include "http/connection.h"
#include "http/message_parser.h"
#include "http/relay.h"
#include "http/server_session.h"
#include "http/server_state.h"

namespace stead::http {

class Session final : public ServerSession, public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<ServerState> server, ConnectionPtr connection);

  void begin();

  void close(bool tell) override;
  void shut_down() override;
  bool in_progress(uint64_t serial) const override;
  void respond(uint64_t serial, Response response) override;
  void start(uint64_t serial, int status, const Headers& headers) override;
  void write(uint64_t serial, Bytes chunk) override;
  void finish(uint64_t serial) override;
  size_t queued_bytes(uint64_t serial) const override { return in_progress(serial) ? queued_bytes_ : 0; }
  void on_close(uint64_t serial, std::function<void()> closed) override;
  void on_drain(uint64_t serial, std::function<void()> drained) override;
  void relay(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target) override;
  void join(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target,
            Headers headers, Exchange::Joined joined) override;
  void abandoned(uint64_t serial) override;

 private:
  enum class Phase : uint8_t { kHandshake, kReading, kAnswering, kLingering, kClosed };
  // `own` leaves before `shared`.
  struct Piece {
    std::string own;
    Bytes shared;
  };
  // The answer in progress.
  struct Answer {
    bool head_request = false;
    bool http_1_0 = false;
    bool keep_alive = false;
    bool started = false;
    bool streaming = false;
    bool has_body = true;
    bool complete = false;
    std::function<void()> closed;
    std::function<void()> drained;
    UpstreamSlots upstream;
  };

  void pump();
  void pump_later();
  void wait(Io want);
  // False if nothing is to be read or sent here (any more).
  bool handshake();
  void hand_over();

  bool flush();
  bool fill();
  void sent();
  void push(std::string own, Bytes shared = nullptr);
  void append_framed(std::string_view chunk);

  void receive();
  void take_in(std::string_view bytes);
  void keep(std::string_view rest);
  void dispatch();
  using Switched = std::function<void(ConnectionPtr upstream, std::string received)>;
  void call(uint64_t serial, const Request& request, const Upstream& upstream, const std::string& target,
            Switched switched);
  void refuse(int status);
  std::string head(int status, const Headers& headers, std::string_view framing);

  void set_deadline(Duration after);
  void clear_deadline();
  void deadline_passed();

  const std::shared_ptr<ServerState> server_;
  ConnectionPtr connection_;
  Phase phase_ = Phase::kHandshake;
  std::string remote_address_;
  std::optional<Peer> peer_;

  // In: bytes that the parser has not used yet.
  std::string in_;
  std::unique_ptr<RequestParser> parser_;
  bool continue_sent_ = false;
  bool head_deadline_set_ = false;

  // Out: out_ from out_at_ on, then queue_, whose first piece has gone out up to piece_at_.
  std::string out_;
  size_t out_at_ = 0;
  std::deque<Piece> queue_;
  size_t piece_at_ = 0;
  size_t queued_bytes_ = 0;
  bool write_blocked_ = false;

  uint64_t serial_ = 0;
  Answer answer_;

  bool pumping_ = false;
  bool pump_again_ = false;
  bool pump_posted_ = false;

  Instant deadline_ = Instant::max();
  Instant timer_at_ = Instant::max();
  loop::TimerId timer_ = loop::TimerId::kNone;
};

}  // namespace stead::http
