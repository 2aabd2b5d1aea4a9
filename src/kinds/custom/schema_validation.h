#pragma once

// The rules of OpenAPI v3 schemas (JSON schema's subset that CustomResourceDefinitions allow), with the texts that
// clients know from Kubernetes. Pure but for the patterns, which are compiled once.

#include <memory>
#include <string>
#include <unordered_map>

#include "object/field_error.h"
#include "object/value.h"

namespace stead::kinds {

// The regular expressions of a definition's schemas (RE2 syntax, as Go's). Filled first, then read by any thread.
class Patterns {
 public:
  Patterns();
  ~Patterns();
  // False where it is no regular expression.
  bool add(std::string_view pattern);
  // Whether `text` contains a match. True for what was never added.
  bool matches(std::string_view pattern, std::string_view text) const;

 private:
  struct Compiled;
  std::unordered_map<std::string, std::unique_ptr<Compiled>> compiled_;
};

// Adds to `errors` what breaks `schema` below `path`. The root's apiVersion, kind and metadata are nobody's business
// here. What is as it was in `old` (null: new) is not looked at again: a schema that became stricter must not keep
// somebody from changing something else (KEP-4008).
void validate_by_schema(const object::Value& document, const object::Value* old, const object::Value& schema,
                        const Patterns& patterns, object::FieldErrors& errors);

// Finds the items of a keyed list (x-kubernetes-list-type: map) again.
class ItemsByKey {
 public:
  // `list` may be null, and must outlive this.
  ItemsByKey(const object::Value& schema, const object::Value* list);
  // The one that has the keys of `item`; nullptr where there is none, or the list is no keyed one.
  const object::Value* find(const object::Value& item) const;

 private:
  std::string key_of(const object::Value& item) const;
  const object::Value& keys_;
  std::unordered_map<std::string, const object::Value*> items_;
};

// Whether `text` is of the format ("date-time", "ipv4" …); formats that nobody knows fit everything.
bool has_format(std::string_view text, std::string_view format);

}  // namespace stead::kinds
