#include <algorithm>

#include "cel/library/format_text.h"
#include "cel/library/library.h"
#include "cel/library/texts.h"
#include "object/quote.h"

namespace stead::cel {

namespace {

Value text_of(std::string_view text) { return Value::string(std::string(text)); }
Value out_of_range(int64_t index) { return Value::error("index out of range: " + std::to_string(index)); }

Value contains(const Call& call) {
  return Value::boolean(call[0].as_string().find(call[1].as_string()) != std::string_view::npos);
}
Value starts_with(const Call& call) { return Value::boolean(call[0].as_string().starts_with(call[1].as_string())); }
Value ends_with(const Call& call) { return Value::boolean(call[0].as_string().ends_with(call[1].as_string())); }

Value char_at(const Call& call) {
  std::string_view text = call[0].as_string();
  auto length = static_cast<int64_t>(count_code_points(text));
  int64_t index = call[1].as_int();
  if (index < 0 || index > length) return out_of_range(index);
  std::string_view rest = text.substr(code_point_offset(text, static_cast<size_t>(index)));
  return text_of(rest.substr(0, code_point_offset(rest, 1)));
}

Value code_points_before(std::string_view text, size_t byte) {
  return Value::integer(static_cast<int64_t>(count_code_points(text.substr(0, byte))));
}

Value index_of(const Call& call) {
  std::string_view text = call[0].as_string();
  std::string_view wanted = call[1].as_string();
  int64_t from = call.size() > 2 ? call[2].as_int() : 0;
  if (from < 0) return out_of_range(from);
  auto length = static_cast<int64_t>(count_code_points(text));
  if (wanted.empty()) return Value::integer(std::min(from, length));
  if (from >= length) return Value::integer(-1);
  size_t found = text.find(wanted, code_point_offset(text, static_cast<size_t>(from)));
  return found == std::string_view::npos ? Value::integer(-1) : code_points_before(text, found);
}

Value last_index_of(const Call& call) {
  std::string_view text = call[0].as_string();
  std::string_view wanted = call[1].as_string();
  auto length = static_cast<int64_t>(count_code_points(text));
  int64_t from = call.size() > 2 ? call[2].as_int() : length;
  if (from < 0) return out_of_range(from);
  if (wanted.empty()) return Value::integer(std::min(from, length));
  if (call.size() > 2 && from >= length) return Value::integer(-1);
  size_t found = text.rfind(wanted, code_point_offset(text, static_cast<size_t>(from)));
  return found == std::string_view::npos ? Value::integer(-1) : code_points_before(text, found);
}

Value lower_ascii(const Call& call) {
  std::string text(call[0].as_string());
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return Value::string(std::move(text));
}
Value upper_ascii(const Call& call) {
  std::string text(call[0].as_string());
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return Value::string(std::move(text));
}

Value replace(const Call& call) {
  std::string_view text = call[0].as_string();
  std::string_view old = call[1].as_string();
  std::string_view fresh = call[2].as_string();
  int64_t left = call.size() > 3 ? call[3].as_int() : -1;
  std::string replaced;
  size_t at = 0;
  while (left != 0) {
    size_t found = text.find(old, at);
    if (found == std::string_view::npos) break;
    if (replaced.size() > kTextBytesMax) return Value::error("text is too long");
    replaced += text.substr(at, found - at);
    replaced += fresh;
    at = found + old.size();
    // Nothing matches before every character and at the end.
    if (old.empty()) {
      if (at >= text.size()) break;
      size_t next = at + code_point_offset(text.substr(at), 1);
      replaced += text.substr(at, next - at);
      at = next;
    }
    --left;
  }
  if (at <= text.size()) replaced += text.substr(at);
  return Value::string(std::move(replaced));
}

Value split(const Call& call) {
  std::string_view text = call[0].as_string();
  std::string_view separator = call[1].as_string();
  int64_t left = call.size() > 2 ? call[2].as_int() : -1;
  std::vector<Value> parts;
  if (left == 0 || (separator.empty() && text.empty())) return Value::list(std::move(parts));
  while (left < 0 || static_cast<int64_t>(parts.size()) + 1 < left) {
    size_t found = separator.empty() ? code_point_offset(text, 1) : text.find(separator);
    if (found == std::string_view::npos || (separator.empty() && found >= text.size())) break;
    if (parts.size() >= Value::kWeightMax) return Value::error("list is too large");
    parts.push_back(text_of(text.substr(0, found)));
    text.remove_prefix(found + separator.size());
  }
  parts.push_back(text_of(text));
  return Value::list(std::move(parts));
}

Value substring(const Call& call) {
  std::string_view text = call[0].as_string();
  auto length = static_cast<int64_t>(count_code_points(text));
  int64_t start = call[1].as_int();
  int64_t end = call.size() > 2 ? call[2].as_int() : length;
  if (call.size() > 2 && start > end) {
    return Value::error("invalid substring range. start: " + std::to_string(start) + ", end: " + std::to_string(end));
  }
  if (start < 0 || start > length) return out_of_range(start);
  if (end < 0 || end > length) return out_of_range(end);
  size_t first = code_point_offset(text, static_cast<size_t>(start));
  return text_of(text.substr(first, code_point_offset(text, static_cast<size_t>(end)) - first));
}

bool is_space(char32_t rune) {
  return (rune >= 9 && rune <= 13) || rune == ' ' || rune == 0x85 || rune == 0xa0 || rune == 0x1680 ||
         (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 || rune == 0x2029 || rune == 0x202f || rune == 0x205f ||
         rune == 0x3000;
}
Value trim(const Call& call) {
  std::string_view text = call[0].as_string();
  while (!text.empty()) {
    object::CodePoint first = object::decode_utf8(text);
    if (!is_space(first.rune)) break;
    text.remove_prefix(first.length);
  }
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xc0) == 0x80) --last;
    if (!is_space(object::decode_utf8(text.substr(last)).rune)) break;
    text = text.substr(0, last);
  }
  return text_of(text);
}

