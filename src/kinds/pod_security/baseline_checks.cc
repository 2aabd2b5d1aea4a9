#include "kinds/pod_security/baseline_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace stead::kinds {
namespace {

constexpr std::string_view kAppArmorAnnotation = "container.apparmor.security.beta.kubernetes.io/";
constexpr std::string_view kSeccompPodAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompContainerAnnotation = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view kCapabilities[] = {"AUDIT_WRITE", "CHOWN",  "DAC_OVERRIDE",     "FOWNER",  "FSETID",
                                              "KILL",        "MKNOD",  "NET_BIND_SERVICE", "SETFCAP", "SETGID",
                                              "SETPCAP",     "SETUID", "SYS_CHROOT"};

struct Since {
  std::string_view name;
  int minor;
};
constexpr Since kSysctls[] = {
    {"kernel.shm_rmid_forced", 0},
    {"net.ipv4.ip_local_port_range", 0},
    {"net.ipv4.tcp_syncookies", 0},
    {"net.ipv4.ping_group_range", 0},
    {"net.ipv4.ip_unprivileged_port_start", 0},
    {"net.ipv4.ip_local_reserved_ports", 27},
    {"net.ipv4.tcp_keepalive_time", 29},
    {"net.ipv4.tcp_fin_timeout", 29},
    {"net.ipv4.tcp_keepalive_intvl", 29},
    {"net.ipv4.tcp_keepalive_probes", 29},
    {"net.ipv4.tcp_rmem", 32},
    {"net.ipv4.tcp_wmem", 32},
};
constexpr Since kSelinuxTypes[] = {
    {"", 0}, {"container_t", 0}, {"container_init_t", 0}, {"container_kvm_t", 0}, {"container_engine_t", 31}};

template <size_t N>
bool is_known(const Since (&table)[N], std::string_view name, int minor) {
  return std::any_of(std::begin(table), std::end(table),
                     [&](const Since& entry) { return entry.name == name && minor >= entry.minor; });
}

// Who set the profile at `path` to a type that is not allowed, and to what.
struct BadTypes {
  bool pod = false;
  Names containers;
  NameSet types;
};

template <class Allowed>
BadTypes bad_types(const PodUnderCheck& pod, std::string_view profile, Allowed allowed) {
  BadTypes bad;
  auto judge = [&](const Value* found) {
    if (found == nullptr || allowed(found->at("type"))) return false;
    bad.types.emplace(found->at("type").as_string());
    return true;
  };
  bad.pod = judge(pod.pod_context({profile}));
  for (const Value* container : pod.containers) {
    if (judge(container_context(*container, {profile}))) bad.containers.push_back(name_of_container(*container));
  }
  return bad;
}

bool is_allowed_seccomp_annotation(std::string_view text) {
  return text == "runtime/default" || text == "docker/default" || text.starts_with("localhost/");
}

// Before 1.19 the profile was in annotations.
Finding check_seccomp_annotations(const PodUnderCheck& pod) {
  NameSet forbidden;
  auto judge = [&](const std::string& name) {
    const Value* text = pod.metadata.find({"annotations", name});
    if (text == nullptr || is_allowed_seccomp_annotation(text->as_string())) return;
    forbidden.insert(fmt::format("{}=\"{}\"", name, text->as_string()));
  };
  judge(std::string(kSeccompPodAnnotation));
  for (const Value* container : pod.containers) {
    judge(std::string(kSeccompContainerAnnotation) + name_of_container(*container));
  }
  if (forbidden.empty()) return {};
  return Violation{"seccompProfile",
                   fmt::format("forbidden {} {}", counted(forbidden.size(), "annotation", "annotations"),
                               fmt::join(forbidden, ", "))};
}

void collect_hosts(const Value& handler, NameSet& hosts) {
  for (std::string_view kind : {"httpGet", "tcpSocket"}) {
    std::string_view host = handler.at({kind, "host"}).as_string();
    if (!host.empty()) hosts.emplace(host);
  }
}

}  // namespace

bool is_allowed_seccomp(const Value& type) {
  return type.as_string() == "Localhost" || type.as_string() == "RuntimeDefault";
}

