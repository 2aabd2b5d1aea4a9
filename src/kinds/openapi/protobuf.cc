
#include "kinds/openapi.h"
#include "object/codec.h"

// The protobuf form of OpenAPI v2 (gnostic's openapiv2 messages). Every object of the document is written by one
// table: which member goes to which field, and what stands there. Members that begin with "x-" are vendor
// extensions, whose values travel as YAML text; compact JSON is YAML.

namespace stead::kinds {
namespace {

using object::Member;

struct Table;

// How a member's value is written.
enum class Form {
  kText,        // string
  kTexts,       // repeated string
  kBool,        // bool
  kAnys,        // repeated Any, each YAML text
  kObject,      // a message by `table`
  kObjects,     // repeated messages by `table`
  kNamed,       // a message whose field `inner` repeats {1: name, 2: message by `table`}
  kWrapped,     // a message whose field `inner` is the message by `table`
  kType,        // TypeItem: repeated string, from one string
  kParameters,  // repeated ParametersItem
};

struct Entry {
  std::string_view member;
  uint32_t number;
  Form form;
  const Table* table = nullptr;
  uint32_t inner = 1;
};

struct Table {
  std::span<const Entry> entries;
  uint32_t extensions;  // field number of vendor_extension; 0: none
};

extern const Table kSchema;

constexpr Entry kSchemaEntries[] = {
    {"$ref", 1, Form::kText},
    {"format", 2, Form::kText},
    {"title", 3, Form::kText},
    {"description", 4, Form::kText},
    {"uniqueItems", 16, Form::kBool},
    {"required", 19, Form::kTexts},
    {"enum", 20, Form::kAnys},
    {"additionalProperties", 21, Form::kWrapped, &kSchema},
    {"type", 22, Form::kType},
    {"items", 23, Form::kWrapped, &kSchema},
    {"allOf", 24, Form::kObjects, &kSchema},
    {"properties", 25, Form::kNamed, &kSchema},
};
const Table kSchema{kSchemaEntries, 31};

constexpr Entry kResponseEntries[] = {
    {"description", 1, Form::kText},
    {"schema", 2, Form::kWrapped, &kSchema},
};
constexpr Table kResponse{kResponseEntries, 5};

constexpr Entry kBodyEntries[] = {
    {"description", 1, Form::kText},
    {"name", 2, Form::kText},
    {"in", 3, Form::kText},
    {"required", 4, Form::kBool},
    {"schema", 5, Form::kObject, &kSchema},
};
constexpr Table kBody{kBodyEntries, 6};

constexpr Entry kQueryEntries[] = {
    {"required", 1, Form::kBool}, {"in", 2, Form::kText},   {"description", 3, Form::kText},
    {"name", 4, Form::kText},     {"type", 6, Form::kText}, {"uniqueItems", 20, Form::kBool},
};
constexpr Table kQuery{kQueryEntries, 23};

constexpr Entry kPathEntries[] = {
    {"required", 1, Form::kBool}, {"in", 2, Form::kText},   {"description", 3, Form::kText},
    {"name", 4, Form::kText},     {"type", 5, Form::kText}, {"uniqueItems", 19, Form::kBool},
};
constexpr Table kPath{kPathEntries, 22};

// A choice between a response and a reference to one.
constexpr Entry kResponseValueEntries[] = {{"", 1, Form::kObject, &kResponse}};
constexpr Table kResponseValue{kResponseValueEntries, 0};

constexpr Entry kOperationEntries[] = {
    {"tags", 1, Form::kTexts},
    {"summary", 2, Form::kText},
    {"description", 3, Form::kText},
    {"operationId", 5, Form::kText},
    {"produces", 6, Form::kTexts},
    {"consumes", 7, Form::kTexts},
    {"parameters", 8, Form::kParameters},
    {"responses", 9, Form::kNamed, &kResponseValue},
    {"schemes", 10, Form::kTexts},
    {"deprecated", 11, Form::kBool},
};
constexpr Table kOperation{kOperationEntries, 13};

constexpr Entry kPathItemEntries[] = {
    {"get", 2, Form::kObject, &kOperation},   {"put", 3, Form::kObject, &kOperation},
    {"post", 4, Form::kObject, &kOperation},  {"delete", 5, Form::kObject, &kOperation},
    {"patch", 8, Form::kObject, &kOperation}, {"parameters", 9, Form::kParameters},
};
constexpr Table kPathItem{kPathItemEntries, 10};

constexpr Entry kInfoEntries[] = {
    {"title", 1, Form::kText}, {"version", 2, Form::kText}, {"description", 3, Form::kText}};
constexpr Table kInfo{kInfoEntries, 7};

constexpr Entry kDocumentEntries[] = {
    {"swagger", 1, Form::kText},
    {"info", 2, Form::kObject, &kInfo},
    {"paths", 8, Form::kNamed, &kPathItem, 2},
    {"definitions", 9, Form::kNamed, &kSchema},
};
constexpr Table kDocument{kDocumentEntries, 16};

void append_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void append_bytes(std::string& out, uint32_t number, std::string_view bytes) {
  append_varint(out, number << 3 | 2);
  append_varint(out, bytes.size());
  out.append(bytes);
}

std::string encode(const Value& object, const Table& table);

// Any{yaml}
std::string encode_any(const Value& value) {
  std::string any;
  append_bytes(any, 2, object::to_json(value) + "\n");
  return any;
}

std::string encode_parameter(const Value& parameter) {
  std::string choice;
  std::string_view in = parameter.at("in").as_string();
  if (in == "body") {
    append_bytes(choice, 1, encode(parameter, kBody));
  } else {
    std::string schema;
    if (in == "query") {
      append_bytes(schema, 3, encode(parameter, kQuery));
    } else {
      append_bytes(schema, 4, encode(parameter, kPath));
    }
    append_bytes(choice, 2, schema);
  }
  std::string item;
  append_bytes(item, 1, choice);
  return item;
}

std::string encode_named(const Value& object, const Entry& entry) {
  std::string result;
  for (const Member& member : object.members()) {
    std::string named;
    append_bytes(named, 1, member.name());
    append_bytes(named, 2, encode(member.value, *entry.table));
    append_bytes(result, entry.inner, named);
  }
  return result;
}

void append_entry(std::string& out, const Value& value, const Entry& entry) {
  switch (entry.form) {
    case Form::kText:
      return append_bytes(out, entry.number, value.as_string());
    case Form::kTexts:
      for (const Value& item : value.items()) append_bytes(out, entry.number, item.as_string());
      return;
    case Form::kBool:
      append_varint(out, entry.number << 3);
      return append_varint(out, value.as_bool() ? 1 : 0);
    case Form::kAnys:
      for (const Value& item : value.items()) append_bytes(out, entry.number, encode_any(item));
      return;
    case Form::kObject:
      return append_bytes(out, entry.number, encode(value, *entry.table));
    case Form::kObjects:
      for (const Value& item : value.items()) append_bytes(out, entry.number, encode(item, *entry.table));
      return;
    case Form::kNamed:
      return append_bytes(out, entry.number, encode_named(value, entry));
    case Form::kWrapped: {
      std::string wrapper;
      append_bytes(wrapper, entry.inner, encode(value, *entry.table));
      return append_bytes(out, entry.number, wrapper);
    }
    case Form::kType: {
      std::string type;
      append_bytes(type, 1, value.as_string());
      return append_bytes(out, entry.number, type);
    }
    case Form::kParameters:
      for (const Value& item : value.items()) append_bytes(out, entry.number, encode_parameter(item));
      return;
  }
}

std::string encode(const Value& object, const Table& table) {
  std::string out;
  for (const Entry& entry : table.entries) {
    // An unnamed entry stands for the object itself: a choice with one branch.
    const Value* value = entry.member.empty() ? &object : object.find(entry.member);
    if (value != nullptr) append_entry(out, *value, entry);
  }
  if (table.extensions == 0) return out;
  for (const Member& member : object.members()) {
    if (!member.name().starts_with("x-")) continue;
    std::string named;
    append_bytes(named, 1, member.name());
    append_bytes(named, 2, encode_any(member.value));
    append_bytes(out, table.extensions, named);
  }
  return out;
}

}  // namespace

std::string encode_openapi_v2(const Value& document) { return encode(document, kDocument); }

}  // namespace stead::kinds
