#include "apiserver/authentication/service_account_tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/authentication/json_web_token.h"
#include "object/field_error.h"
#include "object/quote.h"
#include "object/time.h"

namespace stead::apiserver {
namespace {

using object::ObjectPtr;
using object::Path;

constexpr std::string_view kUserPrefix = "system:serviceaccount:";
constexpr std::string_view kSecretIssuer = "kubernetes/serviceaccount";
constexpr int64_t kLifeMin_s = 10 * 60;
constexpr int64_t kLifeMax_s = int64_t{1} << 32;
constexpr size_t kKnownMax = 4096;  // per generation
// How long what is marked for deletion may still speak: time to say goodbye.
constexpr Duration kDeletedGrace = std::chrono::seconds(60);

int64_t seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

Error refused(std::string why) { return make_error(Reason::kUnauthorized, std::move(why)); }

Error not_found(std::string_view resource, std::string_view name) {
  Error error = make_error(Reason::kNotFound, fmt::format("{} {} not found", resource, object::quote(name)));
  error.kind = resource;
  error.name = name;
  return error;
}

Value reference_of(const object::Object& object) {
  return Value::object({{"name", object.name()}, {"uid", object.uid()}});
}

void validate(const Value& spec, object::FieldErrors& errors) {
  Path path("spec");
  const Value& life = spec.at("expirationSeconds");
  if (life.as_int() < kLifeMin_s) {
    errors.invalid(path.child("expirationSeconds"), life, "may not specify a duration less than 10 minutes");
  }
  if (life.as_int() > kLifeMax_s) {
    errors.invalid(path.child("expirationSeconds"), life, "may not specify a duration larger than 2^32 seconds");
  }
}

}  // namespace

std::string service_account_user(std::string_view ns, std::string_view name) {
  return fmt::format("{}{}:{}", kUserPrefix, ns, name);
}

std::vector<std::string> service_account_groups(std::string_view ns) {
  return {"system:serviceaccounts", "system:serviceaccounts:" + std::string(ns)};
}

ServiceAccountTokens::ServiceAccountTokens(cache::Cache& cache, Random& random,
                                           std::shared_ptr<const http::SigningKey> key, std::string issuer)
    : cache_(cache), random_(random), key_(std::move(key)), issuer_(std::move(issuer)) {}

Result<ObjectPtr> ServiceAccountTokens::bound_object(const Call& call, const Value& reference) const {
  std::string_view kind = reference.at("kind").as_string();
  std::string_view version = reference.at("apiVersion").as_string();
  std::string name(reference.at("name").as_string());
  std::string_view resource = kind == "Pod" ? "pods" : kind == "Secret" ? "secrets" : kind == "Node" ? "nodes" : "";
  if (resource.empty() || version != "v1") {
    return make_error(Reason::kBadRequest,
                      fmt::format("cannot bind token for serviceaccount {} to object of type {}, Kind={}",
                                  object::quote(call.request.name), version, kind));
  }
  ObjectPtr found = cache_.get("/" + std::string(resource), kind == "Node" ? name : call.request.ns + "/" + name);
  if (!found) return not_found(resource, name);
  if (kind == "Pod" && found->spec().at("serviceAccountName").as_string() != call.request.name) {
    return make_error(Reason::kBadRequest,
                      fmt::format("cannot bind token for serviceaccount {} to pod running with different "
                                  "serviceaccount name.",
                                  object::quote(call.request.name)));
  }
  std::string_view uid = reference.at("uid").as_string();
  if (!uid.empty() && uid != found->uid()) {
    Error error = make_error(
        Reason::kConflict, fmt::format("Operation cannot be fulfilled on {} {}: the UID in the bound object reference "
                                       "({}) does not match the UID in record. The object might have been deleted "
                                       "and then recreated",
                                       kind, object::quote(name), uid));
    error.kind = kind;
    error.name = name;
    return error;
  }
  return found;
}

Result<Value> ServiceAccountTokens::issue(const Call& call, Value request, WallTime now) const {
  ObjectPtr account = cache_.get("/serviceaccounts", call.request.ns + "/" + call.request.name);
  if (!account) return not_found("serviceaccounts", call.request.name);
  Value& spec = request["spec"];
  object::FieldErrors errors;
  validate(spec, errors);
  if (!errors.empty()) return errors.to_error("authentication.k8s.io", "TokenRequest", call.request.name);
  if (spec.at("audiences").empty()) spec.set("audiences", Value::array({issuer_}));
  Value private_claims = Value::object({{"namespace", call.request.ns}, {"serviceaccount", reference_of(*account)}});
  const Value& reference = spec.at("boundObjectRef");
  if (!reference.is_null()) {
    STEAD_TRY(bound, bound_object(call, reference));
    std::string_view kind = reference.at("kind").as_string();
    private_claims.set(kind == "Pod" ? "pod" : kind == "Secret" ? "secret" : "node", reference_of(*bound));
    std::string node(kind == "Pod" ? bound->spec().at("nodeName").as_string() : std::string_view());
    if (!node.empty()) {
      ObjectPtr found = cache_.get("/nodes", node);
      private_claims.set("node", found ? reference_of(*found) : Value::object({{"name", node}}));
    }
    spec.set({"boundObjectRef", "uid"}, bound->uid());
  }
  int64_t life = spec.at("expirationSeconds").as_int();
  Value claims = Value::object({{"aud", spec.at("audiences")},
                                {"exp", seconds(now) + life},
                                {"iat", seconds(now)},
                                {"iss", issuer_},
                                {"jti", random_.uuid()},
                                {"kubernetes.io", std::move(private_claims)},
                                {"nbf", seconds(now)},
                                {"sub", service_account_user(call.request.ns, call.request.name)}});
  STEAD_TRY(token, sign_token(*key_, claims));
  request.set("status",
              Value::object(
                  {{"token", token}, {"expirationTimestamp", object::format_time(now + std::chrono::seconds(life))}}));
  request["metadata"].set("name", call.request.name);
  request["metadata"].set("namespace", call.request.ns);
  request["metadata"].set("creationTimestamp", object::format_time(now));
  return request;
}

Result<std::string> ServiceAccountTokens::issue_for_secret(const Value& secret, std::string_view account) const {
  std::string ns(secret.at({"metadata", "namespace"}).as_string());
  ObjectPtr found = cache_.get("/serviceaccounts", ns + "/" + std::string(account));
  if (!found) return not_found("serviceaccounts", account);
  return sign_token(*key_, Value::object({{"iss", kSecretIssuer},
                                          {"kubernetes.io/serviceaccount/namespace", ns},
                                          {"kubernetes.io/serviceaccount/secret.name", secret.at({"metadata", "name"})},
                                          {"kubernetes.io/serviceaccount/secret.uid", secret.at({"metadata", "uid"})},
                                          {"kubernetes.io/serviceaccount/service-account.name", account},
                                          {"kubernetes.io/serviceaccount/service-account.uid", found->uid()},
                                          {"sub", service_account_user(ns, account)}}));
}

ServiceAccountTokens::Claims ServiceAccountTokens::read_bound(const Value& claims) {
  const Value& own = claims.at("kubernetes.io");
  auto reference = [&](std::string_view kind) {
    const Value& told = own.at(kind);
    return Reference{std::string(told.at("name").as_string()), std::string(told.at("uid").as_string())};
  };
  Claims read;
  read.ns = own.at("namespace").as_string();
  read.id = claims.at("jti").as_string();
  read.account = reference("serviceaccount");
  read.pod = reference("pod");
  read.secret = reference("secret");
  read.node = reference("node");
  for (const Value& audience : claims.at("aud").items()) read.audiences.emplace_back(audience.as_string());
  if (claims.at("aud").is_string()) read.audiences.emplace_back(claims.at("aud").as_string());
  read.not_before_s = claims.at("nbf").as_int();
  read.expires_s = claims.at("exp").as_int(1);
  return read;
}

ServiceAccountTokens::Claims ServiceAccountTokens::read_secret_bound(const Value& claims) {
  auto text = [&](std::string_view name) {
    return std::string(claims.at("kubernetes.io/serviceaccount/" + std::string(name)).as_string());
  };
  Claims read;
  read.ns = text("namespace");
  read.account = {text("service-account.name"), text("service-account.uid")};
  read.secret = {text("secret.name"), text("secret.uid")};
  return read;
}

Result<ServiceAccountTokens::ClaimsPtr> ServiceAccountTokens::claims_of(std::string_view token, const Value& claims,
                                                                        std::string digest) {
  if (!signed_by(*key_, token)) return refused("the token's signature is not of this cluster's key");
  bool of_secret = claims.at("iss").as_string() == kSecretIssuer;
  auto read = std::make_shared<const Claims>(of_secret ? read_secret_bound(claims) : read_bound(claims));
  if (claims.at("sub").as_string() != service_account_user(read->ns, read->account.name)) {
    return refused("the token's subject is not its service account");
  }
  if (young_.size() >= kKnownMax) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.emplace(std::move(digest), read);
  return ClaimsPtr(std::move(read));
}

Result<void> ServiceAccountTokens::check_reference(std::string_view resource, std::string_view what,
                                                   const std::string& ns, const Reference& reference,
                                                   WallTime now) const {
  ObjectPtr found = cache_.get(resource, ns.empty() ? reference.name : ns + "/" + reference.name);
  if (!found || (!reference.uid.empty() && found->uid() != reference.uid)) {
    return refused(fmt::format("{} {} of the token has been deleted", what, object::quote(reference.name)));
  }
  if (!found->deleting()) return {};
  auto deleted = object::parse_time(found->metadata().at("deletionTimestamp").as_string());
  if (deleted && *deleted < now - kDeletedGrace) {
    return refused(fmt::format("{} {} of the token is being deleted", what, object::quote(reference.name)));
  }
  return {};
}

Result<void> ServiceAccountTokens::check(const Claims& claims, WallTime now) const {
  int64_t now_s = seconds(now);
  if (claims.expires_s != 0 && now_s >= claims.expires_s) return refused("service account token has expired");
  if (now_s + 60 < claims.not_before_s) return refused("service account token is not valid yet");
  STEAD_TRY_VOID(check_reference("/serviceaccounts", "service account", claims.ns, claims.account, now));
  if (!claims.pod.name.empty()) STEAD_TRY_VOID(check_reference("/pods", "pod", claims.ns, claims.pod, now));
  if (!claims.secret.name.empty()) STEAD_TRY_VOID(check_reference("/secrets", "secret", claims.ns, claims.secret, now));
  // A pod's node is told, not relied on: the pod may outlive the node object.
  if (claims.pod.name.empty() && !claims.node.name.empty()) {
    STEAD_TRY_VOID(check_reference("/nodes", "node", {}, claims.node, now));
  }
  return {};
}

Result<std::optional<TokenIdentity>> ServiceAccountTokens::verify(std::string_view token,
                                                                  const std::vector<std::string>& audiences,
                                                                  WallTime now) {
  std::string digest = http::sha256(token);
  ClaimsPtr claims;
  if (auto found = young_.find(digest); found != young_.end()) {
    claims = found->second;
  } else if (auto older = old_.find(digest); older != old_.end()) {
    claims = older->second;
    young_.emplace(std::move(digest), claims);
    old_.erase(older);
  } else {
    std::optional<Value> read = read_claims(token);
    if (!read) return std::optional<TokenIdentity>();
    std::string_view issuer = read->at("iss").as_string();
    if (issuer != issuer_ && issuer != kSecretIssuer) return std::optional<TokenIdentity>();
    STEAD_TRY(made, claims_of(token, *read, std::move(digest)));
    claims = std::move(made);
  }
  TokenIdentity result;
  std::vector<std::string> own = claims->audiences;
  if (own.empty()) own.push_back(issuer_);
  for (const std::string& audience : own) {
    if (std::find(audiences.begin(), audiences.end(), audience) != audiences.end())
      result.audiences.push_back(audience);
  }
  if (result.audiences.empty()) {
    return refused(fmt::format("token audiences {} is invalid for the target audiences {}", own.front(),
                               audiences.empty() ? "" : audiences.front()));
  }
  STEAD_TRY_VOID(check(*claims, now));
  client::Identity& identity = result.identity;
  identity.user = service_account_user(claims->ns, claims->account.name);
  identity.uid = claims->account.uid;
  identity.groups = service_account_groups(claims->ns);
  auto tell = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) identity.extra["authentication.kubernetes.io/" + std::string(key)] = {value};
  };
  if (!claims->id.empty()) tell("credential-id", "JTI=" + claims->id);
  tell("pod-name", claims->pod.name);
  tell("pod-uid", claims->pod.uid);
  tell("node-name", claims->node.name);
  tell("node-uid", claims->node.uid);
  return std::optional(std::move(result));
}

