#include <algorithm>
#include <cstdio>

#include "object/codec.h"
#include "object/quote.h"
#include "object/yaml_scalar.h"

namespace stead::object {
namespace {

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0xc0; }

std::u32string runes(std::string_view text) {
  std::u32string out;
  while (!text.empty()) {
    CodePoint point = decode_utf8(text);
    out += point.rune;
    text.remove_prefix(point.length);
  }
  return out;
}

// The order in which go-yaml prints keys: numbers inside names by value, other characters before letters.
bool key_less(std::string_view a_text, std::string_view b_text) {
  const std::u32string a = runes(a_text);
  const std::u32string b = runes(b_text);
  bool after_digit = false;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i] == b[i]) {
      after_digit = is_digit(a[i]);
      continue;
    }
    const bool a_letter = is_letter(a[i]);
    const bool b_letter = is_letter(b[i]);
    if (a_letter && b_letter) return a[i] < b[i];
    if (a_letter || b_letter) return after_digit ? a_letter : b_letter;
    size_t a_end = i;
    size_t b_end = i;
    while (a_end < a.size() && is_digit(a[a_end])) ++a_end;
    while (b_end < b.size() && is_digit(b[b_end])) ++b_end;
    auto significant = [](std::u32string_view digits) {
      return digits.substr(std::min(digits.find_first_not_of(U'0'), digits.size()));
    };
    size_t start = i;
    while (start > 0 && is_digit(a[start - 1])) --start;
    const auto a_number = significant(std::u32string_view(a).substr(start, a_end - start));
    const auto b_number = significant(std::u32string_view(b).substr(start, b_end - start));
    if (a_number.size() != b_number.size()) return a_number.size() < b_number.size();
    if (a_number != b_number) return a_number < b_number;
    if (a_end != b_end) return a_end < b_end;
    return a[i] < b[i];
  }
  return a.size() < b.size();
}

bool printable(char32_t c) {
  return c == '\n' || (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c <= 0xd7ff) ||
         (c >= 0xe000 && c <= 0xfffd && c != 0xfeff);
}

bool line_break(char32_t c) { return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029; }

enum class Style : uint8_t { kPlain, kSingle, kDouble, kLiteral };

// Whether punctuation leaves the text readable without quotes in block style.
bool plain_allowed(std::string_view text) {
  if (text.front() == ' ' || text.back() == ' ') return false;
  if (std::string_view(",[]{}#&*!|>'\"%@`").find(text[0]) != std::string_view::npos) return false;
  if (text.starts_with("---") || text.starts_with("...")) return false;
  const bool spaced = text.size() == 1 || text[1] == ' ';
  if ((text[0] == '-' || text[0] == '?' || text[0] == ':') && spaced) return false;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == ':' && (i + 1 == text.size() || text[i + 1] == ' ')) return false;
    if (text[i] == '#' && text[i - 1] == ' ') return false;
  }
  return true;
}

Style style_of(std::string_view text, bool key) {
  if (text.empty()) return Style::kDouble;
  bool special = false;
  bool breaks = false;
  for (std::string_view rest = text; !rest.empty();) {
    CodePoint point = decode_utf8(rest);
    special = special || !point.valid || !printable(point.rune);
    breaks = breaks || line_break(point.rune);
    rest.remove_prefix(point.length);
  }
  if (special) return Style::kDouble;
  if (breaks) {
    const bool space_before_break = text.find(" \n") != std::string_view::npos || text.back() == ' ';
    const bool other_breaks = text.find('\n') == std::string_view::npos;
    return key || space_before_break || other_breaks ? Style::kDouble : Style::kLiteral;
  }
  if (yaml_scalar_needs_quotes(text)) return Style::kDouble;
  return plain_allowed(text) ? Style::kPlain : Style::kSingle;
}

void append_escape(char32_t c, std::string& out) {
  constexpr std::string_view kNamed("\0\a\b\t\n\v\f\r\x1b\"\\", 11);
  constexpr std::string_view kLetters = "0abtnvfre\"\\";
  if (c < 0x80) {
    if (size_t at = kNamed.find(static_cast<char>(c)); at != std::string_view::npos) {
      out += '\\';
      out += kLetters[at];
      return;
    }
  }
  if (c == 0x2028 || c == 0x2029) {
    out += c == 0x2028 ? "\\L" : "\\P";
    return;
  }
  char buffer[16];
  const char* form = c <= 0xff ? "\\x%02X" : c <= 0xffff ? "\\u%04X" : "\\U%08X";
  std::snprintf(buffer, sizeof buffer, form, static_cast<unsigned>(c));
  out += buffer;
}

