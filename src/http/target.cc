#include "http/target.h"

#include <strings.h>

namespace stead::http {
namespace {

// The absolute form names scheme and authority too; a server must accept it (RFC 9112 section 3.2.2).
std::string_view without_authority(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() || strncasecmp(target.data(), scheme.data(), scheme.size()) != 0) continue;
    target.remove_prefix(scheme.size());
    size_t end = target.find_first_of("/?");
    return end == std::string_view::npos ? std::string_view("/") : target.substr(end);
  }
  return target;
}

}  // namespace

bool parse_target(Request& request) {
  request.path.clear();
  request.query.clear();
  std::string_view target = without_authority(request.target);
  if (target == "*" && request.method == "OPTIONS") {
    request.path = "*";
    return true;
  }
  size_t mark = target.find('?');
  std::string_view path = target.substr(0, mark);
  if (path.empty() && mark == 0 && target.data() != request.target.data()) path = "/";
  if (path.empty() || path.front() != '/') return false;
  auto decoded = percent_decode(path, false);
  if (!decoded || decoded->find('\0') != std::string::npos) return false;
  request.path = std::move(*decoded);

  std::string_view rest = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!rest.empty()) {
    size_t end = rest.find('&');
    std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (pair.empty()) continue;
    size_t equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    request.query.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

}  // namespace stead::http
