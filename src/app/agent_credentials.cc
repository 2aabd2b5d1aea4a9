#include "app/agent_credentials.h"

#include <fmt/format.h>

#include <charconv>

namespace stead::app {

Result<ServerAddress> ServerAddress::parse(const std::string& url) {
  auto wrong = [&url](const char* why) {
    return make_error(Reason::kInvalid,
                      fmt::format("--server: \"{}\" {}; it looks like https://192.0.2.10:6443", url, why));
  };
  std::string_view rest = url;
  constexpr std::string_view kScheme = "https://";
  if (!rest.starts_with(kScheme)) return wrong("does not begin with https://");
  rest.remove_prefix(kScheme.size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  ServerAddress address;
  size_t colon = rest.rfind(':');
  bool is_v6 = rest.starts_with('[');
  if (is_v6 && rest.find(']') == std::string_view::npos) return wrong("has no closing ]");
  if (is_v6 && colon < rest.find(']')) colon = std::string_view::npos;
  address.host = rest.substr(0, colon);
  if (is_v6) address.host = rest.substr(1, rest.find(']') - 1);
  if (address.host.empty() || address.host.find('/') != std::string::npos) return wrong("names no host");
  if (colon == std::string_view::npos) return address;
  std::string_view port = rest.substr(colon + 1);
  auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || stop != port.data() + port.size() || address.port == 0) return wrong("has no valid port");
  return address;
}

Result<AgentCredentials> find_agent_credentials(const cli::DataDir& data_dir) {
  Result<std::string> ca = cli::read_file(data_dir.path("pki/ca.crt"));
  Result<std::string> certificate = cli::read_file(data_dir.path("pki/node.crt"));
  Result<std::string> key = cli::read_file(data_dir.path("pki/node.key"));
  if (!ca.ok() || !certificate.ok() || !key.ok()) {
    return make_error(Reason::kUnauthorized, "this machine has not joined yet: name a join token with --token");
  }
  return AgentCredentials{*ca, {*certificate, *key}};
}

}  // namespace stead::app
