#pragma once

// The checks that rules of every kind are made of. Texts are those of Kubernetes' validation packages, which clients
// match on. Pure, safe from any thread.

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "kinds/registry.h"
#include "object/quantity.h"

namespace stead::kinds {

using object::Path;

inline constexpr std::string_view kImmutable = "field is immutable";
inline constexpr std::string_view kNotNegative = "must be greater than or equal to 0";
inline constexpr std::string_view kPositive = "must be greater than zero";

// Adds an Invalid for each sentence of `problem` (as object/names.h gives them). Returns whether there was none.
bool check(const Path& path, const Value& value, const std::string& problem, FieldErrors& errors);
// The value must be one of `allowed`; Required where it is absent or empty.
void check_one_of(const Path& path, const Value& value, std::initializer_list<std::string_view> allowed,
                  FieldErrors& errors);
// As check_one_of, but an absent value is fine.
void check_optional_one_of(const Path& path, const Value& value, std::initializer_list<std::string_view> allowed,
                           FieldErrors& errors);
// Required where absent or empty text. Returns whether it is there.
bool check_present(const Path& path, const Value& value, FieldErrors& errors);
void check_not_negative(const Path& path, const Value& value, FieldErrors& errors);
void check_range(const Path& path, const Value& value, int64_t low, int64_t high, FieldErrors& errors);
// 1 to 65535.
void check_port_number(const Path& path, const Value& value, FieldErrors& errors);
// An IntOrString that names or numbers a port.
void check_port(const Path& path, const Value& value, FieldErrors& errors);
// An address that is nobody's: unspecified, loopback or link-local ones are refused.
void check_not_special(const Path& path, const Value& address, FieldErrors& errors);
void check_unchanged(const Path& path, const Value& value, const Value& old, FieldErrors& errors);
void check_labels(const Path& path, const Value& labels, FieldErrors& errors);
void check_label_selector(const Path& path, const Value& selector, FieldErrors& errors);
// A relative path that stays below its root: not absolute and without "..".
void check_descending_path(const Path& path, const Value& value, FieldErrors& errors);
// No ".." between slashes.
void check_no_backsteps(const Path& path, const Value& value, FieldErrors& errors);

bool is_absent_or_empty(const Value& value);
bool contains(std::span<const std::string_view> names, std::string_view name);
// The quantity of a shaped document; zero where absent.
object::Quantity quantity_of(const Value& value);
std::string lower(std::string_view text);

}  // namespace stead::kinds
