#include <algorithm>
#include <bit>

#include "object/base64.h"
#include "object/protobuf.h"
#include "object/time.h"
#include "object/wire.h"

namespace stead::object {
namespace {

constexpr std::string_view kMagic("k8s\0", 4);

std::string encode_timestamp(std::string_view text) {
  std::string out;
  auto time = parse_time(text);
  if (!time) return out;
  auto seconds = std::chrono::floor<std::chrono::seconds>(*time);
  append_varint_field(1, static_cast<uint64_t>(seconds.time_since_epoch().count()), out);
  append_varint_field(2, static_cast<uint64_t>((*time - seconds).count() * 1000), out);
  return out;
}

std::string encode_int_or_string(const Value& value) {
  std::string out;
  append_varint_field(1, value.is_string() ? 1 : 0, out);
  append_varint_field(2, static_cast<uint64_t>(value.as_int()), out);
  append_bytes_field(3, value.as_string(), out);
  return out;
}

std::string wrapped(uint32_t field, std::string_view bytes) {
  std::string out;
  append_bytes_field(field, bytes, out);
  return out;
}

void encode_list(uint32_t number, const Value& list, const TypeRef& element, std::string& out);

void encode_field(uint32_t number, const Value& value, const TypeRef& type, std::string& out) {
  switch (type.type) {
    case Type::kBool:
      return append_varint_field(number, value.as_bool() ? 1 : 0, out);
    case Type::kInt32:
    case Type::kInt64:
      return append_varint_field(number, static_cast<uint64_t>(value.as_int()), out);
    case Type::kDouble: {
      append_tag(number, WireType::kFixed64, out);
      const auto bits = std::bit_cast<uint64_t>(value.as_double());
      for (int i = 0; i < 8; ++i) out += static_cast<char>(bits >> (8 * i));
      return;
    }
    case Type::kString:
      return append_bytes_field(number, value.as_string(), out);
    case Type::kBytes: {
      auto bytes = decode_base64(value.as_string());
      return append_bytes_field(number, bytes.ok() ? *bytes : std::string(), out);
    }
    case Type::kTime:
    case Type::kMicroTime:
      return append_bytes_field(number, encode_timestamp(value.as_string()), out);
    case Type::kDuration: {
      std::string inner;
      auto duration = parse_duration(value.as_string());
      append_varint_field(1, static_cast<uint64_t>(duration ? duration->count() * 1000 : 0), inner);
      return append_bytes_field(number, inner, out);
    }
    case Type::kQuantity:
      return append_bytes_field(number, wrapped(1, value.as_string()), out);
    case Type::kIntOrString:
      return append_bytes_field(number, encode_int_or_string(value), out);
    case Type::kRaw:
      return append_bytes_field(number, wrapped(1, to_json(value)), out);
    case Type::kMessage:
      return append_bytes_field(number, encode_protobuf(value, *type.message), out);
    case Type::kList:
      return encode_list(number, value, *type.element, out);
    case Type::kMap:
      for (const Member& member : value.members()) {
        std::string entry = wrapped(1, member.name());
        if (type.element->type == Type::kList) {
          // Protobuf has no map to lists: a message of one repeated field stands between (ExtraValue).
          std::string items;
          encode_list(1, member.value, *type.element->element, items);
          append_bytes_field(2, items, entry);
        } else {
          encode_field(2, member.value, *type.element, entry);
        }
        append_bytes_field(number, entry, out);
      }
      return;
  }
}

void encode_list(uint32_t number, const Value& list, const TypeRef& element, std::string& out) {
  for (const Value& item : list.items()) encode_field(number, item, element, out);
}

// The fields that stand in the embedded messages `embedded`, whose numbers take `bits`.
std::string encode_part(const Value& value, const Message& message, uint32_t embedded, unsigned bits) {
  std::string out;
  std::vector<uint32_t> inner;
  for (const Field& field : message.fields) {
    if (field.number == 0 || (field.embedded & ((1U << bits) - 1)) != embedded) continue;
    const Value* found = value.find(field.name);
    if (found == nullptr || found->is_null()) continue;
    const uint32_t number = (field.embedded >> bits) & 0xff;
    if (number == 0) {
      encode_field(field.number, *found, field.type, out);
    } else if (std::find(inner.begin(), inner.end(), number) == inner.end()) {
      inner.push_back(number);
    }
  }
  for (uint32_t number : inner) {
    append_bytes_field(number, encode_part(value, message, embedded | (number << bits), bits + 8), out);
  }
  return out;
}

}  // namespace

std::string encode_protobuf(const Value& value, const Message& message) { return encode_part(value, message, 0, 0); }

std::string seal_envelope(std::string_view api_version, std::string_view kind, std::string_view raw,
                          std::string_view content_type) {
  std::string type_meta = wrapped(1, api_version);
  append_bytes_field(2, kind, type_meta);
  std::string out(kMagic);
  out.reserve(raw.size() + type_meta.size() + content_type.size() + 24);
  append_bytes_field(1, type_meta, out);
  append_bytes_field(2, raw, out);
  append_bytes_field(3, {}, out);
  append_bytes_field(4, content_type, out);
  return out;
}

bool is_protobuf_envelope(std::string_view bytes) { return bytes.starts_with(kMagic); }

Result<Envelope> open_envelope(std::string_view bytes) {
  if (!is_protobuf_envelope(bytes)) {
    return make_error(Reason::kBadRequest,
                      "provided data does not appear to be a protobuf message, expected prefix "
                      "[107 56 115 0]");
  }
  Envelope envelope;
  WireReader outer(bytes.substr(kMagic.size()));
  while (outer.next()) {
    if (outer.type != WireType::kBytes) continue;
    if (outer.field == 2) envelope.raw = outer.bytes;
    if (outer.field == 3) envelope.content_encoding = outer.bytes;
    if (outer.field == 4) envelope.content_type = outer.bytes;
    if (outer.field != 1) continue;
    WireReader meta(outer.bytes);
    while (meta.next()) {
      if (meta.type != WireType::kBytes) continue;
      if (meta.field == 1) envelope.api_version = meta.bytes;
      if (meta.field == 2) envelope.kind = meta.bytes;
    }
    if (!meta.ok()) return make_error(Reason::kBadRequest, "unexpected EOF in Unknown.typeMeta");
  }
  if (!outer.ok()) return make_error(Reason::kBadRequest, "unexpected EOF in Unknown");
  return envelope;
}

}  // namespace stead::object
