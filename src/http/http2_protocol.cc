#include "http/http2_protocol.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>

#include "base/check.h"
#include "http/message_parser.h"

namespace stead::http {
namespace {

// What a client may send ahead on one stream, and on all of them together.
constexpr int32_t kStreamWindow = 256 * 1024;
constexpr int32_t kConnectionWindow = 1024 * 1024;
// Bodies that wait for their ends, of one connection.
constexpr size_t kUnfinishedBytesMax = 32 * 1024 * 1024;
// Of a body that is too large, after its refusal.
constexpr size_t kDroppedBytesMax = 16 * 1024 * 1024;
// Resets of streams, whoever is made to send them, and frames that cost work but carry nothing: at once, and per
// second afterwards. A client that cancels a thousand watches at once is honest; one that goes on is not
// (CVE-2023-44487, CVE-2025-8671).
constexpr uint64_t kResetsAtOnce = 1000;
constexpr uint64_t kResetsPerSecond = 33;
constexpr double kControlFramesAtOnce = 2000;
constexpr double kControlFramesPerSecond = 100;

}  // namespace

bool Http2Protocol::Allowance::take(Instant now) {
  double seconds = std::chrono::duration<double>(now - at).count();
  left = std::min(kControlFramesAtOnce, left + seconds * kControlFramesPerSecond) - 1;
  at = now;
  return left >= 0;
}

// nghttp2's callbacks: C functions that know the protocol as their last argument. They collect and submit; none
// calls back into receiving or sending.
struct Http2Protocol::Callbacks {
  static Http2Protocol& of(void* user_data) { return *static_cast<Http2Protocol*>(user_data); }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    auto made = std::make_unique<Stream>();
    made->moved = of(user_data).clock_.now();
    of(user_data).streams_[frame->hd.stream_id] = std::move(made);
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                       const uint8_t* value, size_t value_size, uint8_t, void* user_data) {
    // Trailers: nobody asked for them.
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    Stream* stream = of(user_data).find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    bool fine = of(user_data).take_header(*stream, {reinterpret_cast<const char*>(name), name_size},
                                          {reinterpret_cast<const char*>(value), value_size});
    return fine ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* user_data) {
    of(user_data).take_body(id, {reinterpret_cast<const char*>(data), size});
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Http2Protocol& self = of(user_data);
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) self.headers_ended(frame->hd.stream_id);
        if (ends) self.request_ended(frame->hd.stream_id);
        break;
      case NGHTTP2_DATA:
        if (ends) {
          self.request_ended(frame->hd.stream_id);
        } else if (frame->hd.length == 0) {
          self.spend_control_frame();
        }
        break;
      case NGHTTP2_WINDOW_UPDATE:
      case NGHTTP2_RST_STREAM:
        break;  // the first is paid for by what we send; nghttp2 counts the others
      default:
        self.spend_control_frame();
    }
    return 0;
  }

  // Frames that nghttp2 finds wrong cost work too.
  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame*, int, void* user_data) {
    of(user_data).spend_control_frame();
    return 0;
  }

  static int on_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type == NGHTTP2_RST_STREAM) of(user_data).spend_control_frame();
    return 0;
  }

  static int on_stream_close(nghttp2_session*, int32_t id, uint32_t, void* user_data) {
    of(user_data).stream_closed(id);
    return 0;
  }

  static ssize_t send(nghttp2_session*, const uint8_t* data, size_t size, int, void* user_data) {
    Http2Protocol& self = of(user_data);
    if (self.out_->size() >= self.out_max_) return NGHTTP2_ERR_WOULDBLOCK;
    self.out_->append(reinterpret_cast<const char*>(data), size);
    return static_cast<ssize_t>(size);
  }

  static int send_data(nghttp2_session*, nghttp2_frame* frame, const uint8_t* frame_head, size_t size,
                       nghttp2_data_source* source, void* user_data) {
    constexpr size_t kFrameHeadBytes = 9;
    Http2Protocol& self = of(user_data);
    if (self.out_->size() >= self.out_max_) return NGHTTP2_ERR_WOULDBLOCK;
    self.out_->append(reinterpret_cast<const char*>(frame_head), kFrameHeadBytes);
    auto& stream = *static_cast<Stream*>(source->ptr);
    self.append_data(stream, size);
    if (stream.queued_bytes == 0 && !stream.complete) {
      self.events_.push_back({Event::Kind::kDrained, frame->hd.stream_id, {}});
    }
    return 0;
  }

  static nghttp2_session_callbacks* table() {
    static nghttp2_session_callbacks* const made = [] {
      nghttp2_session_callbacks* callbacks = nullptr;
      STEAD_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
      nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
      nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
      nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
      nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
      nghttp2_session_callbacks_set_send_callback(callbacks, send);
      nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
      return callbacks;
    }();
    return made;
  }
};

