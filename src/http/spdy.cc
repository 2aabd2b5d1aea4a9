#include "http/spdy.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"

namespace stead::http {
namespace {

constexpr size_t kHeadBytes = 8;
constexpr size_t kControlFrameBytesMax = 64 * 1024;
constexpr size_t kDataFrameBytesMax = 1024 * 1024;
constexpr uint16_t kVersion = 3;
constexpr uint8_t kFlagLast = 1;
enum Type : uint16_t { kSynStream = 1, kSynReply = 2, kRstStream = 3, kPing = 6, kGoAway = 7, kHeaders = 8 };

void append_number(std::string& out, uint32_t number, int bytes = 4) {
  for (int at = bytes - 1; at >= 0; --at) out.push_back(static_cast<char>(number >> (8 * at)));
}

uint32_t number_at(std::string_view bytes, size_t at, size_t size = 4) {
  uint32_t number = 0;
  for (size_t i = 0; i < size; ++i) number = number << 8 | static_cast<uint8_t>(bytes[at + i]);
  return number;
}

std::string control_frame(Type type, uint8_t flags, std::string_view payload) {
  std::string frame;
  append_number(frame, 0x8000 | kVersion, 2);
  append_number(frame, type, 2);
  frame.push_back(static_cast<char>(flags));
  append_number(frame, static_cast<uint32_t>(payload.size()), 3);
  return frame.append(payload);
}

}  // namespace

SpdyWriter::SpdyWriter() : deflate_(std::make_unique<z_stream_s>()) {
  STEAD_CHECK(deflateInit(deflate_.get(), Z_BEST_COMPRESSION) == Z_OK);
}

SpdyWriter::~SpdyWriter() { deflateEnd(deflate_.get()); }

std::string SpdyWriter::open(uint32_t stream, const Headers& headers) {
  std::string block;
  append_number(block, static_cast<uint32_t>(headers.size()));
  for (const auto& [name, value] : headers) {
    append_number(block, static_cast<uint32_t>(name.size()));
    for (char c : name) block.push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c));
    append_number(block, static_cast<uint32_t>(value.size()));
    block.append(value);
  }
  // Compressed without the protocol's preset dictionary: a zlib stream says itself whether it needs one.
  std::string compressed(deflateBound(deflate_.get(), block.size()) + 16, '\0');
  deflate_->next_in = reinterpret_cast<Bytef*>(block.data());
  deflate_->avail_in = static_cast<uInt>(block.size());
  deflate_->next_out = reinterpret_cast<Bytef*>(compressed.data());
  deflate_->avail_out = static_cast<uInt>(compressed.size());
  STEAD_CHECK(deflate(deflate_.get(), Z_SYNC_FLUSH) == Z_OK && deflate_->avail_in == 0);
  compressed.resize(compressed.size() - deflate_->avail_out);
  std::string payload;
  append_number(payload, stream);
  append_number(payload, 0);     // associated to no stream
  append_number(payload, 0, 2);  // priority, slot
  return control_frame(kSynStream, 0, payload.append(compressed));
}

std::string SpdyWriter::data(uint32_t stream, std::string_view bytes, bool last) {
  std::string frames;
  do {
    std::string_view piece = bytes.substr(0, kDataFrameBytesMax);
    bytes.remove_prefix(piece.size());
    append_number(frames, stream);
    frames.push_back(static_cast<char>(last && bytes.empty() ? kFlagLast : 0));
    append_number(frames, static_cast<uint32_t>(piece.size()), 3);
    frames.append(piece);
  } while (!bytes.empty());
  return frames;
}

std::string SpdyWriter::ping(uint32_t id) {
  std::string payload;
  append_number(payload, id);
  return control_frame(kPing, 0, payload);
}

bool SpdyReader::take(std::string_view bytes, std::vector<SpdyFrame>& frames) {
  pending_.append(bytes);
  std::string_view rest = pending_;
  for (;;) {
    if (data_left_ > 0) {
      std::string_view piece = rest.substr(0, data_left_);
      if (piece.empty()) break;
      rest.remove_prefix(piece.size());
      data_left_ -= piece.size();
      frames.push_back({SpdyFrame::Kind::kData, data_stream_, data_last_ && data_left_ == 0, std::string(piece)});
      continue;
    }
    if (rest.size() < kHeadBytes) break;
    uint32_t first = number_at(rest, 0);
    auto flags = static_cast<uint8_t>(rest[4]);
    size_t size = number_at(rest, 5, 3);
    if ((first & 0x80000000) == 0) {
      data_stream_ = first;
      data_last_ = (flags & kFlagLast) != 0;
      data_left_ = size;
      rest.remove_prefix(kHeadBytes);
      if (size == 0) frames.push_back({SpdyFrame::Kind::kData, data_stream_, data_last_, {}});
      continue;
    }
    if ((first >> 16 & 0x7fff) != kVersion || size > kControlFrameBytesMax) return false;
    if (rest.size() < kHeadBytes + size) break;
    std::string_view payload = rest.substr(kHeadBytes, size);
    rest.remove_prefix(kHeadBytes + size);
    SpdyFrame frame;
    switch (first & 0xffff) {
      case kSynReply:
      case kHeaders:
        frame.kind = SpdyFrame::Kind::kReply;
        frame.last = (flags & kFlagLast) != 0;
        break;
      case kRstStream:
        frame.kind = SpdyFrame::Kind::kReset;
        frame.last = true;
        break;
      case kPing:
        frame.kind = SpdyFrame::Kind::kPing;
        break;
      case kGoAway:
        frame.kind = SpdyFrame::Kind::kGoAway;
        break;
      default:
        continue;  // settings and windows mean nothing here
    }
    if (payload.size() < 4) return false;
    frame.stream = number_at(payload, 0) & 0x7fffffff;
    frames.push_back(std::move(frame));
  }
  pending_.erase(0, pending_.size() - rest.size());
  return true;
}

}  // namespace stead::http
