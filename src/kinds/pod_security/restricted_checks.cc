#include "kinds/pod_security/restricted_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "kinds/pod_security/baseline_checks.h"

namespace stead::kinds {
namespace {

// Since 1.25 a pod for Windows need not say what only Linux knows (KEP-2802).
bool exempt_as_windows(const PodUnderCheck& pod, int minor) { return minor >= 25 && pod.windows(); }

bool is_open_volume(const Value& volume) {
  for (std::string_view kind : {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image",
                                "persistentVolumeClaim", "projected", "secret"}) {
    if (volume.find(kind) != nullptr) return true;
  }
  return false;
}

std::string volume_kind(const Value& volume) {
  for (const object::Member& member : volume.members()) {
    if (member.name() != "name") return std::string(member.name());
  }
  return "unknown";
}

}  // namespace

Finding check_privilege_escalation(const PodUnderCheck& pod, int minor) {
  if (minor < 8 || exempt_as_windows(pod, minor)) return {};
  Names bad;
  for (const Value* container : pod.containers) {
    const Value* allowed = container_context(*container, {"allowPrivilegeEscalation"});
    if (allowed == nullptr || allowed->as_bool(true)) bad.push_back(name_of_container(*container));
  }
  if (bad.empty()) return {};
  return Violation{"allowPrivilegeEscalation != false",
                   fmt::format("{} must set securityContext.allowPrivilegeEscalation=false", containers_text(bad))};
}

Finding check_dropped_capabilities(const PodUnderCheck& pod, int minor) {
  if (exempt_as_windows(pod, minor)) return {};
  Names keeping;
  Names adding;
  NameSet forbidden;
  for (const Value* container : pod.containers) {
    const Value* capabilities = container_context(*container, {"capabilities"});
    auto dropped = capabilities == nullptr ? std::span<const Value>() : capabilities->at("drop").items();
    bool all = std::any_of(dropped.begin(), dropped.end(), [](const Value& name) { return name.as_string() == "ALL"; });
    if (!all) keeping.push_back(name_of_container(*container));
    if (capabilities == nullptr) continue;
    bool adds = false;
    for (const Value& name : capabilities->at("add").items()) {
      if (name.as_string() == "NET_BIND_SERVICE") continue;
      adds = true;
      forbidden.emplace(name.as_string());
    }
    if (adds) adding.push_back(name_of_container(*container));
  }
  Names details;
  if (!keeping.empty()) {
    details.push_back(containers_text(keeping) + " must set securityContext.capabilities.drop=[\"ALL\"]");
  }
  if (!adding.empty()) {
    details.push_back(fmt::format("{} must not include {} in securityContext.capabilities.add", containers_text(adding),
                                  quoted(forbidden)));
  }
  if (details.empty()) return {};
  return Violation{"unrestricted capabilities", joined(details, "; ")};
}

Finding check_volume_types(const PodUnderCheck& pod, int) {
  Names bad;
  NameSet kinds;
  for (const Value& volume : pod.spec.at("volumes").items()) {
    if (is_open_volume(volume)) continue;
    bad.emplace_back(volume.at("name").as_string());
    kinds.insert(volume_kind(volume));
  }
  if (bad.empty()) return {};
  return Violation{
      "restricted volume types",
      fmt::format("{} {} {} {} {}", counted(bad.size(), "volume", "volumes"), quoted(bad),
                  counted(bad.size(), "uses", "use"),
                  counted(kinds.size(), "restricted volume type", "restricted volume types"), quoted(kinds))};
}

Finding check_run_as_non_root(const PodUnderCheck& pod, int minor) {
  if (minor >= 35 && pod.in_own_user_namespace()) return {};
  const Value* of_pod = pod.pod_context({"runAsNonRoot"});
  bool pod_says_root = of_pod != nullptr && !of_pod->as_bool();
  bool pod_says_non_root = of_pod != nullptr && of_pod->as_bool();
  Names saying_root;
  Names silent;
  for (const Value* container : pod.containers) {
    const Value* own = container_context(*container, {"runAsNonRoot"});
    if (own != nullptr && !own->as_bool()) saying_root.push_back(name_of_container(*container));
    if (own == nullptr && !pod_says_non_root) silent.push_back(name_of_container(*container));
  }
  constexpr std::string_view kReason = "runAsNonRoot != true";
  if (pod_says_root || !saying_root.empty()) {
    return Violation{std::string(kReason), fmt::format("{} must not set securityContext.runAsNonRoot=false",
                                                       setters_text(pod_says_root, saying_root))};
  }
  if (silent.empty()) return {};
  return Violation{std::string(kReason),
                   fmt::format("pod or {} must set securityContext.runAsNonRoot=true", containers_text(silent))};
}

Finding check_run_as_user(const PodUnderCheck& pod, int minor) {
  if (minor < 23 || (minor >= 35 && pod.in_own_user_namespace())) return {};
  auto is_root = [](const Value* user) { return user != nullptr && user->as_int(1) == 0; };
  bool bad_pod = is_root(pod.pod_context({"runAsUser"}));
  Names bad;
  for (const Value* container : pod.containers) {
    if (is_root(container_context(*container, {"runAsUser"}))) bad.push_back(name_of_container(*container));
  }
  if (!bad_pod && bad.empty()) return {};
  return Violation{"runAsUser=0", setters_text(bad_pod, bad) + " must not set runAsUser=0"};
}

Finding check_seccomp_is_set(const PodUnderCheck& pod, int minor) {
  if (exempt_as_windows(pod, minor)) return {};
  if (Finding bad = check_seccomp(pod, minor)) return bad;
  if (pod.pod_context({"seccompProfile"}) != nullptr) return {};
  Names silent;
  for (const Value* container : pod.containers) {
    if (container_context(*container, {"seccompProfile"}) == nullptr) silent.push_back(name_of_container(*container));
  }
  if (silent.empty()) return {};
  return Violation{"seccompProfile",
                   fmt::format("pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
                               "\"Localhost\"",
                               containers_text(silent))};
}

}  // namespace stead::kinds
