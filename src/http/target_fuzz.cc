// Any target either is refused or yields a decoded path; what is encoded decodes to itself, and a target written from
// its parts has the same parts.

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stead::http;
  std::string text(reinterpret_cast<const char*>(data), size);
  STEAD_CHECK(percent_decode(percent_encode(text), true) == text);
  STEAD_CHECK(percent_decode(percent_encode(text), false) == text);
  Request request;
  request.method = "GET";
  request.target = text;
  if (!parse_target(request)) return 0;
  STEAD_CHECK(request.path.front() == '/');
  STEAD_CHECK(request.path.find('\0') == std::string::npos);
  STEAD_CHECK(request.path.size() + request.query.size() <= text.size() + 1);
  Request again;
  again.method = "GET";
  again.target = "/" + percent_encode(request.path.substr(1));
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    STEAD_CHECK(request.has_query(name));
    again.target.append(1, separator).append(percent_encode(name)).append("=").append(percent_encode(value));
    separator = '&';
  }
  STEAD_CHECK(parse_target(again), again.target);
  STEAD_CHECK(again.path == request.path, again.target);
  STEAD_CHECK(again.query == request.query, again.target);
  return 0;
}
