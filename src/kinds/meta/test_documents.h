#pragma once

// For tests of rules: documents from YAML, taken the way the API server takes them, and what is wrong with them.

#include <string>
#include <vector>

#include "kinds/registry.h"

namespace stead::kinds {

// Shaped, defaulted and in hub form. Fails the running test (and yields null) on text that cannot be decoded.
Value load(std::string_view group, std::string_view kind, std::string_view version, std::string_view yaml);
// What a request to create the document is answered: each message with its field path; empty if it is fine.
// prepare_create has run where `prepared` is given.
std::vector<std::string> problems(std::string_view group, std::string_view kind, const Value& document);
std::vector<std::string> update_problems(std::string_view group, std::string_view kind, const Value& document,
                                         const Value& old);
std::vector<std::string> status_problems(std::string_view group, std::string_view kind, const Value& document,
                                         const Value& old);
// The Warning: headers that its writer gets; `old` is null for a new document.
std::vector<std::string> warnings_of(std::string_view group, std::string_view kind, const Value& document,
                                     const Value* old = nullptr);
// The document as a request to create it leaves it, before validation.
Value prepared(std::string_view group, std::string_view kind, Value document);
// The texts of a row of `kubectl get -o wide`.
std::vector<std::string> row(std::string_view group, std::string_view kind, const Value& document, WallTime now);

}  // namespace stead::kinds
