#include <bit>
#include <unordered_map>

#include "object/base64.h"
#include "object/protobuf.h"
#include "object/time.h"
#include "object/wire.h"

namespace stead::object {
namespace {

class Decoder {
 public:
  explicit Decoder(const DecodeLimits& limits) : limits_(limits) {}

  // Reads the fields of `message` that stand in the embedded messages `embedded`, whose numbers take `bits` (0: in
  // itself).
  Result<void> fields(std::string_view bytes, const Message& message, uint32_t embedded, unsigned bits, Value& into,
                      int depth) {
    if (depth >= limits_.depth_max) return make_error(Reason::kBadRequest, "exceeded max depth");
    WireReader reader(bytes);
    while (reader.next()) {
      const Field* known = nullptr;
      bool holds_embedded = false;
      for (const Field& field : message.fields) {
        if (field.number == 0) continue;
        if (field.embedded == embedded && field.number == reader.field) known = &field;
        if ((field.embedded & ((1U << bits) - 1)) != embedded) continue;
        const uint32_t inner = (field.embedded >> bits) & 0xff;
        if (inner != 0 && inner == reader.field) holds_embedded = true;
      }
      if (holds_embedded && reader.type == WireType::kBytes) {
        const uint32_t inside = embedded | (reader.field << bits);
        STEAD_TRY_VOID(fields(reader.bytes, message, inside, bits + 8, into, depth + 1));
      } else if (known != nullptr) {
        STEAD_TRY_VOID(field(reader, *known, into, depth));
      }
    }
    if (!reader.ok()) return truncated(message.name);
    for (Member& member : into.mutable_members()) {
      if (embedded != 0 || !member.value.is_object()) continue;
      if (message.find(member.name())->type.type == Type::kMap) keep_last_entries(member.value);
    }
    return {};
  }

 private:
  // Protobuf's rule for duplicate keys of a map.
  static void keep_last_entries(Value& map) {
    std::unordered_map<std::string_view, size_t> last;
    const auto& members = map.members();
    for (size_t i = 0; i < members.size(); ++i) last[members[i].name()] = i;
    if (last.size() == members.size()) return;
    std::vector<Member> kept;
    for (size_t i = 0; i < members.size(); ++i) {
      if (last[members[i].name()] == i) kept.push_back(members[i]);
    }
    map.mutable_members() = std::move(kept);
  }

  static Error truncated(std::string_view where) {
    return make_error(Reason::kBadRequest, "proto: " + std::string(where) + ": unexpected EOF");
  }
  static Error wrong_type(const WireReader& reader, std::string_view name) {
    return make_error(Reason::kBadRequest, "proto: wrong wireType = " + std::to_string(static_cast<int>(reader.type)) +
                                               " for field " + std::string(name));
  }

  Result<void> field(const WireReader& reader, const Field& field, Value& into, int depth) {
    if (field.type.type == Type::kList) return item(reader, *field.type.element, field.name, into[field.name], depth);
    if (field.type.type == Type::kMap) return entry(reader, *field.type.element, field.name, into[field.name], depth);
    STEAD_TRY(value, one(reader, field.type, field.name, depth));
    into.set(field.name, std::move(value));
    return {};
  }

  Result<void> item(const WireReader& reader, const TypeRef& element, std::string_view name, Value& list, int depth) {
    const bool packable = element.type == Type::kInt32 || element.type == Type::kInt64 || element.type == Type::kBool;
    if (packable && reader.type == WireType::kBytes) {
      // Writers may pack numbers into one field; readers must take both forms.
      return packed(reader.bytes, element, name, list);
    }
    STEAD_TRY(value, one(reader, element, name, depth));
    list.append(std::move(value));
    return {};
  }

  static Result<void> packed(std::string_view bytes, const TypeRef& element, std::string_view name, Value& list) {
    while (!bytes.empty()) {
      size_t length = 0;
      uint64_t number = 0;
      for (;; ++length) {
        if (length == bytes.size() || length == 10) return truncated(name);
        const auto byte = static_cast<uint8_t>(bytes[length]);
        if (length < 9 || byte <= 1) number |= uint64_t{byte & 0x7fu} << (7 * length);
        if (byte < 0x80) break;
      }
      bytes.remove_prefix(length + 1);
      list.append(integer(number, element.type));
    }
    return {};
  }

  Result<void> entry(const WireReader& reader, const TypeRef& element, std::string_view name, Value& map, int depth) {
    if (reader.type != WireType::kBytes) return wrong_type(reader, name);
    if (map.is_null()) map = Value::object();
    std::string key;
    Value value = element.type == Type::kList ? Value::array() : zero(element);
    WireReader inner(reader.bytes);
    while (inner.next()) {
      if (inner.field == 1) {
        if (inner.type != WireType::kBytes) return wrong_type(inner, name);
        key = inner.bytes;
      } else if (inner.field == 2 && element.type == Type::kList) {
        STEAD_TRY_VOID(items(inner, *element.element, name, value, depth + 1));
      } else if (inner.field == 2) {
        STEAD_TRY(read, one(inner, element, name, depth + 1));
        value = std::move(read);
      }
    }
    if (!inner.ok()) return truncated(name);
    // Duplicates go when the whole map is read: a search for each entry would make a large map quadratic.
    map.mutable_members().emplace_back(Value(key), std::move(value));
    return {};
  }

