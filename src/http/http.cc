#include "http/http.h"

#include <strings.h>

#include <algorithm>

#include "http/message_parser.h"

namespace stead::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3986 section 2.3.
bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view Request::header(std::string_view name) const {
  auto found = std::find_if(headers.begin(), headers.end(),
                            [name](const auto& header) { return equal_ignoring_case(header.first, name); });
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view Request::query_value(std::string_view name) const {
  auto found =
      std::find_if(query.begin(), query.end(), [name](const auto& parameter) { return parameter.first == name; });
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

bool Request::has_query(std::string_view name) const {
  return std::any_of(query.begin(), query.end(), [name](const auto& parameter) { return parameter.first == name; });
}

bool Request::has_flag(std::string_view name) const {
  std::string_view value = query_value(name);
  return has_query(name) && value != "0" && !equal_ignoring_case(value, "false");
}

Response Response::text(int status, std::string body, std::string content_type) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", std::move(content_type));
  response.body.push_back(std::make_shared<const std::string>(std::move(body)));
  return response;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '%') {
      if (at + 2 >= text.size()) return std::nullopt;
      int high = hex_digit(text[at + 1]);
      int low = hex_digit(text[at + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    } else {
      decoded.push_back(c == '+' && plus_is_space ? ' ' : c);
    }
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (char c : text) {
    if (unreserved(c)) {
      encoded.push_back(c);
    } else {
      auto byte = static_cast<unsigned char>(c);
      encoded.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return encoded;
}

}  // namespace stead::http
