#include "object/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace stead::object {
namespace {

constexpr std::string_view kTrue[] = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr std::string_view kFalse[] = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
constexpr std::string_view kNull[] = {"", "~", "null", "Null", "NULL"};
constexpr std::string_view kNotFinite[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                           "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

template <size_t n>
bool one_of(const std::string_view (&list)[n], std::string_view text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t count_digits(std::string_view text) {
  return static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_float(std::string_view text) {
  auto take_sign = [&] {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  };
  take_sign();
  size_t whole = count_digits(text);
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    size_t fraction = count_digits(text);
    if (whole + fraction == 0) return false;
    text.remove_prefix(fraction);
  } else if (whole == 0) {
    return false;
  }
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  take_sign();
  return !text.empty() && count_digits(text) == text.size();
}

// An integer in the notations of Go's strconv with base 0, of 64 bits at most. Larger ones are floats, if they are
// written as such.
bool parse_integer(std::string_view text, Value& into) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  if (text.empty() || text[0] == '-') return false;
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (end != text.data() + text.size()) return false;
  const uint64_t limit = negative ? uint64_t{1} << 63 : INT64_MAX;
  if (error == std::errc() && number <= limit) {
    into = Value(static_cast<int64_t>(negative ? 0 - number : number));
    return true;
  }
  if (error != std::errc() || negative) return false;
  into = Value(static_cast<double>(number));
  return true;
}

Value number_value(double number) {
  // Kubernetes turns YAML into JSON text first, where 1e3 is written 1000.
  if (number == std::floor(number) && std::fabs(number) < 9.2e18) return Value(static_cast<int64_t>(number));
  return Value(number);
}

bool parse_number(std::string_view text, Value& into) {
  std::string plain(text);
  std::erase(plain, '_');
  if (parse_integer(plain, into)) return true;
  if (!is_float(plain)) return false;
  const char* start = plain.data() + (plain.starts_with('+') ? 1 : 0);
  double number = 0;
  auto [end, error] = std::from_chars(start, plain.data() + plain.size(), number);
  if (error != std::errc()) return false;
  into = number_value(number);
  return true;
}

// "2026-1-2", alone or with a time: go-yaml knows these as timestamps.
bool is_date(std::string_view text) {
  if (count_digits(text) != 4) return false;
  int parts = 0;
  text.remove_prefix(4);
  for (; text.starts_with('-') && parts < 2; ++parts) {
    text.remove_prefix(1);
    size_t digits = count_digits(text);
    if (digits < 1 || digits > 2) return false;
    text.remove_prefix(digits);
  }
  return parts == 2 && (text.empty() || text[0] == 'T' || text[0] == 't' || text[0] == ' ');
}

// [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?: other readers take it for a number in base 60.
bool is_base60(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text[0])) return false;
  auto skip = [&] {
    size_t length = text.find_first_not_of("0123456789_");
    text.remove_prefix(std::min(length, text.size()));
  };
  skip();
  int groups = 0;
  for (; text.starts_with(':'); ++groups) {
    text.remove_prefix(1);
    size_t digits = count_digits(text);
    if (digits < 1 || digits > 2 || (digits == 2 && text[0] > '5')) return false;
    text.remove_prefix(digits);
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    skip();
  }
  return groups > 0 && text.empty();
}

bool may_be_number(std::string_view text) {
  return !text.empty() && (is_digit(text[0]) || text[0] == '-' || text[0] == '+' || text[0] == '.');
}

}  // namespace

Result<Value> resolve_yaml_scalar(std::string_view text) {
  if (one_of(kNull, text)) return Value();
  if (one_of(kTrue, text)) return Value(true);
  if (one_of(kFalse, text)) return Value(false);
  if (one_of(kNotFinite, text)) {
    return make_error(Reason::kBadRequest,
                      "error converting YAML to JSON: json: unsupported value: " + std::string(text));
  }
  Value number;
  // A date stays the text it is.
  if (may_be_number(text) && !is_date(text) && parse_number(text, number)) return number;
  return Value(text);
}

bool yaml_scalar_needs_quotes(std::string_view text) {
  if (one_of(kNull, text) || one_of(kTrue, text) || one_of(kFalse, text) || one_of(kNotFinite, text)) return true;
  if (text == "<<") return true;
  Value number;
  return may_be_number(text) && (is_date(text) || is_base60(text) || parse_number(text, number));
}

}  // namespace stead::object
