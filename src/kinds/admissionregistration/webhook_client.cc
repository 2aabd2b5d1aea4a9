#include "kinds/admissionregistration/webhook_client.h"

#include <fmt/format.h>

#include <charconv>

namespace stead::kinds {
namespace {

constexpr std::string_view kDesiredForm = "; desired format: https://host[/path]";

Error bad(std::string_view why) { return make_error(Reason::kBadRequest, fmt::format("{}{}", why, kDesiredForm)); }

// "host", "host:8443", "[::1]:8443".
Result<void> parse_authority(std::string_view authority, WebhookUrl& url) {
  std::string_view port;
  if (authority.starts_with('[')) {
    size_t end = authority.find(']');
    if (end == std::string_view::npos) return bad("url must be a valid URL: missing ']' in host");
    url.host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
    if (!authority.empty() && authority[0] != ':') return bad("url must be a valid URL: invalid host");
    if (!authority.empty()) port = authority.substr(1);
  } else {
    size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  }
  if (url.host.empty()) return bad("host must be specified");
  if (port.empty()) return {};
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc() || end != port.data() + port.size() || url.port == 0) {
    return bad(fmt::format("url must be a valid URL: invalid port \"{}\" after host", port));
  }
  return {};
}

void check_service(const Path& path, const Value& service, FieldErrors& errors) {
  if (service.at("name").as_string().empty()) errors.required(path.child("name"), "service name is required");
  if (service.at("namespace").as_string().empty()) {
    errors.required(path.child("namespace"), "service namespace is required");
  }
  const Value& port = service.at("port");
  if (!port.is_null() && (port.as_int() < 1 || port.as_int() > 65535)) {
    errors.invalid(path.child("port"), port, "port is not valid: must be between 1 and 65535, inclusive");
  }
  const Value& target = service.at("path");
  if (target.as_string().empty()) return;
  const Path here = path.child("path");
  if (target.as_string()[0] != '/') return errors.invalid(here, target, "must start with a '/'");
  if (target.as_string().find("//") != std::string_view::npos) {
    errors.invalid(here, target, "segments may not be empty");
  }
  if (target.as_string().find_first_of("?# \t\r\n") != std::string_view::npos) {
    errors.invalid(here, target, "must be a path without query, fragment or white space");
  }
}

}  // namespace

Result<WebhookUrl> parse_webhook_url(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  size_t colon = text.find("://");
  if (colon == std::string_view::npos) return bad("url must be a valid URL");
  if (!text.starts_with(kScheme)) {
    return bad(fmt::format("'https' is the only allowed URL scheme; got \"{}\"", text.substr(0, colon)));
  }
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return bad("url must be a valid URL: white space in it");
  text.remove_prefix(kScheme.size());
  if (text.find('#') != std::string_view::npos) return bad("fragments are not permitted in the URL");
  if (text.find('?') != std::string_view::npos) return bad("query parameters not allowed in the URL");
  size_t slash = text.find('/');
  std::string_view authority = text.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) return bad("user information is not permitted in the URL");
  WebhookUrl url;
  if (slash != std::string_view::npos) url.path = text.substr(slash);
  STEAD_TRY_VOID(parse_authority(authority, url));
  return url;
}

void check_webhook_client(const Path& path, const Value& client, FieldErrors& errors) {
  const Value* url = client.find("url");
  const Value* service = client.find("service");
  if ((url == nullptr) == (service == nullptr)) {
    return errors.required(path, "exactly one of url or service is required");
  }
  if (service != nullptr) return check_service(path.child("service"), *service, errors);
  Result<WebhookUrl> parsed = parse_webhook_url(url->as_string());
  if (!parsed.ok()) errors.invalid(path.child("url"), *url, parsed.error().message);
}

}  // namespace stead::kinds