  Result<void> items(const WireReader& reader, const TypeRef& element, std::string_view name, Value& list, int depth) {
    if (reader.type != WireType::kBytes) return wrong_type(reader, name);
    WireReader inner(reader.bytes);
    while (inner.next()) {
      if (inner.field == 1) STEAD_TRY_VOID(item(inner, element, name, list, depth));
    }
    return inner.ok() ? Result<void>() : truncated(name);
  }

  static Value zero(const TypeRef& type) {
    switch (type.type) {
      case Type::kMessage:
        return Value::object();
      case Type::kString:
      case Type::kBytes:
        return "";
      case Type::kQuantity:
        return "0";
      default:
        return {};
    }
  }

  static Value integer(uint64_t number, Type type) {
    if (type == Type::kBool) return Value(number != 0);
    if (type == Type::kInt32) return Value(static_cast<int64_t>(static_cast<int32_t>(number)));
    return Value(static_cast<int64_t>(number));
  }

  // A single value: a field, an item or a map's value.
  Result<Value> one(const WireReader& reader, const TypeRef& type, std::string_view name, int depth) {
    const bool varint = type.type == Type::kBool || type.type == Type::kInt32 || type.type == Type::kInt64;
    const WireType wanted = varint                       ? WireType::kVarint
                            : type.type == Type::kDouble ? WireType::kFixed64
                                                         : WireType::kBytes;
    if (reader.type != wanted) return wrong_type(reader, name);
    switch (type.type) {
      case Type::kBool:
      case Type::kInt32:
      case Type::kInt64:
        return integer(reader.number, type.type);
      case Type::kDouble:
        return Value(std::bit_cast<double>(reader.number));
      case Type::kString:
        return Value(reader.bytes);
      case Type::kBytes:
        return Value(encode_base64(reader.bytes));
      case Type::kMessage: {
        Value object = Value::object();
        STEAD_TRY_VOID(fields(reader.bytes, *type.message, 0, 0, object, depth + 1));
        return object;
      }
      default:
        return scalar_message(reader.bytes, type, name);
    }
  }

  // Scalars that are messages on the wire: two numbers and a text hold all of them.
  Result<Value> scalar_message(std::string_view bytes, const TypeRef& type, std::string_view name) {
    uint64_t first = 0;
    uint64_t second = 0;
    std::string_view text;
    WireReader reader(bytes);
    while (reader.next()) {
      if (reader.type == WireType::kBytes) {
        text = reader.bytes;
      } else if (reader.field == 1) {
        first = reader.number;
      } else if (reader.field == 2) {
        second = reader.number;
      }
    }
    if (!reader.ok()) return truncated(name);
    switch (type.type) {
      case Type::kQuantity:
        return Value(text.empty() ? "0" : text);
      case Type::kIntOrString:
        return first == 1 ? Value(text) : integer(second, Type::kInt32);
      case Type::kDuration:
        return Value(format_duration(Duration(static_cast<int64_t>(first) / 1000)));
      case Type::kRaw:
        if (text.empty()) return Value();
        return parse_json(text, nullptr, limits_);
      default:
        return timestamp(static_cast<int64_t>(first), static_cast<int64_t>(second), type.type, name);
    }
  }

  static Result<Value> timestamp(int64_t seconds, int64_t nanos, Type type, std::string_view name) {
    // The years 1 and 9999: what RFC 3339 can write.
    constexpr int64_t kSecondsMin = -62135596800;
    constexpr int64_t kSecondsMax = 253402300799;
    if (seconds < kSecondsMin || seconds > kSecondsMax || nanos < 0 || nanos > 999'999'999) {
      return make_error(Reason::kBadRequest, "proto: time out of range for field " + std::string(name));
    }
    // Go writes its zero time so. What is finer than the type does not tell it from the epoch.
    if (seconds == 0 && (type == Type::kTime || nanos < 1000)) return Value();
    WallTime time{std::chrono::seconds(seconds) + std::chrono::microseconds(nanos / 1000)};
    return Value(type == Type::kTime ? format_time(time) : format_micro_time(time));
  }

  const DecodeLimits& limits_;
};

}  // namespace

Result<Value> decode_protobuf(std::string_view bytes, const Message& message, const DecodeLimits& limits) {
  if (bytes.size() > limits.bytes_max) {
    return make_error(Reason::kRequestEntityTooLarge, "limit is " + std::to_string(limits.bytes_max));
  }
  Value value = Value::object();
  STEAD_TRY_VOID(Decoder(limits).fields(bytes, message, 0, 0, value, 0));
  STEAD_TRY_VOID(shape(value, message));
  return value;
}

}  // namespace stead::object
