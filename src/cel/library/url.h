#pragma once

// URLs as Go's net/url reads them: absolute ones and absolute paths (RFC 3986 with its leniencies). Pure. Internal to
// the room.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stead::cel {

struct Url {
  std::string text;
  std::string scheme;  // lower case; empty for a path
  std::string host;    // with the port, IPv6 in brackets, unescaped
  std::string escaped_path;
  std::string query;  // as written, without the question mark
};
// kInvalid: `parse "…": …`.
Result<Url> parse_url(std::string_view text);

std::string url_hostname(const Url& url);  // without port and brackets
std::string url_port(const Url& url);
// Names and values, unescaped, in order; malformed pairs are left out.
std::vector<std::pair<std::string, std::string>> url_query(const Url& url);

}  // namespace stead::cel
