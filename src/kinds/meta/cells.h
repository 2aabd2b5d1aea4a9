#pragma once

// Text of the cells of `kubectl get`, shared by kinds. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "kinds/registry.h"

namespace stead::kinds {

inline constexpr std::string_view kNone = "<none>";

// "5m" since that time; "<unknown>" where there is none.
std::string age_since(const Value& timestamp, WallTime now);
// age_since(metadata.creationTimestamp).
std::string age(const Value& document, WallTime now);
Value name_of(const Value& document);
// The text, or `otherwise` where it is absent or empty.
std::string text_or(const Value& value, std::string_view otherwise);
// "a=b,c=d", sorted; "<none>" where there is nothing.
std::string format_labels(const Value& labels);
std::string format_label_selector(const Value& selector);
// Texts of an array joined by commas; with `member`, that member of each item.
std::string join(const Value& list, std::string_view member = {});

// The usual first and last columns.
Column name_column();
Column age_column();
// Of a template's containers; shown by -o wide.
Column containers_column();
Column images_column();

}  // namespace stead::kinds
