// Any JSON text: what parses prints to text that parses to the same value, within the limits.

#include "base/check.h"
#include "object/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::object;
  StrictErrors strict;
  auto value = parse_json({reinterpret_cast<const char*>(data), size}, &strict);
  if (!value.ok()) return 0;
  std::string text = to_json(*value);
  auto again = parse_json(text);
  STEAD_CHECK(again.ok(), text);
  STEAD_CHECK(*again == *value, text);
  STEAD_CHECK(to_json(*again) == text, text);
  return 0;
}
