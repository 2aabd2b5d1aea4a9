#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace stead {

void check_failed(const char* condition, const char* file, int line, std::string_view note) {
  std::fprintf(stderr, "stead: broken invariant at %s:%d: %s %.*s\n", file, line, condition,
               static_cast<int>(note.size()), note.data());
  std::abort();
}

}  // namespace stead
