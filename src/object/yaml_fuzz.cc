// Any YAML text: what parses prints to YAML that reads as the same value; JSON text is YAML, too.

#include "base/check.h"
#include "object/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::object;
  StrictErrors strict;
  auto value = parse_yaml({reinterpret_cast<const char*>(data), size}, &strict);
  if (!value.ok()) return 0;
  // Text may hold bytes that are no UTF-8; the writers replace them, so the comparison starts after one round.
  auto clean = parse_json(to_json(*value));
  STEAD_CHECK(clean.ok());
  for (const std::string& text : {to_yaml(*clean), to_json(*clean)}) {
    StrictErrors none;
    auto again = parse_yaml(text, &none);
    // JSON need not escape all that YAML forbids.
    if (!again.ok() && again.error().message.find("control characters") != std::string::npos) {
      STEAD_CHECK(text == to_json(*clean), text);
      continue;
    }
    STEAD_CHECK(again.ok(), text);
    STEAD_CHECK(none.empty(), text);
    STEAD_CHECK(*again == *clean, text);
  }
  return 0;
}
