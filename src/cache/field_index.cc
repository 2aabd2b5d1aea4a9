#include "cache/field_index.h"

namespace stead::cache {

FieldIndex::FieldIndex(std::function<std::string(const object::Object&)> read, const ObjectMap& objects)
    : read_(std::move(read)) {
  std::unordered_map<std::string, std::vector<std::pair<std::string, ObjectPtr>>> sorted;
  objects.visit_from("", [&](const std::string& key, const ObjectPtr& object) {
    sorted[read_(*object)].emplace_back(key, object);
    return true;
  });
  for (auto& [value, entries] : sorted) by_value_.emplace(value, ObjectMap::from_sorted(std::move(entries)));
}

void FieldIndex::apply(const std::string& key, const Change& change) {
  std::optional<std::string> before = change.before ? std::optional(read_(*change.before)) : std::nullopt;
  std::optional<std::string> after = change.after ? std::optional(read_(*change.after)) : std::nullopt;
  if (before && before != after) {
    auto found = by_value_.find(*before);
    found->second = found->second.erase(key);
    if (found->second.empty()) by_value_.erase(found);
  }
  if (after) {
    ObjectMap& objects = by_value_[*after];
    objects = objects.insert(key, change.after);
  }
}

ObjectMap FieldIndex::with(const std::string& value) const {
  auto found = by_value_.find(value);
  return found == by_value_.end() ? ObjectMap() : found->second;
}

}  // namespace stead::cache
