// The way out of an Http2Protocol: answers made into frames as flow control lets them go.

#include <nghttp2/nghttp2.h>

#include <algorithm>

#include "http/answer_head.h"
#include "http/http2_protocol.h"
#include "http/message_parser.h"

namespace stead::http {
namespace {

nghttp2_nv field(std::string_view name, std::string_view value) {
  nghttp2_nv made{};
  made.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data()));
  made.namelen = name.size();
  made.value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data()));
  made.valuelen = value.size();
  return made;
}

void make_lower_case(std::string& text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
}

// RFC 9113 section 8.2.2 forbids fields that are about an HTTP/1.1 connection.
bool belongs_to_connection(std::string_view name) {
  for (std::string_view other : {"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"}) {
    if (equal_ignoring_case(name, other)) return true;
  }
  return false;
}

}  // namespace

void Http2Protocol::respond(int32_t id, Response response) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->answered) return;
  size_t length = 0;
  for (const Bytes& piece : response.body) length += piece ? piece->size() : 0;
  bool may_have_body = status_has_body(response.status);
  std::erase_if(response.headers,
                [](const auto& header) { return equal_ignoring_case(header.first, "Content-Length"); });
  if (may_have_body) response.headers.emplace_back("content-length", std::to_string(length));
  bool has_body = length > 0 && may_have_body && !stream->head_request;
  if (has_body) {
    for (Bytes& piece : response.body) {
      if (piece && !piece->empty()) stream->queue.push_back(std::move(piece));
    }
    stream->queued_bytes = length;
  }
  stream->complete = true;
  submit_head(id, *stream, response.status, std::move(response.headers), has_body);
}

void Http2Protocol::start(int32_t id, int status, Headers headers) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->answered) return;
  stream->streaming = !stream->head_request && status_has_body(status);
  stream->complete = !stream->streaming;
  submit_head(id, *stream, status, std::move(headers), stream->streaming);
}

void Http2Protocol::submit_head(int32_t id, Stream& stream, int status, Headers headers, bool has_body) {
  stream.answered = true;
  stream.moved = clock_.now();
  std::string status_text = std::to_string(status);
  std::vector<nghttp2_nv> fields;
  fields.reserve(headers.size() + 2);
  fields.push_back(field(":status", status_text));
  for (auto& [name, value] : headers) {
    if (belongs_to_connection(name)) continue;
    make_lower_case(name);
    value = header_value(value);
    fields.push_back(field(name, value));
  }
  std::string_view date = date_text(clock_.wall_now());
  fields.push_back(field("date", date));
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = [](nghttp2_session*, int32_t, uint8_t*, size_t size, uint32_t* flags,
                              nghttp2_data_source* source, void*) -> ssize_t {
    const auto& from = *static_cast<const Stream*>(source->ptr);
    if (from.queued_bytes == 0 && !from.complete) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;  // append_data() copies, straight to where it is sent from
    if (from.complete && from.queued_bytes <= size) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(std::min(size, from.queued_bytes));
  };
  nghttp2_submit_response(session_, id, fields.data(), fields.size(), has_body ? &provider : nullptr);
}

void Http2Protocol::append_data(Stream& stream, size_t size) {
  stream.moved = clock_.now();
  stream.queued_bytes -= size;
  while (size > 0) {
    const std::string& piece = *stream.queue.front();
    size_t taken = std::min(size, piece.size() - stream.piece_at);
    out_->append(piece, stream.piece_at, taken);
    size -= taken;
    stream.piece_at += taken;
    if (stream.piece_at < piece.size()) break;
    stream.queue.pop_front();
    stream.piece_at = 0;
  }
}

void Http2Protocol::write(int32_t id, Bytes chunk) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->streaming || stream->complete || !chunk || chunk->empty()) return;
  // What has waited for nothing so far stalls from now on.
  if (stream->queued_bytes == 0) {
    stream->moved = clock_.now();
    nghttp2_session_resume_data(session_, id);
  }
  stream->queued_bytes += chunk->size();
  stream->queue.push_back(std::move(chunk));
}

void Http2Protocol::finish(int32_t id) {
  Stream* stream = find(id);
  if (stream == nullptr || !stream->streaming || stream->complete) return;
  stream->complete = true;
  nghttp2_session_resume_data(session_, id);
}

void Http2Protocol::cut_short(int32_t id) {
  if (find(id) != nullptr) nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
}

size_t Http2Protocol::queued_bytes(int32_t id) const {
  const Stream* stream = find(id);
  return stream == nullptr ? 0 : stream->queued_bytes;
}

void Http2Protocol::reset_stalled(Instant since) {
  for (const auto& [id, stream] : streams_) {
    bool waits = !stream->received || stream->queued_bytes > 0;
    if (waits && stream->moved < since) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    }
  }
}

}  // namespace stead::http
