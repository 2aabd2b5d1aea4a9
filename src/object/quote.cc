#include "object/quote.h"

#include <cstdio>

namespace stead::object {
namespace {

// Go's strconv.IsPrint without its tables: controls, separators, surrogates, private use and format characters
// that meet text in practice are escaped.
bool printable(char32_t rune) {
  if (rune < 0x20 || (rune >= 0x7f && rune <= 0xa0) || rune == 0xad) return false;
  if (rune >= 0x2000 && rune <= 0x200f) return false;
  if (rune >= 0x2028 && rune <= 0x202f) return false;
  if (rune >= 0x205f && rune <= 0x206f) return false;
  if (rune == 0x1680 || rune == 0x3000 || rune == 0xfeff) return false;
  if (rune >= 0xe000 && rune <= 0xf8ff) return false;
  if (rune >= 0xfff0 && rune <= 0xfffb) return false;
  return rune < 0xe0000;
}

void append_escaped(CodePoint point, unsigned char byte, std::string& out) {
  char buffer[16];
  if (!point.valid || point.rune < 0x20 || point.rune == 0x7f) {
    std::snprintf(buffer, sizeof buffer, "\\x%02x", byte);
  } else if (point.rune < 0x10000) {
    std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(point.rune));
  } else {
    std::snprintf(buffer, sizeof buffer, "\\U%08x", static_cast<unsigned>(point.rune));
  }
  out += buffer;
}

}  // namespace

CodePoint decode_utf8(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  unsigned first = byte(0);
  if (first < 0x80) return {first, 1, true};
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  char32_t rune = first & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    rune = (rune << 6) | (byte(i) & 0x3f);
  }
  const char32_t smallest = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  if (rune < smallest || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return {};
  return {rune, length, true};
}

void append_utf8(char32_t rune, std::string& out) {
  if (rune < 0x80) {
    out += static_cast<char>(rune);
  } else if (rune < 0x800) {
    out += static_cast<char>(0xc0 | (rune >> 6));
    out += static_cast<char>(0x80 | (rune & 0x3f));
  } else if (rune < 0x10000) {
    out += static_cast<char>(0xe0 | (rune >> 12));
    out += static_cast<char>(0x80 | ((rune >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (rune & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (rune >> 18));
    out += static_cast<char>(0x80 | ((rune >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((rune >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (rune & 0x3f));
  }
}

std::string quote(std::string_view text) {
  constexpr std::string_view kNamed = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  std::string out = "\"";
  while (!text.empty()) {
    CodePoint point = decode_utf8(text);
    if (size_t named = kNamed.find(text[0]); named != std::string_view::npos) {
      out += '\\';
      out += kLetters[named];
    } else if (point.valid && printable(point.rune)) {
      out += text.substr(0, point.length);
    } else {
      append_escaped(point, static_cast<unsigned char>(text[0]), out);
    }
    text.remove_prefix(point.length);
  }
  out += '"';
  return out;
}

}  // namespace stead::object
