#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "object/codec.h"
#include "object/quote.h"

namespace stead::object {
namespace {

// Bytes that can be copied as they are: ASCII without controls, quotes and backslashes.
constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (int c = 0x20; c < 0x80; ++c) plain[static_cast<size_t>(c)] = c != '"' && c != '\\';
  return plain;
}
constexpr auto kPlain = make_plain();

void append_special(std::string_view text, CodePoint point, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (text[0]) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  if (!point.valid) {
    out += "\xef\xbf\xbd";
  } else if (point.rune < 0x20) {
    out += "\\u00";
    out += kHex[point.rune >> 4];
    out += kHex[point.rune & 15];
  } else if (point.rune == 0x2028 || point.rune == 0x2029) {
    // Go's encoder escapes both: they end lines in JavaScript.
    out += point.rune == 0x2028 ? "\\u2028" : "\\u2029";
  } else {
    out += text.substr(0, point.length);
  }
}

void append_text(std::string_view text, std::string& out) {
  out += '"';
  size_t start = 0;
  size_t at = 0;
  while (at < text.size()) {
    if (kPlain[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    out.append(text, start, at - start);
    std::string_view rest = text.substr(at);
    CodePoint point = decode_utf8(rest);
    append_special(rest, point, out);
    at += point.length;
    start = at;
  }
  out.append(text, start, at - start);
  out += '"';
}

// encoding/json: shortest digits; exponents only below 1e-6 and from 1e21 on.
void append_double(double number, std::string& out) {
  if (!std::isfinite(number)) {
    out += "null";  // JSON has no spelling for it, and no decoder of ours makes one
    return;
  }
  const double magnitude = std::fabs(number);
  const bool small = magnitude != 0 && magnitude < 1e-6;
  // Above this, a fixed form of to_chars() prints more digits than needed to tell the number from its neighbours.
  const bool large = magnitude >= 1e15;
  char buffer[64];
  auto form = small || large ? std::chars_format::scientific : std::chars_format::fixed;
  auto end = std::to_chars(buffer, buffer + sizeof buffer, number, form).ptr;
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  if (large && magnitude < 1e21) {
    const size_t at = text.find('e');
    const size_t start = out.size();
    for (char c : text.substr(0, at)) {
      if (c != '.') out += c;
    }
    const size_t digits = out.size() - start - (number < 0 ? 1 : 0);
    const auto exponent = static_cast<size_t>((text[at + 2] - '0') * 10 + (text[at + 3] - '0'));
    if (digits < exponent + 1) out.append(exponent + 1 - digits, '0');
    if (digits > exponent + 1) out.insert(out.end() - static_cast<ptrdiff_t>(digits - exponent - 1), '.');
    return;
  }
  // "1e-09" is spelled "1e-9".
  if (small && text.size() >= 4 && text.substr(text.size() - 4, 3) == "e-0") {
    out += text.substr(0, text.size() - 2);
    out += text.back();
  } else {
    out += text;
  }
}

}  // namespace

void append_json(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      out += "null";
      return;
    case Value::Kind::kBool:
      out += value.as_bool() ? "true" : "false";
      return;
    case Value::Kind::kInt: {
      char buffer[24];
      out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value.as_int()).ptr);
      return;
    }
    case Value::Kind::kDouble:
      append_double(value.as_double(), out);
      return;
    case Value::Kind::kString:
      append_text(value.as_string(), out);
      return;
    case Value::Kind::kArray: {
      char separator = '[';
      for (const Value& item : value.items()) {
        out += separator;
        separator = ',';
        append_json(item, out);
      }
      out += value.empty() ? "[]" : "]";
      return;
    }
    case Value::Kind::kObject: {
      char separator = '{';
      for (const Member& member : value.members()) {
        out += separator;
        separator = ',';
        append_text(member.name(), out);
        out += ':';
        append_json(member.value, out);
      }
      out += value.empty() ? "{}" : "}";
      return;
    }
  }
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(value, out);
  return out;
}

}  // namespace stead::object