Http2Protocol::Http2Protocol(const Http2Limits& limits, const Clock& clock)
    : limits_(limits), clock_(clock), control_frames_{kControlFramesAtOnce, clock.now()} {
  nghttp2_option* option = nullptr;
  STEAD_CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetsAtOnce, kResetsPerSecond);
  nghttp2_option_set_no_closed_streams(option, 1);
  int made = nghttp2_session_server_new2(&session_, Callbacks::table(), this, option);
  nghttp2_option_del(option);
  STEAD_CHECK(made == 0);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(limits_.header_bytes_max)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Http2Protocol::~Http2Protocol() { nghttp2_session_del(session_); }

bool Http2Protocol::receive(std::string_view bytes) {
  return nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()) >= 0;
}

bool Http2Protocol::send(std::string& out, size_t size) {
  out_ = &out;
  out_max_ = size;
  int result = nghttp2_session_send(session_);
  out_ = nullptr;
  return result == 0;
}

std::vector<Http2Protocol::Event> Http2Protocol::take_events() { return std::exchange(events_, {}); }

bool Http2Protocol::is_over() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

void Http2Protocol::shut_down() {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

void Http2Protocol::spend_control_frame() {
  if (!control_frames_.take(clock_.now())) nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
}

// ---- requests ----

Http2Protocol::Stream* Http2Protocol::find(int32_t id) {
  auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

const Http2Protocol::Stream* Http2Protocol::find(int32_t id) const {
  auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

bool Http2Protocol::take_header(Stream& stream, std::string_view name, std::string_view value) {
  stream.header_bytes += name.size() + value.size() + 32;  // as SETTINGS_MAX_HEADER_LIST_SIZE counts them
  if (stream.header_bytes > limits_.header_bytes_max) {
    stream.refused_with = 431;
    stream.request = {};
    // Compression lets few bytes name very many; the stream ends untold then.
    return stream.header_bytes <= 16 * limits_.header_bytes_max;
  }
  if (name == ":method") {
    stream.head_request = value == "HEAD";
    stream.request.method = value;
  } else if (name == ":path") {
    stream.request.target = value;
  } else if (name == ":authority") {
    stream.request.headers.emplace_back("Host", value);
  } else if (!name.starts_with(':') && !(name == "host" && !stream.request.header("Host").empty())) {
    stream.request.headers.emplace_back(name, value);
  }
  return true;
}

void Http2Protocol::headers_ended(int32_t id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  if (stream->refused_with != 0) return refuse(id, *stream, stream->refused_with);
  if (equal_ignoring_case(stream->request.header("expect"), "100-continue")) {
    static constexpr char kName[] = ":status";
    static constexpr char kValue[] = "100";
    nghttp2_nv field{reinterpret_cast<uint8_t*>(const_cast<char*>(kName)),
                     reinterpret_cast<uint8_t*>(const_cast<char*>(kValue)), sizeof(kName) - 1, sizeof(kValue) - 1,
                     NGHTTP2_NV_FLAG_NONE};
    nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, &field, 1, nullptr);
  }
}

void Http2Protocol::take_body(int32_t id, std::string_view bytes) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->moved = clock_.now();
  if (stream->refused_with != 0) return drop(id, *stream, bytes.size());
  std::string& body = stream->request.body;
  bool too_large = body.size() + bytes.size() > limits_.body_bytes_max;
  if (!too_large && unfinished_bytes_ + bytes.size() <= kUnfinishedBytesMax) {
    unfinished_bytes_ += bytes.size();
    body.append(bytes);
    return;
  }
  unfinished_bytes_ -= body.size();
  stream->request = {};
  stream->refused_with = too_large ? 413 : 503;
  refuse(id, *stream, stream->refused_with);
}

// Clients are known that lose an answer which comes with an end of their upload: they may go on for a while.
void Http2Protocol::drop(int32_t id, Stream& stream, size_t size) {
  stream.dropped_bytes += size;
  if (stream.dropped_bytes > kDroppedBytesMax) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);  // RFC 9113 section 8.1
  }
}

void Http2Protocol::request_ended(int32_t id) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->received) return;
  stream->received = true;
  if (stream->refused_with != 0) return;
  unfinished_bytes_ -= stream->request.body.size();
  events_.push_back({Event::Kind::kRequest, id, std::exchange(stream->request, {})});
}

void Http2Protocol::refuse(int32_t id, Stream& stream, int status) {
  if (stream.answered) return;
  respond(id, Response::text(status, std::to_string(status) + " " + std::string(reason_phrase(status)) + "\n"));
}

void Http2Protocol::stream_closed(int32_t id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  if (!stream->received) unfinished_bytes_ -= stream->request.body.size();
  streams_.erase(id);
  events_.push_back({Event::Kind::kGone, id, {}});
}

}  // namespace stead::http
