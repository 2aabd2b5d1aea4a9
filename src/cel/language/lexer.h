#pragma once

// Text to tokens (CEL specification, "Lexis"). Internal to the room.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cel/environment.h"

namespace stead::cel {

enum class TokenKind : uint8_t {
  kEnd,
  kIdentifier,
  kQuotedIdentifier,  // `a-b`
  kInt,
  kUint,
  kDouble,
  kString,
  kBytes,
  kSymbol,  // operators and punctuation
  kWord,    // true, false, null, in
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;  // as written
  std::string value;      // kString, kBytes: without quotes and escapes
  int offset = 0;         // code points from the start

  bool is(std::string_view symbol) const {
    return (kind == TokenKind::kSymbol || kind == TokenKind::kWord) && text == symbol;
  }
};

// The last one is kEnd. What is no token is reported and skipped.
struct Lexed {
  std::vector<Token> tokens;
  struct Problem {
    int offset;
    std::string message;
  };
  std::vector<Problem> problems;
};
Lexed lex(std::string_view text);

}  // namespace stead::cel
