// Any bytes from a client, in any pieces: no crash, no request without a method, what is kept of it stays bounded, and
// what goes out is HTTP/2. Requests are answered in the ways that handlers do, chosen by their paths.

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <set>

#include "base/check.h"
#include "base/clock.h"
#include "http/http2_protocol.h"

namespace {

using namespace stead;
using namespace stead::http;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr size_t kFrameHeadBytes = 9;
constexpr size_t kFrameBytesMax = 16'384;  // none may be larger where the client has not said so

uint32_t number_at(std::string_view bytes, size_t at, size_t size) {
  uint32_t number = 0;
  for (size_t i = 0; i < size; ++i) number = number << 8 | static_cast<uint8_t>(bytes[at + i]);
  return number;
}

// Reads what the server sends as RFC 9113 has it, by other means than the server writes it (but for HPACK).
class Reader {
 public:
  Reader() { STEAD_CHECK(nghttp2_hd_inflate_new(&inflater_) == 0); }
  ~Reader() { nghttp2_hd_inflate_del(inflater_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Whole frames only: the server never leaves one unfinished.
  void take(std::string_view bytes) {
    while (!bytes.empty()) {
      STEAD_CHECK(bytes.size() >= kFrameHeadBytes);
      size_t size = number_at(bytes, 0, 3);
      auto type = static_cast<uint8_t>(bytes[3]);
      auto flags = static_cast<uint8_t>(bytes[4]);
      uint32_t stream = number_at(bytes, 5, 4);
      STEAD_CHECK(bytes.size() >= kFrameHeadBytes + size);
      frame(type, flags, stream, bytes.substr(kFrameHeadBytes, size));
      bytes.remove_prefix(kFrameHeadBytes + size);
    }
  }

 private:
  void frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
    STEAD_CHECK((stream & 0x80000000) == 0);
    if (first_) STEAD_CHECK(type == NGHTTP2_SETTINGS && (flags & NGHTTP2_FLAG_ACK) == 0);
    first_ = false;
    STEAD_CHECK(block_stream_ == 0 || (type == NGHTTP2_CONTINUATION && stream == block_stream_));
    const bool about_stream =
        type == NGHTTP2_DATA || type == NGHTTP2_HEADERS || type == NGHTTP2_RST_STREAM || type == NGHTTP2_CONTINUATION;
    STEAD_CHECK(about_stream || type == NGHTTP2_WINDOW_UPDATE ? stream % 2 == 1 || stream == 0 : stream == 0);
    STEAD_CHECK(!about_stream || stream != 0);
    switch (type) {
      case NGHTTP2_DATA:
        STEAD_CHECK(payload.size() <= kFrameBytesMax && (flags & NGHTTP2_FLAG_PADDED) == 0);
        STEAD_CHECK(began_.contains(stream) && !ended_.contains(stream));
        if ((flags & NGHTTP2_FLAG_END_STREAM) != 0) ended_.insert(stream);
        break;
      case NGHTTP2_HEADERS:
        STEAD_CHECK((flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY)) == 0);
        STEAD_CHECK(!ended_.contains(stream));
        if ((flags & NGHTTP2_FLAG_END_STREAM) != 0) ended_.insert(stream);
        [[fallthrough]];
      case NGHTTP2_CONTINUATION:
        STEAD_CHECK(payload.size() <= kFrameBytesMax);
        block_.append(payload);
        block_stream_ = stream;
        if ((flags & NGHTTP2_FLAG_END_HEADERS) != 0) headers(stream);
        break;
      case NGHTTP2_RST_STREAM:
        STEAD_CHECK(payload.size() == 4);
        ended_.insert(stream);
        break;
      case NGHTTP2_SETTINGS:
        STEAD_CHECK(payload.size() % 6 == 0 && ((flags & NGHTTP2_FLAG_ACK) == 0 || payload.empty()));
        break;
      case NGHTTP2_PING:
        STEAD_CHECK(payload.size() == 8 && (flags & NGHTTP2_FLAG_ACK) != 0);
        break;
      case NGHTTP2_GOAWAY:
        STEAD_CHECK(payload.size() >= 8);
        break;
      case NGHTTP2_WINDOW_UPDATE:
        STEAD_CHECK(payload.size() == 4 && number_at(payload, 0, 4) > 0);
        break;
      default:
        STEAD_CHECK(false, "a frame that this server has no use for");
    }
  }

