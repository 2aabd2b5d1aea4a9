#pragma once

// Tokens to a tree, with macros expanded (CEL specification, "Syntax"). Internal to the room.

#include <string>
#include <string_view>
#include <vector>

#include "cel/language/syntax.h"

namespace stead::cel {

// Errors by where they are: code points from the start.
class Problems {
 public:
  void add(int offset, std::string message) {
    if (all_.size() < kProblemsMax) all_.push_back({offset, std::move(message)});
  }
  struct Problem {
    int offset;
    std::string message;
  };
  bool empty() const { return all_.empty(); }
  std::vector<Problem>& all() { return all_; }

 private:
  static constexpr size_t kProblemsMax = 100;
  std::vector<Problem> all_;
};

// nullptr where `problems` got an entry.
ExpressionPtr parse(std::string_view text, Problems& problems);

// Whether a call of this name and shape is a macro; if so `call` becomes what it means, or a problem is added.
void expand_macro(ExpressionPtr& call, Problems& problems);

}  // namespace stead::cel
