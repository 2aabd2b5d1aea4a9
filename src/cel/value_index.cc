#include "cel/value_index.h"

#include <functional>

namespace stead::cel {

uint64_t hash_of(const Value& value) {
  switch (value.kind()) {
    case ValueKind::kBool:
      return value.as_bool() ? 1 : 2;
    // Numbers that are equal round to one double.
    case ValueKind::kInt:
      return std::hash<double>()(static_cast<double>(value.as_int()));
    case ValueKind::kUint:
      return std::hash<double>()(static_cast<double>(value.as_uint()));
    case ValueKind::kDouble:
      return std::hash<double>()(value.as_double());
    case ValueKind::kString:
      return std::hash<std::string_view>()(value.as_string());
    case ValueKind::kBytes:
      return std::hash<std::string_view>()(value.as_bytes()) + 1;
    case ValueKind::kTimestamp:
      return std::hash<int64_t>()(value.as_timestamp().seconds);
    case ValueKind::kDuration:
      return std::hash<int64_t>()(value.as_duration().nanos);
    default:
      return static_cast<uint64_t>(value.kind());
  }
}

uint64_t hash_of_keys(const Value& item, const std::vector<std::string>& keys) {
  uint64_t hash = 0;
  if (!item.is(ValueKind::kMap)) return hash;
  for (const std::string& key : keys) {
    auto found = item.as_map().find(Value::borrowed_string(key));
    hash = hash * 31 + (found ? hash_of(*found) : 0);
  }
  return hash;
}

}  // namespace stead::cel