  void headers(uint32_t stream) {
    // Whatever size of table the client has allowed.
    nghttp2_hd_inflate_change_table_size(inflater_, UINT32_MAX >> 1);
    std::string status;
    bool regular = false;
    const auto* at = reinterpret_cast<const uint8_t*>(block_.data());
    size_t left = block_.size();
    for (;;) {
      nghttp2_nv field;
      int flags = 0;
      ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
      STEAD_CHECK(used >= 0);
      at += used;
      left -= static_cast<size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        std::string_view name(reinterpret_cast<const char*>(field.name), field.namelen);
        std::string_view value(reinterpret_cast<const char*>(field.value), field.valuelen);
        STEAD_CHECK(nghttp2_check_header_value(field.value, field.valuelen) != 0);
        if (name == ":status") {
          STEAD_CHECK(status.empty() && !regular);
          status = value;
        } else {
          STEAD_CHECK(nghttp2_check_header_name(field.name, field.namelen) != 0 && !name.starts_with(':'));
          regular = true;
        }
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
      STEAD_CHECK(left > 0 || used > 0);
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    block_.clear();
    block_stream_ = 0;
    STEAD_CHECK(status.size() == 3 && status[0] >= '1' && status[0] <= '5', status);
    STEAD_CHECK(!began_.contains(stream));
    if (status[0] != '1') began_.insert(stream);
  }

  nghttp2_hd_inflater* inflater_ = nullptr;
  bool first_ = true;
  uint32_t block_stream_ = 0;  // whose header block goes on
  std::string block_;
  std::set<uint32_t> began_;
  std::set<uint32_t> ended_;
};

void answer(Http2Protocol& protocol, const Http2Protocol::Event& event) {
  static const Bytes kPiece = std::make_shared<const std::string>(40'000, 'x');
  STEAD_CHECK(!event.request.method.empty());
  STEAD_CHECK(event.request.body.size() <= 1000);
  switch (event.request.target.size() % 4) {
    case 0:
      return protocol.respond(event.stream, Response::text(200, "x"));
    case 1:
      protocol.start(event.stream, 200,
                     {{"X-Name", event.request.target}, {"X-Agent", std::string(event.request.header("user-agent"))}});
      protocol.write(event.stream, kPiece);
      return protocol.finish(event.stream);
    case 2:
      protocol.start(event.stream, 200, {});
      return protocol.cut_short(event.stream);
    default:
      return;  // never answered
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  size_t piece = input.empty() ? 1 : static_cast<size_t>(static_cast<unsigned char>(input.front())) + 1;
  Http2Protocol protocol({4096, 1000, 10}, system_clock());
  Reader reader;
  STEAD_CHECK(protocol.receive(kPreface));
  bool open = true;
  std::string out;
  while (open && !input.empty()) {
    std::string_view bytes = input.substr(0, piece);
    input.remove_prefix(bytes.size());
    open = protocol.receive(bytes);
    for (const auto& event : protocol.take_events()) {
      if (event.kind == Http2Protocol::Event::Kind::kRequest) answer(protocol, event);
    }
    out.clear();
    open = open && protocol.send(out, 64 * 1024) && !protocol.is_over();
    STEAD_CHECK(out.size() < 100'000);
    STEAD_CHECK(protocol.streams() <= 20);
    reader.take(out);
  }
  protocol.shut_down();
  protocol.reset_stalled(system_clock().now() + std::chrono::hours(1));
  out.clear();
  if (protocol.send(out, 64 * 1024)) reader.take(out);
  return 0;
}
