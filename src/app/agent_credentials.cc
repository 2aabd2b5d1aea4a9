#include "app/agent_credentials.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <optional>

#include "app/join.h"
#include "cli/join_token.h"

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

Result<void> save_key_pair(const cli::DataDir& data_dir, const std::string& name, const http::KeyPair& pair) {
  std::error_code code;
  std::filesystem::create_directories(data_dir.path("pki"), code);
  STEAD_TRY_VOID(cli::write_file(data_dir.path("pki/" + name + ".key"), pair.key_pem, 0600));
  return cli::write_file(data_dir.path("pki/" + name + ".crt"), pair.certificate_pem, 0600);
}

http::ClientOptions client_of(const ServerAddress& server, const AgentCredentials& credentials) {
  http::ClientOptions client;
  client.host = server.host;
  client.port = server.port;
  client.ca_pem = credentials.ca_pem;
  client.certificate_pem = credentials.client.certificate_pem;
  client.key_pem = credentials.client.key_pem;
  client.timeout = std::chrono::seconds(5);
  return client;
}

namespace {

constexpr std::chrono::seconds kDecisionLimit{60};

// nullopt: there is none that holds.
Result<std::optional<AgentCredentials>> kept(const cli::DataDir& data_dir, const std::string& node_name) {
  Result<std::string> ca = cli::read_file(data_dir.path("pki/ca.crt"));
  Result<std::string> certificate = cli::read_file(data_dir.path("pki/node.crt"));
  Result<std::string> key = cli::read_file(data_dir.path("pki/node.key"));
  if (!ca.ok() || !certificate.ok() || !key.ok()) return std::optional<AgentCredentials>();
  STEAD_TRY(name, http::common_name_of(*certificate));
  if (name != "system:node:" + node_name) {
    return make_error(Reason::kInvalid,
                      fmt::format("--node-name {}: this machine has joined as {}; its certificate is in {}", node_name,
                                  name.substr(name.rfind(':') + 1), data_dir.path("pki/node.crt")));
  }
  STEAD_TRY(end, http::not_after(*certificate));
  if (end <= system_clock().wall_now()) return std::optional<AgentCredentials>();
  return std::optional(AgentCredentials{*ca, {*certificate, *key}});
}

}  // namespace

Result<AgentCredentials> find_agent_credentials(const cli::DataDir& data_dir, const ServerAddress& server,
                                                const std::string& node_name, const std::string& token) {
  STEAD_TRY(known, kept(data_dir, node_name));
  if (known) return *known;
  if (token.empty()) {
    return make_error(Reason::kInvalid,
                      "this machine has no certificate that holds: name a join token with --token "
                      "(`stead token create` on the server's machine prints one)");
  }
  STEAD_TRY(parsed, cli::JoinToken::parse(token));
  AgentCredentials made;
  STEAD_TRY(ca, fetch_ca(server, parsed, system_clock()));
  made.ca_pem = std::move(ca);
  STEAD_TRY(pair,
            request_certificate(client_of(server, made), parsed.bearer(), client_wish(node_name), kDecisionLimit));
  made.client = std::move(pair);
  STEAD_TRY_VOID(save_key_pair(data_dir, "node", made.client));
  STEAD_TRY_VOID(cli::write_file(data_dir.path("pki/ca.crt"), made.ca_pem, 0600));
  return made;
}

}  // namespace stead::app
