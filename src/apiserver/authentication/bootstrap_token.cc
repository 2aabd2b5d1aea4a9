#include "apiserver/authentication/bootstrap_token.h"

#include <fmt/format.h>

#include <algorithm>

#include "object/base64.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

constexpr size_t kIdLength = 6;
constexpr size_t kSecretLength = 16;
constexpr std::string_view kGroup = "system:bootstrappers";

bool is_token(std::string_view token) {
  if (token.size() != kIdLength + 1 + kSecretLength || token[kIdLength] != '.') return false;
  return std::all_of(token.begin(), token.end(),
                     [](char c) { return c == '.' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// In a time that does not depend on where they differ.
bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (size_t at = 0; at < a.size(); ++at) difference |= static_cast<unsigned char>(a[at] ^ b[at]);
  return difference == 0;
}

class BootstrapTokens final : public TokenAuthenticator {
 public:
  explicit BootstrapTokens(const cache::Cache& cache) : cache_(cache) {}

  Result<std::optional<client::Identity>> authenticate(std::string_view token, WallTime now) override {
    if (!is_token(token)) return std::optional<client::Identity>();
    std::string id(token.substr(0, kIdLength));
    auto refuse = [&id](std::string_view why) {
      return make_error(Reason::kUnauthorized, fmt::format("bootstrap token {}: {}", id, why));
    };
    object::ObjectPtr secret = cache_.get("/secrets", "kube-system/bootstrap-token-" + id);
    if (!secret || secret->deleting()) return refuse("there is no such token");
    const object::Value& document = secret->document();
    if (document.at("type").as_string() != "bootstrap.kubernetes.io/token")
      return refuse("the Secret is of another type");
    auto data = [&document](std::string_view name) {
      Result<std::string> text = object::decode_base64(document.at({"data", name}).as_string());
      return text.ok() ? *text : std::string();
    };
    if (!same(data("token-secret"), token.substr(kIdLength + 1))) return refuse("the secret half is wrong");
    if (data("token-id") != id) return refuse("token-id is another");
    std::string expiration = data("expiration");
    if (!expiration.empty()) {
      std::optional<WallTime> end = object::parse_time(expiration);
      if (!end) return refuse("expiration is no time");
      if (*end <= now) return refuse("it has expired");
    }
    if (data("usage-bootstrap-authentication") != "true") return refuse("it is not for authentication");
    client::Identity identity;
    identity.user = "system:bootstrap:" + id;
    identity.groups = {std::string(kGroup)};
    add_groups(data("auth-extra-groups"), identity.groups);
    return std::optional(std::move(identity));
  }

 private:
  // Only groups below system:bootstrappers: a token must not make its bearer anybody else.
  static void add_groups(const std::string& text, std::vector<std::string>& groups) {
    for (size_t at = 0; at < text.size();) {
      size_t end = std::min(text.find(',', at), text.size());
      std::string group = text.substr(at, end - at);
      if (group.starts_with("system:bootstrappers:")) groups.push_back(std::move(group));
      at = end + 1;
    }
  }

  const cache::Cache& cache_;
};

}  // namespace

std::unique_ptr<TokenAuthenticator> make_bootstrap_token_authenticator(const cache::Cache& cache) {
  return std::make_unique<BootstrapTokens>(cache);
}

}  // namespace stead::apiserver
