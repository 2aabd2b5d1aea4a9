#pragma once

// The x-kubernetes-validations of a structural schema (KEP-2876, KEP-4008 for ratcheting), compiled: rules at every
// level, `self` the value there and `oldSelf` what it was. Immutable, any thread.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cel/environment.h"
#include "object/field_error.h"
#include "object/value.h"

namespace stead::kinds {

class ValidationRules {
 public:
  // nullptr where the schema has no rules. What is wrong with them, or too expensive, is told below `path`; such rules
  // are left out.
  static std::shared_ptr<const ValidationRules> compile(const object::Value& schema, const object::Path& path,
                                                        object::FieldErrors& errors);
  ~ValidationRules();

  // Adds what `document` breaks. `old` is null for a new object: rules on changes are then left out. A rule that what
  // did not change breaks is told in `warnings` instead, where given (an update must be able to mend something else).
  void validate(const object::Value& document, const object::Value* old, object::FieldErrors& errors,
                std::vector<std::string>* warnings) const;

  struct Rule;
  struct Node;

 private:
  ValidationRules() = default;

  object::Value schema_;  // the nodes refer to it
  std::unique_ptr<const Node> root_;
};

// The path of a rule's fieldPath (".spec.name", "['a.b']") as errors show it, without the leading dot; nullopt where it
// leads to nothing that `schema` knows.
std::optional<std::string> rule_field_path(std::string_view text, const object::Value& schema);

}  // namespace stead::kinds
