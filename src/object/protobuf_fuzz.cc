// Any bytes: what decodes encodes to bytes that decode to the same value, and so does JSON text of the same message.

#include "base/check.h"
#include "object/protobuf.h"

namespace {

using namespace stead::object;

const Message& node() {
  static Message made{.name = "Node"};
  static const TypeRef kText{Type::kString};
  static const TypeRef kBytes{Type::kBytes};
  static const TypeRef kAmount{Type::kQuantity};
  static const TypeRef kNumber{Type::kInt64};
  static const TypeRef kNode{Type::kMessage, &made};
  static const TypeRef kTexts{Type::kList, nullptr, &kText};
  if (!made.fields.empty()) return made;
  made.fields = {{.name = "text", .type = {Type::kString}, .number = 1},
                 {.name = "flag", .type = {Type::kBool}, .number = 2, .pointer = true},
                 {.name = "small", .type = {Type::kInt32}, .number = 3},
                 {.name = "data", .type = {Type::kMap, nullptr, &kBytes}, .number = 4},
                 {.name = "at", .type = {Type::kTime}, .number = 5},
                 {.name = "exactly", .type = {Type::kMicroTime}, .number = 6},
                 {.name = "amounts", .type = {Type::kMap, nullptr, &kAmount}, .number = 7},
                 {.name = "port", .type = {Type::kIntOrString}, .number = 8, .pointer = true},
                 {.name = "raw", .type = {Type::kRaw}, .number = 9},
                 {.name = "items", .type = {Type::kList, nullptr, &kNode}, .number = 10},
                 {.name = "numbers", .type = {Type::kList, nullptr, &kNumber}, .number = 11},
                 {.name = "extra", .type = {Type::kMap, nullptr, &kTexts}, .number = 12},
                 {.name = "wait", .type = {Type::kDuration}, .number = 13, .pointer = true},
                 {.name = "path", .type = {Type::kString}, .number = 1, .embedded = 14},
                 {.name = "node", .type = kNode, .number = 2, .embedded = 14, .pointer = true}};
  made.finish();
  return made;
}

void check_round(const Value& value) {
  std::string bytes = encode_protobuf(value, node());
  auto again = decode_protobuf(bytes, node(), {.bytes_max = 1 << 28, .depth_max = 300});
  STEAD_CHECK(again.ok(), again.ok() ? "" : again.error().message);
  STEAD_CHECK(*again == value, to_json(value));
  STEAD_CHECK(encode_protobuf(*again, node()) == bytes, to_json(value));
  // JSON says the same, but where a text is no UTF-8.
  auto read = parse_json(to_json(value), nullptr, {.bytes_max = 1 << 28, .depth_max = 1000});
  STEAD_CHECK(read.ok(), to_json(value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto envelope = open_envelope(bytes);
  if (envelope.ok()) {
    std::string sealed = seal_envelope(envelope->api_version, envelope->kind, envelope->raw, envelope->content_type);
    auto again = open_envelope(sealed);
    STEAD_CHECK(again.ok() && again->raw == envelope->raw && again->kind == envelope->kind);
    bytes = envelope->raw;
  }
  if (auto value = decode_protobuf(bytes, node()); value.ok()) check_round(*value);
  auto value = parse_json(bytes);
  if (!value.ok() || !value->is_object() || !shape(*value, node()).ok()) return 0;
  auto clean = parse_json(to_json(*value));
  Value once = *clean;
  STEAD_CHECK(shape(once, node()).ok() && once == *clean, to_json(*clean));  // what has been shaped has its shape
  check_round(*clean);
  return 0;
}
