// What a pod names and does not find.

#include <fmt/format.h>

#include <set>

#include "cli/why/explain.h"

namespace stead::cli::why {
namespace {

using object::Object;

class References {
 public:
  References(const ClusterView& view, const Object& pod) : view_(view), pod_(pod) {}

  std::vector<Cause> take() && {
    const Value& spec = pod_.spec();
    for (const Value& volume : spec.at("volumes").items()) look_at_volume(volume);
    for (std::string_view list : {"initContainers", "containers"}) {
      for (const Value& container : spec.at(list).items()) look_at_environment(container);
    }
    return std::move(causes_);
  }

 private:
  void look_at_volume(const Value& volume) {
    look_at_map("configMap", "name", volume.at("configMap"), volume.at({"configMap", "items"}));
    look_at_map("secret", "secretName", volume.at("secret"), volume.at({"secret", "items"}));
    for (const Value& source : volume.at({"projected", "sources"}).items()) {
      look_at_map("configMap", "name", source.at("configMap"), source.at({"configMap", "items"}));
      look_at_map("secret", "name", source.at("secret"), source.at({"secret", "items"}));
    }
    std::string claim(volume.at({"persistentVolumeClaim", "claimName"}).as_string());
    if (volume.find("ephemeral") != nullptr) {
      claim = fmt::format("{}-{}", pod_.name(), volume.at("name").as_string());
    }
    if (!claim.empty()) look_at_claim(claim);
  }

  void look_at_environment(const Value& container) {
    for (const Value& variable : container.at("env").items()) {
      for (auto [field, kind] : {std::pair{"configMapKeyRef", "configMap"}, std::pair{"secretKeyRef", "secret"}}) {
        const Value& reference = variable.at({"valueFrom", field});
        if (reference.is_null()) continue;
        look_at_map(kind, "name", reference, Value::array({Value::object({{"key", reference.at("key")}})}));
      }
    }
    for (const Value& source : container.at("envFrom").items()) {
      look_at_map("configMap", "name", source.at("configMapRef"), {});
      look_at_map("secret", "name", source.at("secretRef"), {});
    }
  }

  // `keys`: [{key}] that must be there.
  void look_at_map(std::string_view kind, std::string_view name_field, const Value& reference, const Value& keys) {
    std::string_view name = reference.at(name_field).as_string();
    if (name.empty() || reference.at("optional").as_bool()) return;
    bool config = kind == "configMap";
    ObjectPtr found = view_.find(config ? "configmaps" : "secrets", pod_.ns(), name);
    std::string option = namespace_option(pod_);
    if (!found) {
      if (!seen_.insert(fmt::format("{}/{}", kind, name)).second) return;
      causes_.push_back({fmt::format("the {} {} does not exist", kind, name),
                         fmt::format("kubectl create {} {} --from-literal=KEY=VALUE{}",
                                     config ? "configmap" : "secret generic", name, option),
                         {}});
      return;
    }
    for (const Value& item : keys.items()) {
      std::string_view key = item.at("key").as_string();
      const Value& document = found->document();
      if (document.at("data").find(key) != nullptr || document.at("binaryData").find(key) != nullptr) continue;
      if (!seen_.insert(fmt::format("{}/{}/{}", kind, name, key)).second) continue;
      causes_.push_back({fmt::format("the {} {} has no key {}", kind, name, key),
                         fmt::format("kubectl edit {} {}{}", config ? "configmap" : "secret", name, option),
                         {}});
    }
  }

  void look_at_claim(const std::string& name) {
    ObjectPtr claim = view_.find("persistentvolumeclaims", pod_.ns(), name);
    if (!claim) {
      causes_.push_back({fmt::format("the claim {} does not exist", name),
                         fmt::format("kubectl apply -f CLAIM.yaml{}   # a PersistentVolumeClaim named {}",
                                     namespace_option(pod_), name),
                         {}});
    } else if (claim->deleting() || claim->status().at("phase").as_string() != "Bound") {
      causes_.push_back(explain_claim(view_, *claim));
    } else if (pod_.spec().at("nodeName").as_string().empty()) {
      if (auto lost = lost_home_cause(view_, *claim)) causes_.push_back(std::move(*lost));
    }
  }

  const ClusterView& view_;
  const Object& pod_;
  std::vector<Cause> causes_;
  std::set<std::string> seen_;
};

}  // namespace

std::vector<Cause> reference_causes(const ClusterView& view, const Object& pod) { return References(view, pod).take(); }

}  // namespace stead::cli::why
