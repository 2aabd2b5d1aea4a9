#pragma once

// The server's side of one HTTP/2 connection (RFC 9113) without its socket: bytes in, requests out; answers in, bytes
// out. nghttp2 does framing, header compression and flow control; what a client may cost is bounded here:
// streams at once, header and body bytes of each, unfinished bodies together, resets and control frames per second.
//
//   stream: receiving ──request whole──▶ answering ──answer out──▶ gone
//              └──too large: answered here──┘   └──reset, or the connection ends──▶ gone
//
// Requests and ends of streams are told by take_events(), never from inside another call. One thread.

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "http/http.h"

struct nghttp2_session;

namespace stead::http {

struct Http2Limits {
  size_t header_bytes_max = 64 * 1024;
  size_t body_bytes_max = 3 * 1024 * 1024;
  uint32_t streams_max = 250;
};

class Http2Protocol {
 public:
  struct Event {
    enum class Kind : uint8_t {
      kRequest,  // whole; no more than method, target, headers and body are set
      kDrained,  // all that was written has been made into frames
      kGone,     // no answer can reach the client any more, or the answer is out
    } kind;
    int32_t stream;
    Request request;
  };

  // `clock` outlives this.
  Http2Protocol(const Http2Limits& limits, const Clock& clock);
  ~Http2Protocol();
  Http2Protocol(const Http2Protocol&) = delete;
  Http2Protocol& operator=(const Http2Protocol&) = delete;

  // False if the client broke the protocol beyond an answer; otherwise what it did wrong is told by frames.
  bool receive(std::string_view bytes);
  // Appends frames to `out` until it holds `size` bytes, or a frame more; false if the connection has failed.
  bool send(std::string& out, size_t size);
  std::vector<Event> take_events();
  // Neither side has anything more to say.
  bool is_over() const;
  size_t streams() const { return streams_.size(); }

  // Answers; calls for streams that are gone are ignored. respond(), or start(), write()…, finish().
  void respond(int32_t stream, Response response);
  void start(int32_t stream, int status, Headers headers);
  void write(int32_t stream, Bytes chunk);
  void finish(int32_t stream);
  // Tells the client that the answer is not whole.
  void cut_short(int32_t stream);
  // What the client has not taken of the stream.
  size_t queued_bytes(int32_t stream) const;

  // No request after those received is taken (GOAWAY); is_over() once they are answered.
  void shut_down();
  // Resets streams on which nothing has moved since `since` though there was something to receive or to send.
  void reset_stalled(Instant since);

 private:
  struct Stream {
    Request request;
    size_t header_bytes = 0;
    int refused_with = 0;  // a status: too large; what still comes is dropped
    size_t dropped_bytes = 0;
    bool received = false;
    bool head_request = false;
    bool answered = false;
    bool streaming = false;
    bool complete = false;
    std::deque<Bytes> queue;
    size_t piece_at = 0;  // how much of the first piece is sent
    size_t queued_bytes = 0;
    Instant moved;
  };
  // A bucket of what a client may do without paying for it; refilled with time.
  struct Allowance {
    double left;
    Instant at;
    bool take(Instant now);
  };
  struct Callbacks;
  friend struct Callbacks;

  Stream* find(int32_t id);
  const Stream* find(int32_t id) const;
  bool take_header(Stream& stream, std::string_view name, std::string_view value);
  void take_body(int32_t id, std::string_view bytes);
  void drop(int32_t id, Stream& stream, size_t size);
  void headers_ended(int32_t id);
  void request_ended(int32_t id);
  void refuse(int32_t id, Stream& stream, int status);
  void stream_closed(int32_t id);
  void spend_control_frame();
  void submit_head(int32_t id, Stream& stream, int status, Headers headers, bool has_body);
  void append_data(Stream& stream, size_t size);

  const Http2Limits limits_;
  const Clock& clock_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, std::unique_ptr<Stream>> streams_;
  std::vector<Event> events_;
  size_t unfinished_bytes_ = 0;  // of request bodies
  Allowance control_frames_;
  std::string* out_ = nullptr;  // during send()
  size_t out_max_ = 0;
};

}  // namespace stead::http