Finding check_apparmor(const PodUnderCheck& pod, int) {
  BadTypes bad = bad_types(pod, "appArmorProfile", [](const Value& type) {
    return type.as_string() == "RuntimeDefault" || type.as_string() == "Localhost";
  });
  NameSet annotations;
  for (const object::Member& annotation : pod.metadata.at("annotations").members()) {
    std::string_view text = annotation.value.as_string();
    if (!annotation.name().starts_with(kAppArmorAnnotation)) continue;
    if (text.empty() || text == "runtime/default" || text.starts_with("localhost/")) continue;
    annotations.insert(fmt::format("{}=\"{}\"", annotation.name(), text));
  }
  Names setters;
  if (bad.pod || !bad.containers.empty()) setters.push_back(setters_text(bad.pod, bad.containers));
  Names values(bad.types.begin(), bad.types.end());
  if (!annotations.empty()) {
    setters.emplace_back(counted(annotations.size(), "annotation", "annotations"));
    values.insert(values.end(), annotations.begin(), annotations.end());
  }
  if (setters.empty()) return {};
  return Violation{
      std::string(counted(values.size(), "forbidden AppArmor profile", "forbidden AppArmor profiles")),
      fmt::format("{} must not set AppArmor profile type to {}", joined(setters, " and "), quoted(values))};
}

Finding check_added_capabilities(const PodUnderCheck& pod, int) {
  Names bad;
  NameSet forbidden;
  for (const Value* container : pod.containers) {
    bool valid = true;
    const Value* added = container_context(*container, {"capabilities", "add"});
    if (added == nullptr) continue;
    for (const Value& name : added->items()) {
      if (std::find(std::begin(kCapabilities), std::end(kCapabilities), name.as_string()) != std::end(kCapabilities)) {
        continue;
      }
      valid = false;
      forbidden.emplace(name.as_string());
    }
    if (!valid) bad.push_back(name_of_container(*container));
  }
  if (bad.empty()) return {};
  return Violation{"non-default capabilities", fmt::format("{} must not include {} in securityContext.capabilities.add",
                                                           containers_text(bad), quoted(forbidden))};
}

Finding check_host_namespaces(const PodUnderCheck& pod, int) {
  Names shared;
  for (std::string_view name : {"hostNetwork", "hostPID", "hostIPC"}) {
    if (pod.spec.at(name).as_bool()) shared.push_back(std::string(name) + "=true");
  }
  if (shared.empty()) return {};
  return Violation{"host namespaces", joined(shared, ", ")};
}

Finding check_host_path_volumes(const PodUnderCheck& pod, int) {
  Names volumes;
  for (const Value& volume : pod.spec.at("volumes").items()) {
    if (volume.find("hostPath") != nullptr) volumes.emplace_back(volume.at("name").as_string());
  }
  if (volumes.empty()) return {};
  return Violation{"hostPath volumes",
                   fmt::format("{} {}", counted(volumes.size(), "volume", "volumes"), quoted(volumes))};
}

Finding check_host_ports(const PodUnderCheck& pod, int) {
  Names bad;
  NameSet ports;
  for (const Value* container : pod.containers) {
    bool valid = true;
    for (const Value& port : container->at("ports").items()) {
      if (port.at("hostPort").as_int() == 0) continue;
      valid = false;
      ports.insert(std::to_string(port.at("hostPort").as_int()));
    }
    if (!valid) bad.push_back(name_of_container(*container));
  }
  if (bad.empty()) return {};
  return Violation{"hostPort", fmt::format("{} {} {} {}", containers_text(bad), counted(bad.size(), "uses", "use"),
                                           counted(ports.size(), "hostPort", "hostPorts"), fmt::join(ports, ", "))};
}

Finding check_probe_hosts(const PodUnderCheck& pod, int minor) {
  if (minor < 34) return {};
  NameSet bad;
  NameSet forbidden;
  for (const Value* container : pod.containers) {
    NameSet hosts;
    for (std::string_view probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
      collect_hosts(container->at(probe), hosts);
    }
    for (std::string_view hook : {"postStart", "preStop"}) collect_hosts(container->at({"lifecycle", hook}), hosts);
    if (!hosts.empty()) bad.insert(name_of_container(*container));
    forbidden.merge(hosts);
  }
  if (bad.empty()) return {};
  return Violation{
      "probe or lifecycle host",
      fmt::format("{} {} {} {}", containers_text({bad.begin(), bad.end()}), counted(bad.size(), "uses", "use"),
                  counted(forbidden.size(), "probe or lifecycle host", "probe or lifecycle hosts"), quoted(forbidden))};
}

