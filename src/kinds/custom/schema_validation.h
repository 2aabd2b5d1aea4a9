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
// here.
void validate_by_schema(const object::Value& document, const object::Value& schema, const Patterns& patterns,
                        object::FieldErrors& errors);

// Whether `text` is of the format ("date-time", "ipv4" …); formats that nobody knows fit everything.
bool has_format(std::string_view text, std::string_view format);

}  // namespace stead::kinds
