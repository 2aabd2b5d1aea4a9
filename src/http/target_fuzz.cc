// Any target either is refused or yields a decoded path; what is encoded decodes to itself.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::http;
  std::string text(reinterpret_cast<const char*>(data), size);
  Request request;
  request.method = "GET";
  request.target = text;
  if (parse_target(request)) {
    STEAD_CHECK(request.path.front() == '/');
    STEAD_CHECK(request.path.size() + request.query.size() <= text.size() + 1);
  }
  STEAD_CHECK(percent_decode(percent_encode(text), true) == text);
  return 0;
}
