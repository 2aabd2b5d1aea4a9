#include "object/wire.h"

namespace stead::object {

void append_varint(uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

void append_tag(uint32_t field, WireType type, std::string& out) {
  append_varint(uint64_t{field} << 3 | static_cast<uint8_t>(type), out);
}

void append_varint_field(uint32_t field, uint64_t number, std::string& out) {
  append_tag(field, WireType::kVarint, out);
  append_varint(number, out);
}

void append_bytes_field(uint32_t field, std::string_view bytes, std::string& out) {
  append_tag(field, WireType::kBytes, out);
  append_varint(bytes.size(), out);
  out += bytes;
}

bool WireReader::varint(uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return fail();
    auto byte = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return fail();
}

bool WireReader::fixed(size_t width) {
  if (rest_.size() < width) return fail();
  number = 0;
  for (size_t i = 0; i < width; ++i) number |= uint64_t{static_cast<uint8_t>(rest_[i])} << (8 * i);
  rest_.remove_prefix(width);
  return true;
}

bool WireReader::next() {
  if (!ok_ || rest_.empty()) return false;
  uint64_t tag = 0;
  if (!varint(tag)) return false;
  if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return fail();
  field = static_cast<uint32_t>(tag >> 3);
  number = 0;
  bytes = {};
  switch (tag & 7) {
    case 0:
      type = WireType::kVarint;
      return varint(number);
    case 1:
      type = WireType::kFixed64;
      return fixed(8);
    case 5:
      type = WireType::kFixed32;
      return fixed(4);
    case 2: {
      type = WireType::kBytes;
      uint64_t length = 0;
      if (!varint(length)) return false;
      if (length > rest_.size()) return fail();
      bytes = rest_.substr(0, length);
      rest_.remove_prefix(length);
      return true;
    }
    default:
      return fail();  // groups are not used by any API
  }
}

}  // namespace stead::object