Value ServiceAccountTokens::key_set() const {
  Value key = Value::object({{"use", "sig"},
                             {"kty", "EC"},
                             {"kid", key_->id()},
                             {"crv", "P-256"},
                             {"alg", "ES256"},
                             {"x", http::encode_base64url(key_->x())},
                             {"y", http::encode_base64url(key_->y())}});
  return Value::object({{"keys", Value::array({std::move(key)})}});
}

Value ServiceAccountTokens::configuration(const std::string& jwks_url) const {
  return Value::object({{"issuer", issuer_},
                        {"jwks_uri", jwks_url},
                        {"response_types_supported", Value::array({"id_token"})},
                        {"subject_types_supported", Value::array({"public"})},
                        {"id_token_signing_alg_values_supported", Value::array({"ES256"})}});
}

namespace {

class ServiceAccountAuthenticator final : public TokenAuthenticator {
 public:
  explicit ServiceAccountAuthenticator(ServiceAccountTokens& tokens) : tokens_(tokens) {}
  Result<std::optional<client::Identity>> authenticate(std::string_view token, WallTime now) override {
    STEAD_TRY(found, tokens_.verify(token, {tokens_.issuer()}, now));
    if (!found) return std::optional<client::Identity>();
    return std::optional(std::move(found->identity));
  }
  Result<std::optional<TokenIdentity>> authenticate_for(std::string_view token,
                                                        const std::vector<std::string>& audiences,
                                                        WallTime now) override {
    return tokens_.verify(token, audiences, now);
  }

 private:
  ServiceAccountTokens& tokens_;
};

}  // namespace

std::unique_ptr<TokenAuthenticator> make_service_account_authenticator(ServiceAccountTokens& tokens) {
  return std::make_unique<ServiceAccountAuthenticator>(tokens);
}

}  // namespace stead::apiserver
