#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace stead::node {

struct StreamUrl {
  std::string host;  // without brackets
  uint16_t port = 80;
  std::string target;  // "/exec/TOKEN"
};

// Of a runtime's streaming server: "http://127.0.0.1:4711/exec/TOKEN". kInternal: in no such form.
Result<StreamUrl> parse_stream_url(std::string_view url);

}  // namespace stead::node