void append_double_quoted(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    CodePoint point = decode_utf8(text);
    const bool escaped = !printable(point.rune) || line_break(point.rune) || point.rune == '"' || point.rune == '\\';
    if (!point.valid) {
      append_utf8(0xfffd, out);
    } else if (escaped) {
      append_escape(point.rune, out);
    } else {
      out += text.substr(0, point.length);
    }
    text.remove_prefix(point.length);
  }
  out += '"';
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  // `indent` is the column of the parent's content. The cursor stands after "key:", "-" or at the start.
  void value(const Value& value, int indent, bool in_sequence) {
    switch (value.kind()) {
      case Value::Kind::kArray:
        if (value.empty()) return word("[]");
        return sequence(value, in_sequence || indent < 0 ? indent + 2 : indent, in_sequence);
      case Value::Kind::kObject:
        if (value.empty()) return word("{}");
        return mapping(value, indent + 2, in_sequence);
      case Value::Kind::kString:
        return text(value.as_string(), indent);
      default:
        return word(to_json(value));
    }
  }

 private:
  void space() {
    if (!out_.empty() && out_.back() != '\n' && out_.back() != ' ') out_ += ' ';
  }
  void word(std::string_view word) {
    space();
    out_ += word;
    out_ += '\n';
  }
  // The first line of a nested collection stands on its parent's line if that is a sequence's item.
  void begin_line(int indent, bool& same_line) {
    if (same_line) {
      space();
    } else {
      if (!out_.empty() && out_.back() != '\n') out_ += '\n';
      out_.append(static_cast<size_t>(indent), ' ');
    }
    same_line = false;
  }

  void sequence(const Value& array, int indent, bool same_line) {
    for (const Value& item : array.items()) {
      begin_line(indent, same_line);
      out_ += '-';
      value(item, indent, true);
    }
  }

  void mapping(const Value& object, int indent, bool same_line) {
    std::vector<const Member*> members;
    for (const Member& member : object.members()) members.push_back(&member);
    std::stable_sort(members.begin(), members.end(),
                     [](const Member* a, const Member* b) { return key_less(a->name(), b->name()); });
    for (const Member* member : members) {
      begin_line(indent, same_line);
      inline_text(member->name(), style_of(member->name(), true));
      out_ += ':';
      value(member->value, indent, false);
    }
  }

  void inline_text(std::string_view text, Style style) {
    if (style == Style::kPlain) {
      out_ += text;
    } else if (style == Style::kSingle) {
      out_ += '\'';
      for (char c : text) out_.append(c == '\'' ? 2 : 1, c);
      out_ += '\'';
    } else {
      append_double_quoted(text, out_);
    }
  }

  void text(std::string_view text, int indent) {
    const Style style = style_of(text, false);
    space();
    if (style != Style::kLiteral) {
      inline_text(text, style);
      out_ += '\n';
      return;
    }
    const int column = std::max(indent, 0) + 2;
    out_ += '|';
    // A reader could not tell leading blanks from indentation.
    if (text.front() == ' ' || text.front() == '\n') out_ += '2';
    if (!text.ends_with('\n')) {
      out_ += '-';
    } else if (text == "\n" || text.ends_with("\n\n")) {
      out_ += '+';
    }
    out_ += '\n';
    if (text.ends_with('\n')) text.remove_suffix(1);
    for (;;) {
      size_t end = text.find('\n');
      std::string_view line = text.substr(0, end);
      if (!line.empty()) out_.append(static_cast<size_t>(column), ' ').append(line);
      out_ += '\n';
      if (end == std::string_view::npos) break;
      text.remove_prefix(end + 1);
    }
  }

  std::string& out_;
};

}  // namespace

std::string to_yaml(const Value& value) {
  std::string out;
  Writer(out).value(value, -2, false);
  return out;
}

}  // namespace stead::object
