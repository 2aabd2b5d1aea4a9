#pragma once

// Sets of completion indexes as Jobs write them: "1,3-5,7" (ascending, ranges joined). Pure.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stead::kinds {

class IndexRanges {
 public:
  IndexRanges() = default;
  // Reads indexes below `limit`; kInvalid (with a sentence) on anything that is not ascending ranges of numbers.
  static Result<IndexRanges> parse(std::string_view text, int64_t limit);
  // As parse, but what cannot be read is left out: for text that a controller wrote itself.
  static IndexRanges read(std::string_view text, int64_t limit);

  void add(int64_t index);
  bool contains(int64_t index) const;
  int64_t size() const;
  bool empty() const { return ranges_.empty(); }
  std::string str() const;
  // How many indexes both have.
  int64_t shared_with(const IndexRanges& other) const;
  // Last index by first index, disjoint and not adjacent.
  const std::map<int64_t, int64_t>& ranges() const { return ranges_; }

 private:
  std::map<int64_t, int64_t> ranges_;
};

}  // namespace stead::kinds
