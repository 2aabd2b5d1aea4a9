#pragma once

// A message with every kind of field that apply tells apart.

#include <deque>

#include "object/descriptor.h"

namespace stead::object::apply_test {

inline Field field(std::string_view name, TypeRef type) {
  Field made;
  made.name = name;
  made.type = type;
  return made;
}

inline const TypeRef* kept(TypeRef type) {
  static std::deque<TypeRef> kTypes;
  return &kTypes.emplace_back(type);
}

inline TypeRef list_of(TypeRef element) { return {Type::kList, nullptr, kept(element)}; }
inline TypeRef map_of(TypeRef element) { return {Type::kMap, nullptr, kept(element)}; }
inline TypeRef of(const Message& message) { return {Type::kMessage, &message, nullptr}; }

inline Message* build() {
  static const Value kTcp = "TCP";
  auto* metadata = new Message{.name = "Metadata", .package = "", .doc = "", .fields = {}, .by_name = {}};
  for (std::string_view name : {"name", "uid"}) metadata->fields.push_back(field(name, {Type::kString}));
  metadata->fields.push_back(field("labels", map_of({Type::kString})));
  auto* port = new Message{.name = "Port", .package = "", .doc = "", .fields = {}, .by_name = {}};
  port->fields = {field("port", {Type::kInt32}), field("protocol", {Type::kString}), field("name", {Type::kString})};
  port->fields[1].default_value = &kTcp;
  auto* inner = new Message{.name = "Inner", .package = "", .doc = "", .fields = {}, .by_name = {}};
  inner->fields = {field("text", {Type::kString})};
  auto* tuple = new Message{.name = "Tuple", .package = "", .doc = "", .fields = {}, .atomic = true, .by_name = {}};
  tuple->fields = {field("a", {Type::kInt32}), field("b", {Type::kInt32})};
  for (Message* message : {metadata, port, inner, tuple}) message->finish();
  auto* nested = new Message{.name = "Nested", .package = "", .doc = "", .fields = {}, .by_name = {}};
  nested->fields = {field("inner", of(*inner))};
  nested->fields[0].pointer = true;
  nested->finish();
  auto* all = new Message{.name = "Test", .package = "", .doc = "", .fields = {}, .by_name = {}};
  all->fields = {field("apiVersion", {Type::kString}),
                 field("kind", {Type::kString}),
                 field("metadata", of(*metadata)),
                 field("replicas", {Type::kInt32}),
                 field("flag", {Type::kBool}),
                 field("nested", of(*nested)),
                 field("labels", map_of({Type::kString})),
                 field("selector", map_of({Type::kString})),
                 field("tuple", of(*tuple)),
                 field("args", list_of({Type::kString})),
                 field("tags", list_of({Type::kString})),
                 field("ports", list_of(of(*port))),
                 field("open", {Type::kRaw, nullptr, nullptr, true})};
  all->finish();
  auto at = [all](std::string_view name) -> Field& { return all->fields[all->by_name.at(name)]; };
  at("replicas").pointer = true;
  at("nested").omit_empty = false;  // a struct without pointer
  at("metadata").omit_empty = false;
  at("selector").atomic = true;
  at("tags").list_type = ListType::kSet;
  at("ports").list_type = ListType::kMap;
  at("ports").list_map_keys = {"port", "protocol"};
  return all;
}

inline const Message& message() {
  static const Message* kMessage = build();
  return *kMessage;
}

}  // namespace stead::object::apply_test
