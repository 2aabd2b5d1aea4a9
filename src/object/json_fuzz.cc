// Any JSON text: what parses prints to text that parses to the same value, within the limits, and YAML says the same.

#include "base/check.h"
#include "object/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::object;
  StrictErrors strict;
  auto value = parse_json({reinterpret_cast<const char*>(data), size}, &strict);
  if (!value.ok()) {
    STEAD_CHECK(value.error().reason == stead::Reason::kBadRequest, value.error().message);
    return 0;
  }
  std::string text = to_json(*value);
  StrictErrors none;
  auto again = parse_json(text, &none);
  STEAD_CHECK(again.ok(), text);
  STEAD_CHECK(none.empty(), text);
  STEAD_CHECK(*again == *value, text);
  STEAD_CHECK(to_json(*again) == text, text);
  Value copy = *value;
  STEAD_CHECK(copy == *value, text);
  return 0;
}
