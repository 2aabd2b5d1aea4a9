#include "object/protobuf.h"

#include <gtest/gtest.h>

#include "object/wire.h"

namespace stead::object {
namespace {

const Message& inner() {
  static const Message made = [] {
    Message message{.name = "Inner"};
    message.fields = {{.name = "name", .type = {Type::kString}, .number = 1},
                      {.name = "path", .type = {Type::kString}, .number = 1, .embedded = 2},
                      {.name = "mode", .type = {Type::kInt32}, .number = 2, .embedded = 2, .pointer = true},
                      {.name = "deep", .type = {Type::kString}, .number = 1, .embedded = 0x302}};
    message.finish();
    return message;
  }();
  return made;
}

const Message& outer() {
  static const TypeRef kText{Type::kString};
  static const TypeRef kNumber{Type::kInt32};
  static const TypeRef kInner{Type::kMessage, &inner()};
  static const TypeRef kAmount{Type::kQuantity};
  static const TypeRef kBytes{Type::kBytes};
  static const TypeRef kTexts{Type::kList, nullptr, &kText};
  static const Message made = [] {
    Message message{.name = "Outer"};
    message.fields = {
        {.name = "apiVersion", .type = {Type::kString}},
        {.name = "text", .type = {Type::kString}, .number = 1},
        {.name = "flag", .type = {Type::kBool}, .number = 2, .pointer = true},
        {.name = "small", .type = {Type::kInt32}, .number = 3, .pointer = true},
        {.name = "large", .type = {Type::kInt64}, .number = 4},
        {.name = "ratio", .type = {Type::kDouble}, .number = 5},
        {.name = "data", .type = {Type::kMap, nullptr, &kBytes}, .number = 6},
        {.name = "at", .type = {Type::kTime}, .number = 7},
        {.name = "exactly", .type = {Type::kMicroTime}, .number = 8},
        {.name = "amounts", .type = {Type::kMap, nullptr, &kAmount}, .number = 9},
        {.name = "port", .type = {Type::kIntOrString}, .number = 10, .pointer = true},
        {.name = "raw", .type = {Type::kRaw}, .number = 11},
        {.name = "items", .type = {Type::kList, nullptr, &kInner}, .number = 12},
        {.name = "texts", .type = {Type::kList, nullptr, &kText}, .number = 13},
        {.name = "numbers", .type = {Type::kList, nullptr, &kNumber}, .number = 14},
        {.name = "extra", .type = {Type::kMap, nullptr, &kTexts}, .number = 15},
        {.name = "wait", .type = {Type::kDuration}, .number = 16, .pointer = true},
        {.name = "key", .type = {Type::kBytes}, .number = 17},
    };
    message.finish();
    return message;
  }();
  return made;
}

TEST(Protobuf, RoundTrips) {
  for (std::string_view text :
       {R"({})", R"({"text":"a"})", R"({"flag":false,"small":-1,"large":9223372036854775807,"ratio":-1.5})",
        R"({"small":0})", R"({"data":{"a":"AP8=","b":""},"key":"YQ=="})",
        R"({"at":"2026-01-02T03:04:05Z","exactly":"1969-12-31T23:59:59.000006Z"})",
        R"({"amounts":{"cpu":"500m","memory":"1Gi"}})", R"({"port":80})", R"({"port":"http"})", R"({"port":-1})",
        R"({"raw":{"a":[1,null]}})",
        R"({"items":[{"name":"a","path":"p","mode":0,"deep":"d"},{"deep":"e"},{},{"mode":420}]})",
        R"({"texts":["","b"],"numbers":[1,-1,0]})", R"({"extra":{"a":["x","y"],"b":[]}})", R"({"wait":"1m30s"})"}) {
    Value value = *parse_json(text);
    auto decoded = decode_protobuf(encode_protobuf(value, outer()), outer());
    ASSERT_TRUE(decoded.ok()) << text << decoded.error().message;
    EXPECT_EQ(*decoded, value) << text << " became " << to_json(*decoded);
  }
}

TEST(Protobuf, BytesAreThoseOfTheWireFormat) {
  auto bytes = [](std::string_view json) { return encode_protobuf(*parse_json(json), outer()); };
  EXPECT_EQ(bytes(R"({"apiVersion":"v1","text":"hi"})"), std::string("\x0a\x02hi"));
  EXPECT_EQ(bytes(R"({"small":300})"), std::string("\x18\xac\x02"));
  EXPECT_EQ(bytes(R"({"small":-1})"), std::string("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  EXPECT_EQ(bytes(R"({"amounts":{"a":"1"}})"), std::string("\x4a\x08\x0a\x01"
                                                           "a\x12\x03\x0a\x01"
                                                           "1"));
  EXPECT_EQ(bytes(R"({"port":80})"), std::string("\x52\x06\x08\x00\x10\x50\x1a\x00", 8));
  // Fields of an embedded message share one message of its number.
  EXPECT_EQ(bytes(R"({"items":[{"path":"p","mode":1}]})"), std::string("\x62\x07\x12\x05\x0a\x01p\x10\x01", 9));
  EXPECT_EQ(bytes(R"({"items":[{"path":"p","deep":"d"}]})"), std::string("\x62\x0a\x12\x08\x0a\x01p\x1a\x03\x0a\x01"
                                                                         "d",
                                                                         12));
}

TEST(Protobuf, SkipsWhatItDoesNotKnowAndTakesPackedNumbers) {
  std::string bytes;
  append_varint_field(99, 7, bytes);
  append_bytes_field(98, "xyz", bytes);
  append_tag(97, WireType::kFixed32, bytes);
  bytes += "abcd";
  append_bytes_field(14, std::string("\x01\xac\x02\x00", 4), bytes);
  append_bytes_field(1, "a", bytes);
  append_bytes_field(1, "b", bytes);
  auto value = decode_protobuf(bytes, outer());
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(to_json(*value), R"({"numbers":[1,300,0],"text":"b"})");
}

TEST(Protobuf, LaterEntriesOfAMapWin) {
  std::string entry;
  append_bytes_field(1, "k", entry);
  std::string bytes;
  append_bytes_field(6,
                     entry + std::string("\x12\x01"
                                         "a"),
                     bytes);
  append_bytes_field(6, entry, bytes);
  EXPECT_EQ(to_json(*decode_protobuf(bytes, outer())), R"({"data":{"k":""}})");
}

TEST(Protobuf, RefusesMalformedBytes) {
  const std::pair<std::string, std::string_view> cases[] = {
      {std::string("\x0a\x05hi"), "proto: Outer: unexpected EOF"},
      {std::string("\x08\x01"), "proto: wrong wireType = 0 for field text"},
      {std::string("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "proto: Outer: unexpected EOF"},
      {std::string("\x0b"), "proto: Outer: unexpected EOF"},
      {std::string("\x62\x02\x0a\x05"), "proto: Inner: unexpected EOF"},
      {std::string("\x4a\x07\x0a\x01"
                   "a\x12\x02\x0a\x05"),
       "proto: amounts: unexpected EOF"},
      {std::string("\x5a\x03\x0a\x01{"), "unexpected end of JSON input"},
  };
  for (const auto& [bytes, expected] : cases) {
    auto value = decode_protobuf(bytes, outer());
    ASSERT_FALSE(value.ok());
    EXPECT_EQ(value.error().message, expected);
    EXPECT_EQ(value.error().reason, Reason::kBadRequest);
  }
}

TEST(Protobuf, EnvelopesOpenAsSealed) {
  std::string sealed = seal_envelope("apps/v1", "StatefulSet", "raw", "application/json");
  EXPECT_TRUE(is_protobuf_envelope(sealed));
  auto envelope = open_envelope(sealed);
  ASSERT_TRUE(envelope.ok());
  EXPECT_EQ(envelope->api_version, "apps/v1");
  EXPECT_EQ(envelope->kind, "StatefulSet");
  EXPECT_EQ(envelope->raw, "raw");
  EXPECT_EQ(envelope->content_type, "application/json");
  EXPECT_EQ(seal_envelope("v1", "Pod", ""),
            std::string("k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x00\x1a\x00\x22\x00", 21));
  EXPECT_FALSE(open_envelope("{}").ok());
  EXPECT_FALSE(open_envelope(std::string_view(sealed).substr(0, 10)).ok());
}

}  // namespace
}  // namespace stead::object
