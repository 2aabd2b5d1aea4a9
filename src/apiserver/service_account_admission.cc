#include "apiserver/service_account_admission.h"

#include <fmt/format.h>

#include <algorithm>

#include "object/base64.h"
#include "object/quote.h"

namespace stead::apiserver {
namespace {

constexpr std::string_view kMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::string_view kVolumePrefix = "kube-api-access-";
// As kube-apiserver asks for: a little more than an hour tells these tokens from others.
constexpr int64_t kLifeSeconds = 3607;
constexpr int64_t kFileMode = 0644;

Value projected_volume(std::string_view name) {
  Value token = Value::object({{"expirationSeconds", kLifeSeconds}, {"path", "token"}});
  Value ca = Value::object({{"name", "kube-root-ca.crt"},
                            {"items", Value::array({Value::object({{"key", "ca.crt"}, {"path", "ca.crt"}})})}});
  Value field = Value::object({{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}});
  Value ns = Value::object(
      {{"items", Value::array({Value::object({{"path", "namespace"}, {"fieldRef", std::move(field)}})})}});
  Value sources =
      Value::array({Value::object({{"serviceAccountToken", std::move(token)}}),
                    Value::object({{"configMap", std::move(ca)}}), Value::object({{"downwardAPI", std::move(ns)}})});
  return Value::object(
      {{"name", name}, {"projected", Value::object({{"sources", std::move(sources)}, {"defaultMode", kFileMode}})}});
}

bool has_mount(const Value& container) {
  auto mounts = container.at("volumeMounts").items();
  return std::any_of(mounts.begin(), mounts.end(),
                     [](const Value& mount) { return mount.at("mountPath").as_string() == kMountPath; });
}

}  // namespace

Result<void> ServiceAccountAdmission::complete_pod(const Call& call, Value& pod) const {
  if (pod.find({"metadata", "annotations", "kubernetes.io/config.mirror"}) != nullptr) return {};
  Value& spec = pod["spec"];
  std::string name(spec.at("serviceAccountName").as_string());
  if (name.empty()) name = "default";
  spec.set("serviceAccountName", name);
  spec.set("serviceAccount", name);
  object::ObjectPtr account = cache_.get("/serviceaccounts", call.request.ns + "/" + name);
  if (!account && name != "default") {
    std::string pod_name(pod.at({"metadata", "name"}).as_string());
    Error error = make_error(
        Reason::kForbidden,
        fmt::format("pods {} is forbidden: error looking up service account {}/{}: serviceaccount {} not found",
                    object::quote(pod_name), call.request.ns, name, object::quote(name)));
    error.kind = "pods";
    error.name = pod_name;
    return error;
  }
  const Value nothing;
  const Value& settings = account ? account->document() : nothing;
  bool wanted = settings.at("automountServiceAccountToken").as_bool(true);
  if (spec.at("automountServiceAccountToken").as_bool(wanted)) mount_token(pod);
  if (spec.at("imagePullSecrets").empty() && !settings.at("imagePullSecrets").empty()) {
    spec.set("imagePullSecrets", settings.at("imagePullSecrets"));
  }
  return {};
}

void ServiceAccountAdmission::mount_token(Value& pod) const {
  Value& spec = pod["spec"];
  std::string volume;
  for (const Value& known : spec.at("volumes").items()) {
    std::string_view name = known.at("name").as_string();
    if (name.starts_with(kVolumePrefix)) volume = name;
  }
  bool present = !volume.empty();
  if (!present) volume = std::string(kVolumePrefix) + random_.name_suffix();
  bool used = false;
  for (std::string_view list : {"initContainers", "containers"}) {
    if (spec.find(list) == nullptr) continue;
    for (Value& container : spec[list].mutable_items()) {
      if (has_mount(container)) continue;
      container["volumeMounts"].append(
          Value::object({{"name", volume}, {"readOnly", true}, {"mountPath", kMountPath}}));
      used = true;
    }
  }
  if (used && !present) spec["volumes"].append(projected_volume(volume));
}

void ServiceAccountAdmission::complete_secret(Value& secret) const {
  if (secret.at("type").as_string() != "kubernetes.io/service-account-token") return;
  std::string ns(secret.at({"metadata", "namespace"}).as_string());
  std::string name(secret.at({"metadata", "annotations", "kubernetes.io/service-account.name"}).as_string());
  object::ObjectPtr account = cache_.get("/serviceaccounts", ns + "/" + name);
  if (!account) return;
  const Value& told = secret.at({"metadata", "annotations", "kubernetes.io/service-account.uid"});
  if (!told.as_string().empty() && told.as_string() != account->uid()) return;
  secret.set({"metadata", "annotations", "kubernetes.io/service-account.uid"}, account->uid());
  auto fill = [&](std::string_view key, std::string_view text) {
    if (secret.find({"data", key}) == nullptr) secret.set({"data", key}, object::encode_base64(text));
  };
  if (Result<std::string> token = tokens_.issue_for_secret(secret, name); token.ok()) fill("token", *token);
  fill("ca.crt", root_ca_pem_);
  fill("namespace", ns);
}

}  // namespace stead::apiserver
