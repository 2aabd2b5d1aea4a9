// Any text as a time or a duration: what parses prints to text that parses to the same.

#include "base/check.h"
#include "object/time.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::object;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto time = parse_time(text)) {
    // An offset may lead out of the years that four digits can write.
    std::string exact = format_micro_time(*time);
    auto again = parse_time(exact);
    if (exact.size() == 27 && exact[0] != '-') {
      STEAD_CHECK(again.has_value() && *again == *time, exact);
      STEAD_CHECK(parse_time(format_time(*time)) == std::chrono::floor<std::chrono::seconds>(*time), exact);
    }
  }
  if (auto duration = parse_duration(text)) {
    std::string printed = format_duration(*duration);
    auto again = parse_duration(printed);
    STEAD_CHECK(again.has_value(), printed);
    STEAD_CHECK(*again == *duration, printed);
    STEAD_CHECK(!human_duration(*duration).empty());
  }
  return 0;
}
