#include "cel/library/format_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "cel/library/texts.h"
#include "object/quote.h"

namespace stead::cel {

namespace {

constexpr int kDefaultPrecision = 6;
constexpr int kPrecisionMax = 1000;

using Text = Result<std::string>;

Error wrong(std::string message) {
  return make_error(Reason::kInvalid, "error during formatting: " + std::move(message));
}

std::string fixed(double number, int precision) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-\u221e" : "\u221e";
  std::string text(static_cast<size_t>(precision) + 330, '\0');
  auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed, precision).ptr;
  text.resize(static_cast<size_t>(end - text.data()));
  return text;
}

// Commas between thousands, as the en-US locale has them.
std::string grouped(std::string text) {
  size_t point = std::min(text.find('.'), text.size());
  size_t first = text.starts_with('-') ? 1 : 0;
  for (size_t at = point; at > first + 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

// "1.052033 × 10⁰³", likewise.
std::string scientific(double number, int precision) {
  if (std::isnan(number) || std::isinf(number)) return fixed(number, precision);
  std::string text(static_cast<size_t>(precision) + 32, '\0');
  auto end =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific, precision).ptr;
  text.resize(static_cast<size_t>(end - text.data()));
  size_t e = text.find('e');
  constexpr std::string_view kRaised[] = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                          "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
  std::string raised = text[e + 1] == '-' ? "\u207b" : "";
  for (char digit : text.substr(e + 2)) raised += kRaised[digit - '0'];
  return text.substr(0, e) + "\u202f\u00d7\u202f10" + raised;
}

std::string in_base(uint64_t number, int base, bool negative) {
  char text[72];
  auto end = std::to_chars(text, text + sizeof text, number, base).ptr;
  return (negative ? "-" : "") + std::string(text, end);
}
std::string in_base(const Value& value, int base) {
  if (value.is(ValueKind::kUint)) return in_base(value.as_uint(), base, false);
  int64_t number = value.as_int();
  auto magnitude = static_cast<uint64_t>(number);
  return in_base(number < 0 ? 0 - magnitude : magnitude, base, number < 0);
}
std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}
bool is_integer(const Value& value) { return value.is(ValueKind::kInt) || value.is(ValueKind::kUint); }

Text as_literal(const Value& value);

Text list_text(const List& list) {
  std::string text = "[";
  for (size_t i = 0; i < list.size(); ++i) {
    STEAD_TRY(item, as_literal(list.at(i)));
    if (text.size() > kTextBytesMax) return wrong("text is too long");
    text += (i > 0 ? ", " : "") + item;
  }
  return text + "]";
}

Text map_text(const Map& map) {
  std::vector<std::pair<std::string, std::string>> entries;
  size_t total = 0;
  for (const Value& key : map.keys()) {
    if (!key.is_string() && !key.is_bool() && !is_integer(key)) {
      return wrong("no formatting function for map key of type " + key.type().name());
    }
    STEAD_TRY(name, as_literal(key));
    auto found = map.find(key);
    if (!found) continue;
    STEAD_TRY(value, as_literal(*found));
    total += name.size() + value.size();
    if (total > kTextBytesMax) return wrong("text is too long");
    entries.emplace_back(std::move(name), std::move(value));
  }
  std::ranges::sort(entries);
  std::string text = "{";
  for (const auto& [name, value] : entries) text += (text.size() > 1 ? ", " : "") + name + ":" + value;
  return text + "}";
}

// A value inside a list or map: as an expression would write it.
Text as_literal(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kString:
      return object::quote(value.as_string());
    case ValueKind::kBytes:
      return "b" + object::quote(value.as_bytes());
    case ValueKind::kTimestamp:
      return "timestamp(" + object::quote(*to_text(value)) + ")";
    case ValueKind::kDuration:
      return "duration(" + object::quote(*to_text(value)) + ")";
    case ValueKind::kType:
      return "type(" + *to_text(value) + ")";
    case ValueKind::kDouble: {
      double number = value.as_double();
      if (std::isnan(number)) return std::string("\"NaN\"");
      if (std::isinf(number)) return std::string(number < 0 ? "\"-Inf\"" : "\"+Inf\"");
      return fixed(number, kDefaultPrecision);
    }
    case ValueKind::kList:
      return list_text(value.as_list());
    case ValueKind::kMap:
      return map_text(value.as_map());
    default: {
      auto text = to_text(value);
      if (text) return *std::move(text);
      return wrong("no formatting function for " + value.type().name());
    }
  }
}

