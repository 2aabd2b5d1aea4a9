#pragma once

// Text as Go's %q prints it: error messages of the Kubernetes API quote values this way, and clients match on them.

#include <string>
#include <string_view>

namespace stead::object {

// `"a\"b\n"`. Printable Unicode stays; control characters and invalid UTF-8 are escaped. Pure.
std::string quote(std::string_view text);

// One code point of UTF-8. `length` is 1 and `valid` false where the bytes are no UTF-8. `text` must not be empty.
struct CodePoint {
  char32_t rune = 0xfffd;
  size_t length = 1;
  bool valid = false;
};
CodePoint decode_utf8(std::string_view text);
void append_utf8(char32_t rune, std::string& out);

}  // namespace stead::object
