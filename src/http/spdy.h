#pragma once

// SPDY/3.1 as clients of container runtimes' streaming servers need it: streams made, bytes both ways, no flow
// control (those servers have none). Bytes only; whoever uses it has the connection. One thread.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/http.h"

struct z_stream_s;

namespace stead::http {

class SpdyWriter {
 public:
  SpdyWriter();
  ~SpdyWriter();
  SpdyWriter(const SpdyWriter&) = delete;
  SpdyWriter& operator=(const SpdyWriter&) = delete;

  // SYN_STREAM. A client's ids are odd and rise.
  std::string open(uint32_t stream, const Headers& headers);
  static std::string data(uint32_t stream, std::string_view bytes, bool last);
  static std::string ping(uint32_t id);

 private:
  std::unique_ptr<z_stream_s> deflate_;  // header blocks share one compression context
};

struct SpdyFrame {
  enum class Kind : uint8_t { kData, kReply, kReset, kPing, kGoAway, kOther } kind = Kind::kOther;
  uint32_t stream = 0;  // kPing: the ping's id
  bool last = false;    // the other side sends no more on this stream
  std::string data;     // kData: a piece of a frame, at least
};

class SpdyReader {
 public:
  // Appends what `bytes` brings; large data frames come in pieces. False: that is not SPDY/3.
  bool take(std::string_view bytes, std::vector<SpdyFrame>& frames);

 private:
  std::string pending_;
  uint32_t data_stream_ = 0;
  size_t data_left_ = 0;
  bool data_last_ = false;
};

}  // namespace stead::http