Value reverse(const Call& call) {
  std::string_view text = call[0].as_string();
  std::string reversed;
  reversed.reserve(text.size());
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xc0) == 0x80) --last;
    reversed += text.substr(last);
    text = text.substr(0, last);
  }
  return Value::string(std::move(reversed));
}

Value join(const Call& call) {
  const List& list = call[0].as_list();
  std::string_view separator = call.size() > 1 ? call[1].as_string() : std::string_view();
  std::string joined;
  for (size_t i = 0; i < list.size(); ++i) {
    Value item = list.at(i);
    if (!item.is_string()) return Value::error("join: invalid input: " + to_text(item).value_or(item.type().name()));
    if (i > 0) joined += separator;
    joined += item.as_string();
    if (joined.size() > kTextBytesMax) return Value::error("text is too long");
  }
  return Value::string(std::move(joined));
}

Value quote(const Call& call) {
  constexpr std::string_view kEscaped = "\a\b\f\n\r\t\v\\\"";
  constexpr std::string_view kNames = "abfnrtv\\\"";
  std::string quoted = "\"";
  for (std::string_view text = call[0].as_string(); !text.empty();) {
    object::CodePoint point = object::decode_utf8(text);
    size_t escape = kEscaped.find(text[0]);
    if (escape != std::string_view::npos) {
      quoted += '\\';
      quoted += kNames[escape];
    } else {
      object::append_utf8(point.valid ? point.rune : 0xfffd, quoted);
    }
    text.remove_prefix(point.length);
  }
  return Value::string(quoted + "\"");
}

Value format(const Call& call) { return format_text(call[0].as_string(), call[1].as_list()); }

constexpr Overload kTexts[] = {
    {"contains", "string.string:bool", contains, CostRule::kSearch},
    {"startsWith", "string.string:bool", starts_with, CostRule::kTraverse},
    {"endsWith", "string.string:bool", ends_with, CostRule::kTraverse},
    {"charAt", "string.int:string", char_at},
    {"indexOf", "string.string:int", index_of, CostRule::kEachElement},
    {"indexOf", "string.string,int:int", index_of, CostRule::kEachElement},
    {"lastIndexOf", "string.string:int", last_index_of, CostRule::kEachElement},
    {"lastIndexOf", "string.string,int:int", last_index_of, CostRule::kEachElement},
    {"lowerAscii", "string.:string", lower_ascii, CostRule::kTraverse},
    {"upperAscii", "string.:string", upper_ascii, CostRule::kTraverse},
    {"replace", "string.string,string:string", replace, CostRule::kTraverseTwice},
    {"replace", "string.string,string,int:string", replace, CostRule::kTraverseTwice},
    {"split", "string.string:list<string>", split, CostRule::kTraverseTwice},
    {"split", "string.string,int:list<string>", split, CostRule::kTraverseTwice},
    {"substring", "string.int:string", substring, CostRule::kTraverse},
    {"substring", "string.int,int:string", substring, CostRule::kTraverse},
    {"trim", "string.:string", trim, CostRule::kTraverse},
    {"reverse", "string.:string", reverse},
    {"join", "list<string>.:string", join, CostRule::kTraverseResult},
    {"join", "list<string>.string:string", join, CostRule::kTraverseResult},
    {"strings.quote", "string:string", quote, CostRule::kTraverse},
    {"format", "string.list<dyn>:string", format, CostRule::kTraverse},
};

}  // namespace

std::span<const Overload> text_functions() { return kTexts; }

}  // namespace stead::cel
