#pragma once

// Which fields a document has, and in which two documents differ, as server-side apply sees it: scalars, atomic lists,
// maps and messages are one field each; items of sets and of keyed lists are fields by their value or keys.

#include "object/apply/field_set.h"
#include "object/descriptor.h"

namespace stead::object {

// How apply treats a value.
enum class Grain : uint8_t { kLeaf, kStruct, kMap, kOpen, kSet, kKeyedList };

// A value's type with what its field says of it.
struct Shape {
  const TypeRef* type = nullptr;  // nullptr: undeclared
  const Field* field = nullptr;   // nullptr: an item, or a member of a map
  bool separable = false;         // undeclared, and below something separable

  // `value` decides where the type does not.
  Grain grain(const Value& value) const;
  Shape member(std::string_view name, Grain grain) const;
  Shape element() const;
};

// The path element of an item of a set or keyed list; null if it lacks a key that has no default.
Value item_element(const Value& item, const Shape& list);
// The fields that an apply configuration speaks of.
FieldSet fields_of(const Value& value, const Message& message);

struct Comparison {
  FieldSet changed;  // added or modified
  FieldSet removed;
};
// `old` null: everything is new.
Comparison compare_fields(const Value& old, const Value& now, const Message& message);

}  // namespace stead::object
