#include "cel/property_name.h"

#include <algorithm>
#include <array>

namespace stead::cel {

namespace {

// Words that CEL reserves. A property of such a name is written with two underscores on both sides.
constexpr std::array<std::string_view, 21> kReserved = {
    "true", "false",  "null", "in",   "as",      "break",     "const",  "continue", "else", "for",  "function",
    "if",   "import", "let",  "loop", "package", "namespace", "return", "var",      "void", "while"};

struct Escape {
  std::string_view plain;
  std::string_view written;
};
constexpr std::array<Escape, 4> kEscapes = {
    {{"__", "__underscores__"}, {".", "__dot__"}, {"-", "__dash__"}, {"/", "__slash__"}}};

bool is_reserved(std::string_view name) { return std::ranges::find(kReserved, name) != kReserved.end(); }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<std::string> escape_property(std::string_view name) {
  if (name.empty() || is_digit(name[0])) return std::nullopt;
  if (is_reserved(name)) return "__" + std::string(name) + "__";
  std::string written;
  while (!name.empty()) {
    auto escape = std::ranges::find_if(kEscapes, [&](const Escape& each) { return name.starts_with(each.plain); });
    if (escape != kEscapes.end()) {
      written += escape->written;
      name.remove_prefix(escape->plain.size());
    } else if (is_letter(name[0]) || is_digit(name[0])) {
      written += name[0];
      name.remove_prefix(1);
    } else {
      return std::nullopt;
    }
  }
  return written;
}

std::optional<std::string> unescape_property(std::string_view escaped) {
  if (escaped.size() > 4 && escaped.starts_with("__") && escaped.ends_with("__")) {
    std::string_view inner = escaped.substr(2, escaped.size() - 4);
    if (is_reserved(inner)) return std::string(inner);
  }
  std::string name;
  for (std::string_view rest = escaped; !rest.empty();) {
    auto escape = std::ranges::find_if(kEscapes, [&](const Escape& each) { return rest.starts_with(each.written); });
    if (escape != kEscapes.end()) {
      name += escape->plain;
      rest.remove_prefix(escape->written.size());
    } else {
      name += rest[0];
      rest.remove_prefix(1);
    }
  }
  // One way to write each name.
  if (escape_property(name) != escaped) return std::nullopt;
  return name;
}

}  // namespace stead::cel
