#include "apiserver/front_end/impersonation.h"

#include <optional>

#include "apiserver/authentication/authenticator.h"
#include "apiserver/authentication/service_account_tokens.h"

namespace stead::apiserver {
namespace {

constexpr std::string_view kAnonymous = "system:anonymous";
constexpr std::string_view kUnauthenticated = "system:unauthenticated";
constexpr std::string_view kAuthenticationGroup = "authentication.k8s.io";

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return made;
}

struct ServiceAccountName {
  std::string_view ns, name;
};

std::optional<ServiceAccountName> service_account_of(std::string_view user) {
  constexpr std::string_view kPrefix = "system:serviceaccount:";
  if (!user.starts_with(kPrefix)) return std::nullopt;
  user.remove_prefix(kPrefix.size());
  size_t colon = user.find(':');
  if (colon == std::string_view::npos || user.find(':', colon + 1) != std::string_view::npos) return std::nullopt;
  return ServiceAccountName{user.substr(0, colon), user.substr(colon + 1)};
}

Result<void> check(const Authorizer& authorizer, const client::Identity& caller, const client::Identity& wanted) {
  auto ask = [&](std::string_view group, std::string_view resource, std::string_view subresource, std::string_view ns,
                 std::string_view name) {
    return authorizer.authorize(caller, Attributes{"impersonate", group, "v1", resource, subresource, ns, name, {}});
  };
  if (auto account = service_account_of(wanted.user)) {
    STEAD_TRY_VOID(ask("", "serviceaccounts", "", account->ns, account->name));
  } else {
    STEAD_TRY_VOID(ask("", "users", "", "", wanted.user));
  }
  for (const std::string& group : wanted.groups) STEAD_TRY_VOID(ask("", "groups", "", "", group));
  if (!wanted.uid.empty()) STEAD_TRY_VOID(ask(kAuthenticationGroup, "uids", "", "", wanted.uid));
  for (const auto& [key, values] : wanted.extra) {
    for (const std::string& value : values) STEAD_TRY_VOID(ask(kAuthenticationGroup, "userextras", key, "", value));
  }
  return {};
}

}  // namespace

Result<client::Identity> impersonated(const Authorizer& authorizer, client::Identity caller,
                                      const http::Request& request) {
  constexpr std::string_view kExtra = "impersonate-extra-";
  client::Identity wanted;
  bool any = false;
  for (const auto& [header, value] : request.headers) {
    std::string name = lower(header);
    if (!name.starts_with("impersonate-")) continue;
    any = true;
    if (name == "impersonate-user") {
      wanted.user = value;
    } else if (name == "impersonate-group") {
      wanted.groups.push_back(value);
    } else if (name == "impersonate-uid") {
      wanted.uid = value;
    } else if (name.starts_with(kExtra)) {
      std::string_view key = std::string_view(name).substr(kExtra.size());
      std::optional<std::string> decoded = http::percent_decode(key, false);
      wanted.extra[decoded ? lower(*decoded) : std::string(key)].push_back(value);
    }
  }
  if (!any) return caller;
  if (wanted.user.empty()) {
    return make_error(Reason::kBadRequest, "impersonating groups, a uid or extra fields needs Impersonate-User too");
  }
  STEAD_TRY_VOID(check(authorizer, caller, wanted));
  if (auto account = service_account_of(wanted.user); account && wanted.groups.empty()) {
    wanted.groups = service_account_groups(account->ns);
  }
  if (wanted.user == kAnonymous) {
    if (!wanted.in_group(kUnauthenticated)) wanted.groups.emplace_back(kUnauthenticated);
  } else if (!wanted.in_group(kAuthenticated) && !wanted.in_group(kUnauthenticated)) {
    wanted.groups.emplace_back(kAuthenticated);
  }
  return wanted;
}

}  // namespace stead::apiserver
