#include "object/patch.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "object/codec.h"

namespace stead::object {
namespace {

Value cases(const std::string& name) {
  std::ifstream file(std::string(STEAD_SOURCE_DIR) + "/tests/conformance/" + name);
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = parse_json(text.str());
  EXPECT_TRUE(parsed.ok() && parsed->size() > 10) << name;
  return parsed.ok() ? *parsed : Value();
}

template <class Apply>
void run(const std::string& name, Apply apply) {
  Value all = cases(name);
  for (const Value& one : all.items()) {
    Value target = one.at("doc");
    Result<void> result = apply(target, one.at("patch"));
    if (const Value* error = one.find("error")) {
      ASSERT_FALSE(result.ok()) << to_json(one) << " gave " << to_json(target);
      EXPECT_EQ(reason_name(result.error().reason), error->as_string()) << to_json(one) << result.error().message;
      EXPECT_EQ(target, one.at("doc")) << to_json(one);
    } else {
      ASSERT_TRUE(result.ok()) << to_json(one) << result.error().message;
      EXPECT_EQ(target, one.at("expected")) << to_json(one) << " gave " << to_json(target);
    }
  }
}

const Message& item() {
  static const Message kInner = [] {
    Message message{.name = "Inner"};
    message.fields = {{.name = "key", .type = {Type::kInt32}}, {.name = "v", .type = {Type::kString}}};
    message.finish();
    return message;
  }();
  static const TypeRef kInnerType{Type::kMessage, &kInner};
  static const Message made = [] {
    Message message{.name = "Item"};
    message.fields = {{.name = "name", .type = {Type::kString}},
                      {.name = "value", .type = {Type::kString}},
                      {.name = "other", .type = {Type::kString}},
                      {.name = "inner",
                       .type = {Type::kList, nullptr, &kInnerType},
                       .patch_strategy = MergeStrategy::kMerge,
                       .patch_merge_key = "key"}};
    message.finish();
    return message;
  }();
  return made;
}

const Message& thing() {
  static const TypeRef kText{Type::kString};
  static const TypeRef kItem{Type::kMessage, &item()};
  static const Message kChoice = [] {
    Message message{.name = "Choice"};
    message.fields = {{.name = "kind", .type = {Type::kString}}, {.name = "forA", .type = {Type::kString}}};
    message.finish();
    return message;
  }();
  static const Message made = [] {
    Message message{.name = "Thing"};
    message.fields = {
        {.name = "text", .type = {Type::kString}},
        {.name = "map", .type = {Type::kMap, nullptr, &kText}},
        {.name = "plain", .type = {Type::kList, nullptr, &kText}},
        {.name = "set", .type = {Type::kList, nullptr, &kText}, .patch_strategy = MergeStrategy::kMerge},
        {.name = "atoms", .type = {Type::kList, nullptr, &kItem}},
        {.name = "items",
         .type = {Type::kList, nullptr, &kItem},
         .patch_strategy = MergeStrategy::kMergeRetainKeys,
         .patch_merge_key = "name"},
        {.name = "choice", .type = {Type::kMessage, &kChoice}, .patch_strategy = MergeStrategy::kRetainKeys},
        {.name = "whole", .type = {Type::kMap, nullptr, &kText}, .patch_strategy = MergeStrategy::kReplace},
        {.name = "raw", .type = {Type::kRaw}},
    };
    message.finish();
    return message;
  }();
  return made;
}

TEST(JsonPatch, Conforms) {
  run("json_patch_cases.json", [](Value& target, const Value& patch) { return apply_json_patch(target, patch); });
}

TEST(JsonPatch, IsBounded) {
  Value patch = Value::array();
  for (int i = 0; i < 10'001; ++i) patch.append(Value::object({{"op", "remove"}, {"path", "/a"}}));
  Value target = Value::object();
  EXPECT_EQ(apply_json_patch(target, patch).error().reason, Reason::kRequestEntityTooLarge);
  // Every copy doubles the document.
  Value bomb = Value::array();
  for (int i = 0; i < 64; ++i) {
    bomb.append(Value::object({{"op", "copy"}, {"from", ""}, {"path", "/" + std::to_string(i)}}));
  }
  EXPECT_NE(apply_json_patch(target, bomb).error().message.find("Unable to complete the copy"), std::string::npos);
}

TEST(MergePatch, Conforms) {
  run("merge_patch_cases.json", [](Value& target, const Value& patch) {
    apply_merge_patch(target, patch);
    return Result<void>();
  });
}

TEST(StrategicMergePatch, Conforms) {
  run("strategic_merge_patch_cases.json",
      [](Value& target, const Value& patch) { return apply_strategic_merge_patch(target, patch, thing()); });
}

}  // namespace
}  // namespace stead::object
