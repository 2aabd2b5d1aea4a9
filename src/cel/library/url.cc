#include "cel/library/url.h"

#include <algorithm>
#include <optional>

#include "object/quote.h"

namespace stead::cel {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
int hex_value(char c) { return is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10; }
bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }
bool is_unreserved(char c) { return is_letter(c) || is_digit(c) || is_one_of(c, "-_.~"); }

// nullopt where a percent sign is not followed by two hexadecimal digits.
std::optional<std::string> unescape(std::string_view text, bool plus_is_space = false) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return std::nullopt;
      plain += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      plain += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

// The path as written where every character may stand there, else escaped anew.
std::string escape_path(std::string_view written, std::string_view plain) {
  bool valid =
      std::ranges::all_of(written, [](char c) { return is_unreserved(c) || is_one_of(c, "!$&'()*+,;=:@[]%/"); });
  if (valid) return std::string(written);
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string escaped;
  for (char c : plain) {
    if (is_unreserved(c) || is_one_of(c, "$&+,/:;=@")) {
      escaped += c;
    } else {
      escaped += '%';
      escaped += kDigits[static_cast<unsigned char>(c) >> 4];
      escaped += kDigits[static_cast<unsigned char>(c) & 15];
    }
  }
  return escaped;
}

// The length of a scheme at the front; 0 without one, nullopt for a colon at the very front.
std::optional<size_t> scheme_length(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_letter(text[i])) continue;
    if (is_digit(text[i]) || is_one_of(text[i], "+-.")) {
      if (i == 0) return 0;
      continue;
    }
    if (text[i] != ':') return 0;
    if (i == 0) return std::nullopt;
    return i;
  }
  return 0;
}

bool is_port(std::string_view text) {
  return text.empty() || (text[0] == ':' && std::ranges::all_of(text.substr(1), is_digit));
}

// What is wrong with the authority; empty, with `host` set, where nothing is.
std::string read_authority(std::string_view authority, std::string& host) {
  size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    std::string_view user = authority.substr(0, at);
    bool valid = std::ranges::all_of(user, [](char c) { return is_unreserved(c) || is_one_of(c, ":!$&'()*+,;=%@"); });
    if (!valid || !unescape(user)) return "net/url: invalid userinfo";
    authority.remove_prefix(at + 1);
  }
  if (authority.starts_with('[')) {
    size_t end = authority.rfind(']');
    if (end == std::string_view::npos) return "missing ']' in host";
    if (!is_port(authority.substr(end + 1))) {
      return "invalid port " + object::quote(authority.substr(end + 1)) + " after host";
    }
  } else if (size_t colon = authority.rfind(':');
             colon != std::string_view::npos && !is_port(authority.substr(colon))) {
    return "invalid port " + object::quote(authority.substr(colon)) + " after host";
  } else if (std::ranges::count(authority, ':') > 1) {
    return "invalid port " + object::quote(authority.substr(authority.find(':'))) + " after host";
  }
  for (char c : authority) {
    bool fine = is_unreserved(c) || is_one_of(c, "!$&'()*+,;=:[]<>\"%") || static_cast<unsigned char>(c) >= 0x80;
    if (!fine) return "invalid character " + object::quote(std::string_view(&c, 1)) + " in host name";
  }
  auto plain = unescape(authority);
  if (!plain) return "invalid URL escape in host";
  host = *plain;
  return {};
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  auto fail = [&](std::string_view why) {
    return make_error(Reason::kInvalid, "parse " + object::quote(text) + ": " + std::string(why));
  };
  if (text.empty()) return fail("empty url");
  bool control = std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (control) return fail("net/url: invalid control character in URL");
  Url url{.text = std::string(text)};
  std::string_view rest = text.substr(0, text.find('#'));
  auto scheme = scheme_length(rest);
  if (!scheme) return fail("missing protocol scheme");
  if (*scheme > 0) {
    url.scheme = rest.substr(0, *scheme);
    for (char& c : url.scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    rest.remove_prefix(*scheme + 1);
  }
  if (size_t question = rest.find('?'); question != std::string_view::npos) {
    url.query = rest.substr(question + 1);
    rest = rest.substr(0, question);
  }
  if (!rest.starts_with('/')) {
    if (url.scheme.empty()) return fail("invalid URI for request");
    return url;  // opaque: mailto:someone
  }
  if (!url.scheme.empty() && rest.starts_with("//")) {
    rest.remove_prefix(2);
    size_t end = std::min(rest.find('/'), rest.size());
    std::string problem = read_authority(rest.substr(0, end), url.host);
    if (!problem.empty()) return fail(problem);
    rest.remove_prefix(end);
  }
  auto path = unescape(rest);
  if (!path) return fail("invalid URL escape " + object::quote(rest.substr(rest.find('%'), 3)));
  url.escaped_path = escape_path(rest, *path);
  return url;
}

std::string url_hostname(const Url& url) {
  if (url.host.starts_with('[')) return url.host.substr(1, url.host.find(']') - 1);
  return url.host.substr(0, url.host.find(':'));
}

std::string url_port(const Url& url) {
  size_t colon = url.host.rfind(':');
  size_t bracket = url.host.rfind(']');
  if (colon == std::string::npos || (bracket != std::string::npos && colon < bracket)) return {};
  return url.host.substr(colon + 1);
}

std::vector<std::pair<std::string, std::string>> url_query(const Url& url) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (std::string_view rest = url.query; !rest.empty();) {
    size_t end = std::min(rest.find('&'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty() || pair.find(';') != std::string_view::npos) continue;
    size_t equals = std::min(pair.find('='), pair.size());
    auto name = unescape(pair.substr(0, equals), true);
    auto value = unescape(pair.substr(std::min(equals + 1, pair.size())), true);
    if (name && value) pairs.emplace_back(*std::move(name), *std::move(value));
  }
  return pairs;
}

}  // namespace stead::cel
