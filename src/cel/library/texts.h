#pragma once

// What several libraries need of texts and values. Pure. Internal to the room.

#include <compare>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cel/value.h"

namespace re2 {
class RE2;
}

namespace stead::cel {

size_t count_code_points(std::string_view text);
// The byte at which code point `index` starts; the end where there are fewer.
size_t code_point_offset(std::string_view text, size_t index);
bool is_utf8(std::string_view text);

// A text as conversions and messages show a value; nullopt for what has no text.
std::optional<std::string> to_text(const Value& value);
// By value: numbers across types, texts by bytes; unordered for NaN and values of other kinds.
std::partial_ordering compare_values(const Value& a, const Value& b);

// What size() and costs count: code points, bytes, elements; 1 for everything else.
uint64_t size_of(const Value& value);

// nullptr where the pattern is no regular expression.
std::shared_ptr<const re2::RE2> compile_regex(std::string_view pattern);

Value string_list(const std::vector<std::string>& texts);

}  // namespace stead::cel
