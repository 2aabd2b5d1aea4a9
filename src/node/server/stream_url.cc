#include "node/server/stream_url.h"

#include <charconv>

namespace stead::node {

Result<StreamUrl> parse_stream_url(std::string_view url) {
  Error wrong =
      make_error(Reason::kInternal, "the container runtime names no stream that can be reached: " + std::string(url));
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return wrong;
  url.remove_prefix(kScheme.size());
  StreamUrl parsed;
  size_t slash = url.find('/');
  std::string_view authority = url.substr(0, slash);
  parsed.target = slash == std::string_view::npos ? "/" : std::string(url.substr(slash));
  size_t host_end = 0;
  if (authority.starts_with('[')) {
    size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return wrong;
    parsed.host = authority.substr(1, bracket - 1);
    host_end = bracket + 1;
  } else {
    host_end = std::min(authority.find(':'), authority.size());
    parsed.host = authority.substr(0, host_end);
  }
  if (parsed.host.empty()) return wrong;
  std::string_view port = authority.substr(host_end);
  if (port.empty()) return parsed;
  port.remove_prefix(1);
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), parsed.port);
  if (error != std::errc() || end != port.data() + port.size() || authority[host_end] != ':' || parsed.port == 0) {
    return wrong;
  }
  return parsed;
}

}  // namespace stead::node
