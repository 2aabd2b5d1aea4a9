#include "controllers/service_accounts/token_secret_policy.h"

#include "object/time.h"

namespace stead::controllers::service_accounts {
namespace {

constexpr std::string_view kType = "kubernetes.io/service-account-token";
constexpr Duration kYoung = std::chrono::seconds(10);
const ResourceRef kSecrets{"", "secrets"};

}  // namespace

std::string_view account_of(const object::Object& secret) {
  if (secret.document().at("type").as_string() != kType) return {};
  return secret.metadata().at({"annotations", "kubernetes.io/service-account.name"}).as_string();
}

client::Plan decide(const object::Object& secret, const ObjectPtr& account, WallTime now) {
  client::Plan plan;
  if (account_of(secret).empty() || secret.deleting()) return plan;
  std::string_view uid = secret.metadata().at({"annotations", "kubernetes.io/service-account.uid"}).as_string();
  if (account && (uid.empty() || uid == account->uid())) {
    if (secret.document().find({"data", "token"}) != nullptr) return plan;
    // Admission fills what is written.
    Value mark = Value::object({{"kubernetes.io/service-account.uid", account->uid()}});
    Value patch = Value::object({{"metadata", Value::object({{"annotations", std::move(mark)}})}});
    plan.steps.push_back({patch_request(kSecrets, secret, std::move(patch)), {}, {}, {}});
    return plan;
  }
  auto made = object::parse_time(secret.metadata().at("creationTimestamp").as_string());
  if (!account && uid.empty() && made && now < *made + kYoung) {
    plan.look_again = *made + kYoung - now;
    return plan;
  }
  plan.steps.push_back({delete_request(kSecrets, secret), {Reason::kNotFound, Reason::kConflict}, {}, {}});
  return plan;
}

}  // namespace stead::controllers::service_accounts
