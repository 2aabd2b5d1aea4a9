#include "object/base64.h"

#include <array>
#include <cstdint>

namespace stead::object {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> make_reverse() {
  std::array<int8_t, 256> reverse{};
  reverse.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); ++i) reverse[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  return reverse;
}
constexpr auto kReverse = make_reverse();

Error illegal(size_t at) {
  return make_error(Reason::kBadRequest, "illegal base64 data at input byte " + std::to_string(at));
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    auto byte = [&](size_t i) { return at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0u; };
    unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += kAlphabet[group >> 18];
    out += kAlphabet[group >> 12 & 63];
    out += at + 1 < bytes.size() ? kAlphabet[group >> 6 & 63] : '=';
    out += at + 2 < bytes.size() ? kAlphabet[group & 63] : '=';
  }
  return out;
}

Result<std::string> decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  unsigned group = 0;
  int count = 0;
  int padding = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '\n' || c == '\r') continue;
    if (c == '=') {
      if (count < 2 || count + padding >= 4) return illegal(at);
      ++padding;
      continue;
    }
    int digit = kReverse[static_cast<uint8_t>(c)];
    if (digit < 0 || padding > 0) return illegal(at);
    group = group << 6 | static_cast<unsigned>(digit);
    if (++count < 4) continue;
    out += static_cast<char>(group >> 16);
    out += static_cast<char>(group >> 8);
    out += static_cast<char>(group);
    group = 0;
    count = 0;
  }
  if (count == 0) return padding == 0 ? Result<std::string>(std::move(out)) : illegal(text.size());
  if (count + padding != 4) return illegal(text.size());
  group <<= 6 * padding;
  out += static_cast<char>(group >> 16);
  if (count == 3) out += static_cast<char>(group >> 8);
  return out;
}

}  // namespace stead::object