Text as_string(const Value& value) {
  if (value.is(ValueKind::kList)) return list_text(value.as_list());
  if (value.is(ValueKind::kMap)) return map_text(value.as_map());
  auto text = to_text(value);
  if (text) return *std::move(text);
  return wrong(
      "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and "
      "timestamps, was given " +
      value.type().name());
}

Result<double> as_number(const Value& value, std::string_view clause) {
  if (value.is(ValueKind::kDouble)) return value.as_double();
  if (value.is_string()) {
    if (value.as_string() == "NaN") return std::nan("");
    if (value.as_string() == "Infinity") return static_cast<double>(INFINITY);
    if (value.as_string() == "-Infinity") return static_cast<double>(-INFINITY);
  }
  return wrong(std::string(clause) + " clause can only be used on doubles, was given " + value.type().name());
}

Text in_clause(char clause, int precision, const Value& value) {
  std::string given = ", was given " + value.type().name();
  switch (clause) {
    case 's':
      return as_string(value);
    case 'd':
      if (!is_integer(value)) return wrong("decimal clause can only be used on integers" + given);
      return in_base(value, 10);
    case 'f': {
      STEAD_TRY(number, as_number(value, "fixed-point"));
      return grouped(fixed(number, precision));
    }
    case 'e': {
      STEAD_TRY(number, as_number(value, "scientific"));
      return scientific(number, precision);
    }
    case 'b':
      if (value.is_bool()) return std::string(value.as_bool() ? "1" : "0");
      if (!is_integer(value)) return wrong("only integers and bools can be formatted as binary" + given);
      return in_base(value, 2);
    case 'o':
      if (!is_integer(value)) return wrong("octal clause can only be used on integers" + given);
      return in_base(value, 8);
    default: {
      std::string text;
      if (value.is_string()) {
        text = hex(value.as_string());
      } else if (value.is(ValueKind::kBytes)) {
        text = hex(value.as_bytes());
      } else if (is_integer(value)) {
        text = in_base(value, 16);
      } else {
        return wrong("only integers, byte buffers, and strings can be formatted as hex" + given);
      }
      if (clause == 'X') std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' ? c - 32 : c; });
      return text;
    }
  }
}

// ".3" at the front; -1 where it is malformed.
int take_precision(std::string_view& format) {
  if (!format.starts_with('.')) return kDefaultPrecision;
  int precision = 0;
  auto [end, error] = std::from_chars(format.data() + 1, format.data() + format.size(), precision);
  if (error != std::errc() || precision < 0 || precision > kPrecisionMax) return -1;
  format.remove_prefix(static_cast<size_t>(end - format.data()));
  return precision;
}

}  // namespace

Value format_text(std::string_view format, const List& arguments) {
  std::string text;
  for (size_t next = 0; !format.empty();) {
    size_t percent = std::min(format.find('%'), format.size());
    text += format.substr(0, percent);
    format.remove_prefix(percent);
    if (format.empty()) break;
    format.remove_prefix(1);
    if (format.starts_with('%')) {
      text += '%';
      format.remove_prefix(1);
      continue;
    }
    if (next >= arguments.size()) return Value::error("index " + std::to_string(next) + " out of range");
    if (format.empty()) return Value::error("unexpected end of string");
    int precision = take_precision(format);
    if (precision < 0 || format.empty())
      return Value::error("could not parse formatting clause: error while parsing precision");
    char clause = format[0];
    if (std::string_view("sdfebxXo").find(clause) == std::string_view::npos) {
      return Value::error("could not parse formatting clause: unrecognized formatting clause \"" +
                          std::string(1, clause) + "\"");
    }
    format.remove_prefix(1);
    Value argument = arguments.at(next++);
    if (argument.is_error()) return argument;
    auto part = in_clause(clause, precision, argument);
    if (!part.ok()) return Value::error(part.error().message);
    text += part.value();
    if (text.size() > kTextBytesMax) return Value::error("text is too long");
  }
  return Value::string(std::move(text));
}

}  // namespace stead::cel
