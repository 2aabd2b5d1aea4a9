#pragma once

// The form in which tools/apigen writes the declarations of api/ into the program: constant tables without
// pointers inside, so that they stay shared file pages, turned into descriptors once (descriptors.cc). Texts sit in
// two pools per package; the pool of docs is not touched until somebody reads a doc.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "object/descriptor.h"

namespace stead::kinds::tables {

struct Text {
  uint32_t offset = 0;
  uint32_t length = 0;
};

inline constexpr uint16_t kNoMessage = 0xffff;

// FieldRow::flags
inline constexpr uint16_t kRequired = 1;
inline constexpr uint16_t kPointer = 2;
inline constexpr uint16_t kKeepEmpty = 4;
inline constexpr uint16_t kImmutable = 8;
inline constexpr uint16_t kAtomic = 16;
inline constexpr uint16_t kEnum = 32;
inline constexpr uint16_t kMinimum = 64;
inline constexpr uint16_t kMaximum = 128;
inline constexpr uint16_t kSchemaRequired = 256;

struct FieldRow {
  Text name;
  Text doc;  // in the pool of docs
  Text merge_key;
  Text keys;   // separated by '|'
  Text enums;  // separated by '|'; the empty text may be one of them
  Text format;
  int64_t minimum = 0;
  int64_t maximum = 0;
  object::Type types[3] = {};  // outermost first, down to a type that is neither list nor map
  object::ListType list_type = object::ListType::kAtomic;
  object::MergeStrategy strategy = object::MergeStrategy::kDefault;
  uint16_t flags = 0;
  uint16_t number = 0;
  uint16_t embedded = 0;
  uint16_t message = kNoMessage;  // index among all messages, of the innermost type
  int16_t default_index = -1;
};

struct MessageRow {
  Text name;
  Text doc;  // in the pool of docs
  uint16_t field_count = 0;
  bool atomic = false;
};

struct PackageTable {
  std::string_view name;    // "apps.v1"
  std::string_view prefix;  // "io.k8s.api.apps.v1"
  std::string_view group;
  std::string_view version;
  std::string_view names;
  std::string_view docs;
  std::span<const MessageRow> messages;  // their fields follow each other in `fields`
  std::span<const FieldRow> fields;
  std::vector<object::Value> (*defaults)();
};

struct VersionRow {
  std::string_view group;
  std::string_view name;
  std::string_view api_version;
  std::string_view deprecation;
  uint16_t message;
};

struct ResourceRow {
  std::string_view group;
  std::string_view name;
  std::string_view singular;
  std::string_view kind;
  std::string_view short_names;  // separated by spaces
  std::string_view categories;   // separated by spaces
  std::string_view name_format;
  bool namespaced;
  bool status;
  bool scale;
  bool generation;
  std::span<const VersionRow> versions;  // the hub first
};

// Message indexes run through the packages in this order.
std::span<const PackageTable* const> packages();
std::span<const ResourceRow> resources();

}  // namespace stead::kinds::tables
