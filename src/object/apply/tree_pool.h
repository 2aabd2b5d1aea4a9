#pragma once

// Remembers trees of field sets, so that equal ones are one. Bounded: a table of fixed size in which a new tree takes
// the place of another; what is forgotten is only shared less. Any thread.

#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "object/value.h"

namespace stead::object {

class TreePool {
 public:
  // The pool of this process: trees are immutable values, so who shares them cannot be told.
  static TreePool& process();

  // `node`, or the equal one remembered; shared. Its members' values should have come from the pool.
  Value share(Value node);
  // "f:<name>", kept for ever and borrowed by its users; a copy once there are too many names.
  Value field_element(std::string_view name);

 private:
  static constexpr size_t kSlots = 1 << 14;
  static constexpr size_t kNamesMax = 20'000;

  std::mutex mutex_;
  std::vector<Value> slots_;
  std::unordered_map<std::string_view, Value> names_;
};

}  // namespace stead::object
