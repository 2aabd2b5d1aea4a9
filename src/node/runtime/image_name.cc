#include "node/runtime/image_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace stead::node {
namespace {

constexpr size_t kPathMax = 255;
constexpr size_t kTagMax = 128;
constexpr size_t kDigestHexMin = 32;

// Of ASCII alone, whatever the locale.
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter_or_digit(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

template <class Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

// Calls check(part) for each part between separators; true if all are fine.
template <class Check>
bool each_part(std::string_view text, char separator, Check check) {
  for (;;) {
    size_t end = std::min(text.find(separator), text.size());
    if (!check(text.substr(0, end))) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

// "registry.example:5000", "localhost", "[fd00::1]:5000".
bool is_domain(std::string_view text) {
  size_t host_end = text.starts_with('[') ? text.find(']') + 1 : std::min(text.find(':'), text.size());
  std::string_view port = text.substr(host_end);
  if (!port.empty() && (port.front() != ':' || port.size() == 1 || !all(port.substr(1), is_digit))) return false;
  std::string_view host = text.substr(0, host_end);
  if (host.starts_with('[')) {
    return host.size() > 2 && all(host.substr(1, host.size() - 2), [](char c) { return is_hex(c) || c == ':'; });
  }
  return each_part(host, '.', [](std::string_view part) {
    return !part.empty() && is_letter_or_digit(part.front()) && is_letter_or_digit(part.back()) &&
           all(part, [](char c) { return is_letter_or_digit(c) || c == '-'; });
  });
}

// Lower-case letters and digits, with ".", "_", "__" or dashes between them.
bool is_path_part(std::string_view part) {
  auto is_word = [](char c) { return is_lower(c) || is_digit(c); };
  if (part.empty() || !is_word(part.front()) || !is_word(part.back())) return false;
  for (size_t at = 0; at < part.size();) {
    size_t end = at;
    while (end < part.size() && !is_word(part[end])) ++end;
    std::string_view between = part.substr(at, end - at);
    bool fine = between.empty() || between == "." || between == "_" || between == "__" ||
                all(between, [](char c) { return c == '-'; });
    if (!fine) return false;
    at = end + 1;
  }
  return true;
}

bool is_tag(std::string_view tag) {
  auto is_word = [](char c) { return is_letter_or_digit(c) || c == '_'; };
  return !tag.empty() && tag.size() <= kTagMax && is_word(tag.front()) &&
         all(tag, [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_digest(std::string_view digest) {
  size_t colon = digest.find(':');
  if (colon == std::string_view::npos || colon == 0 || !(is_lower(digest[0]) || is_upper(digest[0]))) return false;
  std::string_view hex = digest.substr(colon + 1);
  return all(digest.substr(0, colon),
             [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '+' || c == '.'; }) &&
         hex.size() >= kDigestHexMin && all(hex, is_hex);
}

Error refusal(const std::string& why = "") {
  return make_error(Reason::kBadRequest, "invalid reference format" + (why.empty() ? why : ": " + why));
}

}  // namespace

Result<std::string> normal_image_name(std::string_view name) {
  std::string_view rest = name;
  std::string_view digest;
  if (size_t at = rest.find('@'); at != std::string_view::npos) {
    digest = rest.substr(at);
    rest = rest.substr(0, at);
    if (!is_digest(digest.substr(1))) return refusal();
  }
  std::string domain = "docker.io";
  size_t slash = rest.find('/');
  std::string_view first = rest.substr(0, slash == std::string_view::npos ? 0 : slash);
  bool has_domain = first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
                    std::any_of(first.begin(), first.end(), is_upper);
  if (has_domain) {
    if (!is_domain(first)) return refusal();
    domain = first;
    rest.remove_prefix(slash + 1);
  }
  std::string_view tag;
  size_t last = rest.rfind('/');
  if (size_t colon = rest.find(':', last == std::string_view::npos ? 0 : last); colon != std::string_view::npos) {
    tag = rest.substr(colon);
    rest = rest.substr(0, colon);
    if (!is_tag(tag.substr(1))) return refusal();
  }
  if (std::any_of(rest.begin(), rest.end(), is_upper)) {
    return refusal(fmt::format("repository name ({}) must be lowercase", rest));
  }
  if (rest.size() > kPathMax || !each_part(rest, '/', is_path_part)) return refusal();
  bool official = !has_domain && rest.find('/') == std::string_view::npos;
  std::string_view newest = tag.empty() && digest.empty() ? ":latest" : "";
  return fmt::format("{}/{}{}{}{}{}", domain, official ? "library/" : "", rest, tag, newest, digest);
}

}  // namespace stead::node
