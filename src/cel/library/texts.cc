#include "cel/library/texts.h"

#include <re2/re2.h>

#include "cel/numbers.h"
#include "cel/times.h"
#include "object/quote.h"

namespace stead::cel {

size_t count_code_points(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

size_t code_point_offset(std::string_view text, size_t index) {
  size_t offset = 0;
  while (index > 0 && offset < text.size()) {
    ++offset;
    while (offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xc0) == 0x80) ++offset;
    --index;
  }
  return offset;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    object::CodePoint point = object::decode_utf8(text);
    if (!point.valid) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

std::optional<std::string> to_text(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kBool:
      return value.as_bool() ? "true" : "false";
    case ValueKind::kInt:
      return std::to_string(value.as_int());
    case ValueKind::kUint:
      return std::to_string(value.as_uint());
    case ValueKind::kDouble:
      return format_double(value.as_double());
    case ValueKind::kString:
      return std::string(value.as_string());
    case ValueKind::kBytes:
      return std::string(value.as_bytes());
    case ValueKind::kTimestamp:
      return format_timestamp(value.as_timestamp());
    case ValueKind::kDuration:
      return format_duration(value.as_duration());
    case ValueKind::kType: {
      // Parameters do not show.
      std::string name = value.as_type().is(TypeKind::kNull) ? "null_type" : value.as_type().name();
      return name.substr(0, name.find('('));
    }
    case ValueKind::kNull:
      return "null";
    default:
      return std::nullopt;
  }
}

std::partial_ordering compare_values(const Value& a, const Value& b) {
  if (is_number(a) && is_number(b)) return compare_numbers(a, b);
  if (a.kind() != b.kind()) return std::partial_ordering::unordered;
  switch (a.kind()) {
    case ValueKind::kBool:
      return static_cast<int>(a.as_bool()) <=> static_cast<int>(b.as_bool());
    case ValueKind::kString:
      return a.as_string().compare(b.as_string()) <=> 0;
    case ValueKind::kBytes:
      return a.as_bytes().compare(b.as_bytes()) <=> 0;
    case ValueKind::kTimestamp:
      return a.as_timestamp() <=> b.as_timestamp();
    case ValueKind::kDuration:
      return a.as_duration() <=> b.as_duration();
    default:
      return std::partial_ordering::unordered;
  }
}

uint64_t size_of(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kString:
      return count_code_points(value.as_string());
    case ValueKind::kBytes:
      return value.as_bytes().size();
    case ValueKind::kList:
      return value.as_list().size();
    case ValueKind::kMap:
      return value.as_map().size();
    case ValueKind::kOptional:
      return value.as_optional() ? size_of(*value.as_optional()) : 1;
    case ValueKind::kOpaque:
      return value.as_opaque().size();
    default:
      return 1;
  }
}

std::shared_ptr<const re2::RE2> compile_regex(std::string_view pattern) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(1 << 20);
  auto regex = std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  return regex->ok() ? regex : nullptr;
}

Value string_list(const std::vector<std::string>& texts) {
  std::vector<Value> items;
  items.reserve(texts.size());
  for (const std::string& text : texts) items.push_back(Value::string(text));
  return Value::list(std::move(items));
}

}  // namespace stead::cel
