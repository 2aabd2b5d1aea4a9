#pragma once

// Structural schemas as types of expressions (Kubernetes' documentation, "Validation rules": type mapping), with the
// sizes that cost estimates start from. Pure, any thread.

#include <optional>
#include <string>

#include "cel/type.h"
#include "object/value.h"

namespace stead::kinds {

// What a request may be large.
inline constexpr uint64_t kRequestBytesMax = 3 * 1024 * 1024;

// nullopt for values that expressions cannot see: of no type, or of items without one. `schema` outlives the type.
// `root`: apiVersion, kind, metadata.name and metadata.generateName are there. `name` names object types and must be
// another for each schema.
std::optional<cel::Type> schema_type(const object::Value& schema, bool root, const std::string& name);

// The least bytes that a value takes in JSON; nothing for what has no type.
uint64_t serialized_bytes_min(const object::Value& schema);

// The most items or members that a value can have: as declared, or as fit into a request.
uint64_t items_max(const object::Value& schema);
uint64_t properties_max(const object::Value& schema);

}  // namespace stead::kinds
