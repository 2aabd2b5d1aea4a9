#pragma once

// Protobuf's wire format (https://protobuf.dev/programming-guides/encoding): tags, varints, length-delimited bytes.

#include <cstdint>
#include <string>
#include <string_view>

namespace stead::object {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void append_varint(uint64_t number, std::string& out);
void append_tag(uint32_t field, WireType type, std::string& out);
void append_varint_field(uint32_t field, uint64_t number, std::string& out);
void append_bytes_field(uint32_t field, std::string_view bytes, std::string& out);

// Reads fields one after another. After next() returned true exactly one of number and bytes holds the content.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}
  // False at the end and on malformed bytes; ok() tells which.
  bool next();
  bool ok() const { return ok_; }

  uint32_t field = 0;
  WireType type = WireType::kVarint;
  uint64_t number = 0;     // kVarint, kFixed64, kFixed32
  std::string_view bytes;  // kBytes

 private:
  bool varint(uint64_t& number);
  bool fixed(size_t width);
  bool fail() {
    ok_ = false;
    return false;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace stead::object
