#include "cel/language/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "object/quote.h"

namespace stead::cel {

namespace {

constexpr std::array<std::string_view, 6> kTwoCharacterSymbols = {"==", "!=", "<=", ">=", "&&", "||"};
constexpr std::string_view kSymbols = "<>[]{}().,-!?:+*/%";
constexpr std::array<std::string_view, 4> kWords = {"true", "false", "null", "in"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

int hex_value(char c) { return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10; }

struct Prefix {
  bool raw = false;
  bool bytes = false;
  size_t length = 0;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Lexed run() {
    while (skip_blank(), at_ < text_.size()) next();
    push(TokenKind::kEnd, 0);
    return std::move(lexed_);
  }

 private:
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  // Code points before at_, counted as at_ moves on.
  int offset() {
    for (; counted_ < at_; ++counted_) {
      if ((static_cast<unsigned char>(text_[counted_]) & 0xc0) != 0x80) ++code_points_;
    }
    return code_points_;
  }

  void push(TokenKind kind, size_t length, std::string value = {}) {
    int start = offset();
    lexed_.tokens.push_back({kind, text_.substr(at_, length), std::move(value), start});
    at_ += length;
  }

  void skip_blank() {
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f') {
        ++at_;
      } else if (c == '/' && peek(1) == '/') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else {
        return;
      }
    }
  }

  void unknown(size_t length) {
    lexed_.problems.push_back(
        {offset(), "Syntax error: token recognition error at: '" + std::string(text_.substr(at_, length)) + "'"});
    at_ += length;
  }

  void next() {
    char c = peek();
    if (auto prefix = string_prefix()) return string(*prefix);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (is_letter(c)) return word();
    if (c == '`') return quoted_identifier();
    for (std::string_view symbol : kTwoCharacterSymbols) {
      if (text_.substr(at_).starts_with(symbol)) return push(TokenKind::kSymbol, 2);
    }
    if (kSymbols.find(c) != std::string_view::npos) return push(TokenKind::kSymbol, 1);
    unknown(object::decode_utf8(text_.substr(at_)).length);
  }

  void word() {
    size_t length = 1;
    while (is_letter(peek(length)) || is_digit(peek(length))) ++length;
    bool reserved = std::ranges::find(kWords, text_.substr(at_, length)) != kWords.end();
    push(reserved ? TokenKind::kWord : TokenKind::kIdentifier, length);
  }

  void quoted_identifier() {
    size_t length = 1;
    auto inside = [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '/' || c == ' '; };
    while (inside(peek(length))) ++length;
    if (length == 1 || peek(length) != '`') return unknown(length);
    push(TokenKind::kQuotedIdentifier, length + 1, std::string(text_.substr(at_ + 1, length - 1)));
  }

  void number() {
    size_t length = 0;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && is_hex(peek(2))) {
      length = 2;
      while (is_hex(peek(length))) ++length;
    } else {
      while (is_digit(peek(length))) ++length;
      bool fraction = peek(length) == '.' && is_digit(peek(length + 1));
      if (fraction) {
        ++length;
        while (is_digit(peek(length))) ++length;
      }
      size_t exponent = exponent_length(length);
      if (fraction || exponent > 0) return push(TokenKind::kDouble, length + exponent);
    }
    bool is_unsigned = peek(length) == 'u' || peek(length) == 'U';
    push(is_unsigned ? TokenKind::kUint : TokenKind::kInt, length + (is_unsigned ? 1 : 0));
  }

  size_t exponent_length(size_t at) const {
    if (peek(at) != 'e' && peek(at) != 'E') return 0;
    size_t length = peek(at + 1) == '+' || peek(at + 1) == '-' ? 2 : 1;
    if (!is_digit(peek(at + length))) return 0;
    while (is_digit(peek(at + length))) ++length;
    return length;
  }

  std::optional<Prefix> string_prefix() const {
    Prefix prefix;
    for (;; ++prefix.length) {
      char c = peek(prefix.length);
      if (c == '"' || c == '\'') return prefix;
      if ((c == 'b' || c == 'B') && prefix.length == 0) {
        prefix.bytes = true;
      } else if ((c == 'r' || c == 'R') && !prefix.raw) {
        prefix.raw = true;
      } else {
        return std::nullopt;
      }
    }
  }

  void string(const Prefix& prefix) {
    char quote = peek(prefix.length);
    bool triple = peek(prefix.length + 1) == quote && peek(prefix.length + 2) == quote;
    size_t quotes = triple ? 3 : 1;
    size_t start = prefix.length + quotes;
    for (size_t length = start; at_ + length < text_.size(); ++length) {
      char c = peek(length);
      if (c == quote && (!triple || (peek(length + 1) == quote && peek(length + 2) == quote))) {
        return literal(prefix, text_.substr(at_ + start, length - start), length + quotes);
      }
      if (!triple && (c == '\n' || c == '\r')) break;
      if (c == '\\' && !prefix.raw) ++length;
    }
    unknown(std::min(text_.size() - at_, std::max<size_t>(text_.substr(at_).find('\n'), start)));
  }

  void literal(const Prefix& prefix, std::string_view inside, size_t length) {
    std::string value;
    value.reserve(inside.size());
    bool fine = true;
    if (prefix.raw) {
      value = inside;
    } else {
      while (!inside.empty() && fine) fine = unescape(inside, prefix.bytes, value);
    }
    if (!fine) return unknown(length);
    push(prefix.bytes ? TokenKind::kBytes : TokenKind::kString, length, std::move(value));
  }

  // Moves one character or escape from `inside` to `value`; false where it is malformed.
  static bool unescape(std::string_view& inside, bool bytes, std::string& value) {
    if (inside[0] != '\\') {
      value += inside[0];
      inside.remove_prefix(1);
      return true;
    }
    if (inside.size() < 2) return false;
    char c = inside[1];
    constexpr std::string_view kNames = "abfnrtv\"'\\?`";
    constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\"'\\?`";
    if (size_t found = kNames.find(c); found != std::string_view::npos) {
      value += kMeant[found];
      inside.remove_prefix(2);
      return true;
    }
    inside.remove_prefix(2);
    if (c >= '0' && c <= '3') {
      if (inside.size() < 2 || inside[0] < '0' || inside[0] > '7' || inside[1] < '0' || inside[1] > '7') return false;
      append((c - '0') * 64 + (inside[0] - '0') * 8 + (inside[1] - '0'), bytes, value);
      inside.remove_prefix(2);
      return true;
    }
    size_t digits = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0 || inside.size() < digits || (bytes && digits > 2)) return false;
    char32_t rune = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (!is_hex(inside[i])) return false;
      rune = rune * 16 + static_cast<char32_t>(hex_value(inside[i]));
    }
    inside.remove_prefix(digits);
    if (rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff)) return false;
    append(rune, bytes, value);
    return true;
  }

  static void append(char32_t rune, bool bytes, std::string& value) {
    if (bytes) {
      value += static_cast<char>(rune);
    } else {
      object::append_utf8(rune, value);
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t counted_ = 0;
  int code_points_ = 0;
  Lexed lexed_;
};

}  // namespace

Lexed lex(std::string_view text) { return Lexer(text).run(); }

}  // namespace stead::cel
