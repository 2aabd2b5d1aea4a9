#pragma once

// Descriptors: what a document may hold. They are generated from api/*.api, or built at run time from a
// CustomResourceDefinition; every generic algorithm (decode, encode, default, validate, compare, patch, apply,
// OpenAPI, explain) walks a Value and a descriptor side by side. Descriptors are immutable once published; the
// generated ones live for ever, so their names may be borrowed by Values.

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "object/value.h"

namespace stead::object {

struct Message;

enum class Type : uint8_t {
  kString,
  kBool,
  kInt32,
  kInt64,
  kDouble,
  kBytes,        // base64 text in JSON
  kTime,         // RFC 3339, whole seconds, UTC
  kMicroTime,    // RFC 3339 with microseconds
  kDuration,     // Go duration text ("1h2m")
  kQuantity,     // canonical quantity text ("500m", "1Gi")
  kIntOrString,  // an int32 or a string
  kRaw,          // any JSON (RawExtension, FieldsV1, JSONSchemaProps…): kept as it is
  kMessage,      // `message` says what
  kList,         // of `element`
  kMap,          // string keys, values of `element`
};

struct TypeRef {
  Type type = Type::kString;
  const Message* message = nullptr;  // kMessage
  const TypeRef* element = nullptr;  // kList, kMap
  // kRaw: apply and merge tell the members of objects in it apart (x-kubernetes-preserve-unknown-fields). Otherwise it
  // is one value.
  bool separable = false;
};

// How server-side apply and strategic merge treat a list (x-kubernetes-list-type).
enum class ListType : uint8_t { kAtomic, kSet, kMap };
// x-kubernetes-map-type / struct granularity.
enum class MergeStrategy : uint8_t { kDefault, kMerge, kReplace, kRetainKeys, kMergeRetainKeys };

struct Field {
  std::string_view name;  // JSON name
  TypeRef type;
  uint32_t number = 0;           // protobuf field number; 0 = not on the protobuf wire (apiVersion, kind)
  uint32_t embedded = 0;         // number of the embedded message that holds the field on the protobuf wire; 0 = none
  bool required = false;         // must be present and non-zero
  bool schema_required = false;  // published as required in OpenAPI (a zero value will do)
  bool pointer = false;          // presence matters: a zero value is kept. Otherwise zero means absent.
  bool omit_empty = true;        // false: encoders show the zero value when absent (status.replicas: 0)
  bool immutable = false;        // an update may not change it
  bool atomic = false;           // maps and structs: replaced as a whole by apply
  ListType list_type = ListType::kAtomic;
  MergeStrategy patch_strategy = MergeStrategy::kDefault;
  std::string_view patch_merge_key;
  std::vector<std::string_view> list_map_keys;
  std::vector<std::string_view> enum_values;  // empty = any
  const Value* default_value = nullptr;       // applied where the parent is present and the field is not
  bool has_minimum = false;
  bool has_maximum = false;
  int64_t minimum = 0;
  int64_t maximum = 0;
  // A named rule for text: "dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "labelValue",
  // "path", "absolutePath", "ip", "cidr", "portName", "envVarName", "configMapKey"; empty = none.
  std::string_view format;
  std::string_view doc;
};

struct Message {
  std::string_view name;     // "StatefulSetSpec"
  std::string_view package;  // "io.k8s.api.apps.v1": the OpenAPI definition's prefix
  std::string_view doc;
  std::vector<Field> fields;  // in declaration order
  bool atomic = false;        // apply replaces it as a whole (structType=atomic)
  bool open = false;          // members without a field are kept (x-kubernetes-preserve-unknown-fields)

  // Fields by JSON name; built on first use by finish().
  std::unordered_map<std::string_view, uint16_t> by_name;

  const Field* find(std::string_view field_name) const {
    auto found = by_name.find(field_name);
    return found == by_name.end() ? nullptr : &fields[found->second];
  }
  // Builds by_name; call once after the last field is added.
  void finish() {
    for (size_t i = 0; i < fields.size(); ++i) by_name.emplace(fields[i].name, static_cast<uint16_t>(i));
  }
};

}  // namespace stead::object
