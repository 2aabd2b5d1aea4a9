#pragma once

// STEAD_CHECK(condition): a broken invariant ends the process with its place and text. For what the program
// itself guarantees; never for input or the environment, which fail with an Error.

#include <string_view>

namespace stead {

[[noreturn]] void check_failed(const char* condition, const char* file, int line, std::string_view note);

}  // namespace stead

#define STEAD_CHECK(condition, ...)                                                         \
  do {                                                                                      \
    if (!(condition)) [[unlikely]]                                                          \
      ::stead::check_failed(#condition, __FILE__, __LINE__, std::string_view{__VA_ARGS__}); \
  } while (false)
