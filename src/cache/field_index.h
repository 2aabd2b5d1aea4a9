#pragma once

// The objects of one resource by the text of one field. Not thread-safe.

#include <string>
#include <unordered_map>
#include <vector>

#include "cache/cache.h"

namespace stead::cache {

class FieldIndex {
 public:
  FieldIndex(std::function<std::string(const object::Object&)> read, const ObjectMap& objects);
  // `key` is the object's.
  void apply(const std::string& key, const Change& change);
  ObjectMap with(const std::string& value) const;

 private:
  std::function<std::string(const object::Object&)> read_;
  std::unordered_map<std::string, ObjectMap> by_value_;
};

}  // namespace stead::cache
