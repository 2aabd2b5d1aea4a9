#pragma once

// Positions of values found by hash, so that maps and lists with keys do not compare each with each. Internal to the
// room.

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cel/value.h"

namespace stead::cel {

// Equal values have equal hashes, also numbers of different types. Lists and maps all have one.
uint64_t hash_of(const Value& value);
// The values of `keys` in an item of a list of maps.
uint64_t hash_of_keys(const Value& item, const std::vector<std::string>& keys);

class ValueIndex {
 public:
  void add(uint64_t hash, size_t position) { positions_.emplace(hash, position); }
  // The position with this hash for which `same(position)` holds.
  template <class Same>
  std::optional<size_t> find(uint64_t hash, Same same) const {
    auto [first, last] = positions_.equal_range(hash);
    for (; first != last; ++first) {
      if (same(first->second)) return first->second;
    }
    return std::nullopt;
  }

 private:
  std::unordered_multimap<uint64_t, size_t> positions_;
};

}  // namespace stead::cel
