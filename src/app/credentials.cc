#include "app/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace stead::app {
namespace {

constexpr std::chrono::hours kCaLife{24 * 365 * 10};
constexpr std::chrono::hours kLeafLife{24 * 365};
constexpr std::chrono::hours kRenewBefore{24 * 30};

std::optional<http::KeyPair> load(const cli::DataDir& data_dir, const std::string& name, WallTime now) {
  Result<std::string> certificate = cli::read_file(data_dir.path("pki/" + name + ".crt"));
  Result<std::string> key = cli::read_file(data_dir.path("pki/" + name + ".key"));
  if (!certificate.ok() || !key.ok()) return std::nullopt;
  Result<WallTime> end = http::not_after(*certificate);
  if (!end.ok() || *end < now + kRenewBefore) return std::nullopt;
  return http::KeyPair{std::move(*certificate), std::move(*key)};
}

Result<void> save(const cli::DataDir& data_dir, const std::string& name, const http::KeyPair& pair) {
  STEAD_TRY_VOID(cli::write_file(data_dir.path("pki/" + name + ".key"), pair.key_pem, 0600));
  return cli::write_file(data_dir.path("pki/" + name + ".crt"), pair.certificate_pem, 0600);
}

// Never made anew while it is there: tokens that it signed live on.
Result<std::shared_ptr<const http::SigningKey>> load_or_make_signing_key(const cli::DataDir& data_dir) {
  std::string path = data_dir.path("pki/service-accounts.key");
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    STEAD_TRY(made, http::SigningKey::generate());
    STEAD_TRY_VOID(cli::write_file(path, made, 0600));
  }
  STEAD_TRY(pem, cli::read_file(path));
  Result<std::shared_ptr<const http::SigningKey>> key = http::SigningKey::from_pem(pem);
  if (!key.ok()) return key.error().with_context(path);
  return key;
}

bool covers(const http::KeyPair& pair, const ServerNames& names) {
  Result<std::vector<std::string>> present = http::alternative_names(pair.certificate_pem);
  if (!present.ok()) return false;
  auto has = [&](const std::string& name) {
    return std::find(present->begin(), present->end(), name) != present->end();
  };
  return std::all_of(names.dns_names.begin(), names.dns_names.end(), has) &&
         std::all_of(names.ip_addresses.begin(), names.ip_addresses.end(), has);
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = static_cast<uint8_t>(bytes[i]) << 16;
    if (i + 1 < bytes.size()) group |= static_cast<uint8_t>(bytes[i + 1]) << 8;
    if (i + 2 < bytes.size()) group |= static_cast<uint8_t>(bytes[i + 2]);
    for (int shift = 18; shift >= 0; shift -= 6) text += kAlphabet[(group >> shift) & 63];
  }
  for (size_t padding = (3 - bytes.size() % 3) % 3; padding > 0; --padding) text[text.size() - padding] = '=';
  return text;
}

}  // namespace

Result<Credentials> load_or_make_credentials(const cli::DataDir& data_dir, const ServerNames& names, WallTime now) {
  std::error_code code;
  std::filesystem::create_directories(data_dir.path("pki"), code);
  Credentials credentials;
  bool new_ca = false;
  if (auto ca = load(data_dir, "ca", now)) {
    credentials.ca = std::move(*ca);
  } else {
    STEAD_TRY(made, http::make_ca("stead-ca", now, kCaLife));
    credentials.ca = std::move(made);
    new_ca = true;
    STEAD_TRY_VOID(save(data_dir, "ca", credentials.ca));
  }
  auto server = load(data_dir, "server", now);
  if (server && !new_ca && covers(*server, names)) {
    credentials.server = std::move(*server);
  } else {
    http::LeafRequest request{"stead", {}, names.dns_names, names.ip_addresses, true, true, kLeafLife};
    STEAD_TRY(made, http::issue(credentials.ca, request, now));
    credentials.server = std::move(made);
    STEAD_TRY_VOID(save(data_dir, "server", credentials.server));
  }
  auto client = [&](const std::string& name, const http::LeafRequest& request) -> Result<http::KeyPair> {
    auto kept = load(data_dir, name, now);
    if (kept && !new_ca) return std::move(*kept);
    STEAD_TRY(made, http::issue(credentials.ca, request, now));
    STEAD_TRY_VOID(save(data_dir, name, made));
    return made;
  };
  STEAD_TRY(admin, client("admin", {"kubernetes-admin", {"system:masters"}, {}, {}, false, true, kLeafLife}));
  credentials.admin = std::move(admin);
  STEAD_TRY(kubelet, client("kubelet-client", {"kube-apiserver-kubelet-client", {}, {}, {}, false, true, kLeafLife}));
  credentials.kubelet_client = std::move(kubelet);
  STEAD_TRY(proxy, client("front-proxy-client", {"front-proxy-client", {}, {}, {}, false, true, kLeafLife}));
  credentials.front_proxy = std::move(proxy);
  STEAD_TRY(signing_key, load_or_make_signing_key(data_dir));
  credentials.service_accounts = std::move(signing_key);
  return credentials;
}

std::string kubeconfig_text(const Credentials& credentials, const std::string& server_url) {
  return fmt::format(
      "apiVersion: v1\n"
      "kind: Config\n"
      "clusters:\n"
      "- name: stead\n"
      "  cluster:\n"
      "    server: {}\n"
      "    certificate-authority-data: {}\n"
      "users:\n"
      "- name: stead-admin\n"
      "  user:\n"
      "    client-certificate-data: {}\n"
      "    client-key-data: {}\n"
      "contexts:\n"
      "- name: stead\n"
      "  context:\n"
      "    cluster: stead\n"
      "    user: stead-admin\n"
      "current-context: stead\n",
      server_url, base64(credentials.ca.certificate_pem), base64(credentials.admin.certificate_pem),
      base64(credentials.admin.key_pem));
}

}  // namespace stead::app