Finding check_privileged(const PodUnderCheck& pod, int) {
  Names bad;
  for (const Value* container : pod.containers) {
    const Value* privileged = container_context(*container, {"privileged"});
    if (privileged != nullptr && privileged->as_bool()) bad.push_back(name_of_container(*container));
  }
  if (bad.empty()) return {};
  return Violation{"privileged", fmt::format("{} must not set securityContext.privileged=true", containers_text(bad))};
}

Finding check_proc_mount(const PodUnderCheck& pod, bool lenient) {
  if (lenient && pod.in_own_user_namespace()) return {};
  Names bad;
  NameSet kinds;
  for (const Value* container : pod.containers) {
    const Value* mount = container_context(*container, {"procMount"});
    if (mount == nullptr || mount->as_string() == "Default") continue;
    bad.push_back(name_of_container(*container));
    kinds.emplace(mount->as_string());
  }
  if (bad.empty()) return {};
  return Violation{"procMount",
                   fmt::format("{} must not set securityContext.procMount to {}", containers_text(bad), quoted(kinds))};
}

Finding check_selinux(const PodUnderCheck& pod, int minor) {
  NameSet types;
  bool user = false;
  bool role = false;
  auto judge = [&](const Value* options) {
    if (options == nullptr) return false;
    std::string_view type = options->at("type").as_string();
    bool bad_type = !is_known(kSelinuxTypes, type, minor);
    bool sets_user = !options->at("user").as_string().empty();
    bool sets_role = !options->at("role").as_string().empty();
    if (bad_type) types.emplace(type);
    user = user || sets_user;
    role = role || sets_role;
    return bad_type || sets_user || sets_role;
  };
  bool bad_pod = judge(pod.pod_context({"seLinuxOptions"}));
  Names bad;
  for (const Value* container : pod.containers) {
    if (judge(container_context(*container, {"seLinuxOptions"}))) bad.push_back(name_of_container(*container));
  }
  if (!bad_pod && bad.empty()) return {};
  Names what;
  if (!types.empty()) what.push_back(fmt::format("{} {}", counted(types.size(), "type", "types"), quoted(types)));
  if (user) what.emplace_back("user may not be set");
  if (role) what.emplace_back("role may not be set");
  return Violation{"seLinuxOptions", fmt::format("{} set forbidden securityContext.seLinuxOptions: {}",
                                                 setters_text(bad_pod, bad), joined(what, "; "))};
}

Finding check_seccomp(const PodUnderCheck& pod, int minor) {
  if (minor < 19) return check_seccomp_annotations(pod);
  BadTypes bad = bad_types(pod, "seccompProfile", is_allowed_seccomp);
  if (!bad.pod && bad.containers.empty()) return {};
  return Violation{"seccompProfile", fmt::format("{} must not set securityContext.seccompProfile.type to {}",
                                                 setters_text(bad.pod, bad.containers), quoted(bad.types))};
}

Finding check_sysctls(const PodUnderCheck& pod, int minor) {
  Names forbidden;
  for (const Value& sysctl : pod.spec.at({"securityContext", "sysctls"}).items()) {
    std::string_view name = sysctl.at("name").as_string();
    if (!is_known(kSysctls, name, minor)) forbidden.emplace_back(name);
  }
  if (forbidden.empty()) return {};
  return Violation{"forbidden sysctls", joined(forbidden, ", ")};
}

Finding check_windows_host_process(const PodUnderCheck& pod, int) {
  auto sets = [](const Value* found) { return found != nullptr && found->as_bool(); };
  bool bad_pod = sets(pod.pod_context({"windowsOptions", "hostProcess"}));
  Names bad;
  for (const Value* container : pod.containers) {
    if (sets(container_context(*container, {"windowsOptions", "hostProcess"}))) {
      bad.push_back(name_of_container(*container));
    }
  }
  if (!bad_pod && bad.empty()) return {};
  return Violation{"hostProcess", fmt::format("{} must not set securityContext.windowsOptions.hostProcess=true",
                                              setters_text(bad_pod, bad))};
}

}  // namespace stead::kinds
