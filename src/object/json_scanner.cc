#include "object/json_scanner.h"

#include <charconv>

#include "object/quote.h"

namespace stead::object {
namespace {

bool is_digit(int c) { return c >= '0' && c <= '9'; }

int hex_digit(int c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Scanner {
 public:
  Scanner(std::string_view text, int depth_max) : text_(text), depth_max_(depth_max) {}

  Result<std::string> run() {
    bool fine = value(0);
    if (fine) {
      skip_space();
      if (at_ < text_.size()) fine = unexpected("after top-level value");
    }
    if (!fine) return make_error(Reason::kBadRequest, problem_);
    return std::move(out_);
  }

 private:
  int peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1; }
  void take() { out_ += text_[at_++]; }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool unexpected(std::string_view context) {
    if (at_ >= text_.size()) {
      problem_ = "unexpected end of JSON input";
      return false;
    }
    char c = text_[at_];
    std::string shown = c == '\'' ? "'\\''" : c == '"' ? "'\"'" : quote(std::string_view(&c, 1));
    if (c != '\'' && c != '"') shown.front() = shown.back() = '\'';
    problem_ =
        "invalid character " + shown + " " + std::string(context) + " (at byte offset " + std::to_string(at_) + ")";
    return false;
  }

  bool value(int depth) {
    skip_space();
    int c = peek();
    if (c == '{' || c == '[') {
      if (depth >= depth_max_) {
        problem_ = "exceeded max depth";
        return false;
      }
      return c == '{' ? object(depth) : array(depth);
    }
    if (c == '"') return string();
    if (c == '-' || is_digit(c)) return number();
    if (c == 't') return literal("true");
    if (c == 'f') return literal("false");
    if (c == 'n') return literal("null");
    return unexpected("looking for beginning of value");
  }

  bool object(int depth) {
    take();
    skip_space();
    if (peek() == '}') {
      take();
      return true;
    }
    for (;;) {
      skip_space();
      if (peek() != '"') return unexpected("looking for beginning of object key string");
      if (!string()) return false;
      skip_space();
      if (peek() != ':') return unexpected("after object key");
      take();
      if (!value(depth + 1)) return false;
      skip_space();
      if (peek() == '}') {
        take();
        return true;
      }
      if (peek() != ',') return unexpected("after object key:value pair");
      take();
    }
  }

  bool array(int depth) {
    take();
    skip_space();
    if (peek() == ']') {
      take();
      return true;
    }
    for (;;) {
      if (!value(depth + 1)) return false;
      skip_space();
      if (peek() == ']') {
        take();
        return true;
      }
      if (peek() != ',') return unexpected("after array element");
      take();
    }
  }

  bool literal(std::string_view word) {
    for (char letter : word) {
      if (peek() != letter) return unexpected("in literal " + std::string(word));
      take();
    }
    return true;
  }

  bool string() {
    take();
    for (;;) {
      int c = peek();
      if (c == -1) return unexpected("");
      if (c == '"') {
        take();
        return true;
      }
      if (c < 0x20) return unexpected("in string literal");
      if (c == '\\') {
        if (!escape()) return false;
        continue;
      }
      CodePoint point = decode_utf8(text_.substr(at_));
      if (point.valid) {
        out_ += text_.substr(at_, point.length);
      } else {
        append_utf8(0xfffd, out_);
      }
      at_ += point.length;
    }
  }

  bool escape() {
    ++at_;
    int c = peek();
    if (c == -1) return unexpected("");
    if (c != 'u') {
      if (std::string_view("\"\\/bfnrt").find(static_cast<char>(c)) == std::string_view::npos) {
        return unexpected("in string escape code");
      }
      out_ += '\\';
      take();
      return true;
    }
    char32_t rune = 0;
    if (!unicode_escape(rune)) return false;
    if (rune >= 0xd800 && rune < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      size_t before = at_;
      char32_t low = 0;
      ++at_;
      if (!unicode_escape(low)) return false;
      if (low >= 0xdc00 && low < 0xe000) {
        append_utf8(0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00), out_);
        return true;
      }
      at_ = before;  // a lone surrogate; what follows it stands for itself
    }
    append_rune(rune >= 0xd800 && rune < 0xe000 ? 0xfffd : rune);
    return true;
  }

  bool unicode_escape(char32_t& rune) {
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      int digit = hex_digit(peek());
      if (digit < 0) return unexpected("in \\u hexadecimal character escape");
      rune = rune * 16 + static_cast<char32_t>(digit);
    }
    return true;
  }

  void append_rune(char32_t rune) {
    constexpr std::string_view kHex = "0123456789abcdef";
    if (rune >= 0x20 && rune != '"' && rune != '\\') return append_utf8(rune, out_);
    out_ += "\\u00";
    out_ += kHex[rune >> 4];
    out_ += kHex[rune & 15];
  }

  bool number() {
    size_t start = out_.size();
    if (peek() == '-') take();
    if (!is_digit(peek())) return unexpected("in numeric literal");
    if (peek() == '0') {
      take();
    } else {
      while (is_digit(peek())) take();
    }
    size_t integer_end = out_.size();
    if (peek() == '.') {
      take();
      if (!is_digit(peek())) return unexpected("after decimal point in numeric literal");
      while (is_digit(peek())) take();
    }
    if (peek() == 'e' || peek() == 'E') {
      take();
      if (peek() == '+' || peek() == '-') take();
      if (!is_digit(peek())) return unexpected("in exponent of numeric literal");
      while (is_digit(peek())) take();
    }
    int64_t fits = 0;
    const bool whole = out_.size() == integer_end;
    if (whole && std::from_chars(out_.data() + start, out_.data() + integer_end, fits).ec != std::errc()) out_ += "e0";
    return true;
  }

  std::string_view text_;
  int depth_max_;
  size_t at_ = 0;
  std::string out_;
  std::string problem_;
};

}  // namespace

Result<std::string> respell_json(std::string_view text, int depth_max) { return Scanner(text, depth_max).run(); }

}  // namespace stead::object
