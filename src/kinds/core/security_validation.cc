#include "kinds/core/security_validation.h"

#include <algorithm>
#include <set>
#include <string>

namespace stead::kinds {
namespace {

constexpr int64_t kIdMax = 2147483647;
constexpr size_t kProfileBytesMax = 4095;  // a path's
constexpr std::string_view kSpace = " \t\r\n\v\f";

void check_id(const Path& path, const Value* id, FieldErrors& errors) {
  if (id != nullptr) check_range(path, *id, 0, kIdMax, errors);
}

void validate_seccomp(const Path& path, const Value* profile, FieldErrors& errors) {
  if (profile == nullptr) return;
  std::string_view type = profile->at("type").as_string();
  if (type.empty()) {
    errors.required(path.child("type"), "type is required when seccompProfile is set");
  } else {
    check_optional_one_of(path.child("type"), profile->at("type"), {"Localhost", "RuntimeDefault", "Unconfined"},
                          errors);
  }
  const Value* local = profile->find("localhostProfile");
  Path local_path = path.child("localhostProfile");
  if (type == "Localhost") {
    if (local == nullptr) {
      errors.required(local_path, "must be set when seccomp type is Localhost");
    } else {
      check_descending_path(local_path, *local, errors);
    }
  } else if (local != nullptr) {
    errors.invalid(local_path, *profile, "can only be set when seccomp type is Localhost");
  }
}

void validate_app_armor(const Path& path, const Value* profile, FieldErrors& errors) {
  if (profile == nullptr) return;
  std::string_view type = profile->at("type").as_string();
  const Value* local = profile->find("localhostProfile");
  Path local_path = path.child("localhostProfile");
  if (type.empty()) {
    errors.required(path.child("type"), "type is required when appArmorProfile is set");
  } else if (type == "Localhost") {
    if (local == nullptr || local->as_string().empty()) {
      errors.required(local_path, "must be set when AppArmor type is Localhost");
    } else if (kSpace.find(local->as_string().front()) != std::string_view::npos ||
               kSpace.find(local->as_string().back()) != std::string_view::npos) {
      errors.invalid(local_path, *local, "must not be padded with whitespace");
    }
    if (local != nullptr && local->as_string().size() > kProfileBytesMax) {
      errors.too_long(local_path, *local, kProfileBytesMax);
    }
  } else {
    check_optional_one_of(path.child("type"), profile->at("type"), {"Localhost", "RuntimeDefault", "Unconfined"},
                          errors);
    if (local != nullptr) errors.invalid(local_path, *local, "can only be set when AppArmor type is Localhost");
  }
}

// [a-z0-9]([-_a-z0-9]*[a-z0-9])? segments between dots or slashes.
bool is_sysctl_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  char before = '.';
  for (size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    bool separator = c == '.' || c == '/';
    if (!is_alnum(c) && !separator && c != '-' && c != '_') return false;
    bool starts = before == '.' || before == '/';
    if (starts && !is_alnum(c)) return false;
    if (separator && !is_alnum(before)) return false;
    before = c;
  }
  return is_alnum(before);
}

// A setting of a namespace that the pod shares with its node would be the node's.
void check_own_namespace(const Path& path, const Value& name, const Value& spec, FieldErrors& errors) {
  std::string text(name.as_string());
  std::replace(text.begin(), text.end(), '/', '.');
  bool of_net = text.starts_with("net.");
  bool of_ipc = text == "kernel.sem" || text.starts_with("kernel.shm") || text.starts_with("kernel.msg") ||
                text.starts_with("fs.mqueue.");
  if (of_net && spec.at("hostNetwork").as_bool()) {
    errors.invalid(path, name, "may not be specified when 'hostNetwork' is true");
  } else if (of_ipc && spec.at("hostIPC").as_bool()) {
    errors.invalid(path, name, "may not be specified when 'hostIPC' is true");
  }
}

void validate_sysctls(const Path& path, const Value& sysctls, const Value& spec, FieldErrors& errors) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < sysctls.size(); ++i) {
    const Value& name = sysctls.items()[i].at("name");
    Path at = path.index(i);
    if (!check_present(at.child("name"), name, errors)) continue;
    if (!is_sysctl_name(name.as_string())) {
      errors.invalid(at.child("name"), name,
                     "must have at most 253 characters and match regex "
                     "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
    } else if (!seen.insert(name.as_string()).second) {
      errors.duplicate(at.child("name"), name);
    }
    check_own_namespace(at.child("name"), name, spec, errors);
  }
}

bool adds_sys_admin(const Value& context) {
  auto added = context.at({"capabilities", "add"}).items();
  return std::any_of(added.begin(), added.end(),
                     [](const Value& capability) { return capability.as_string() == "CAP_SYS_ADMIN"; });
}

}  // namespace

void validate_pod_security(const Path& path, const Value& context, const Value& spec, FieldErrors& errors) {
  for (std::string_view name : {"fsGroup", "runAsUser", "runAsGroup"}) {
    check_id(path.child(name), context.find(name), errors);
  }
  Path groups_path = path.child("supplementalGroups");
  auto groups = context.at("supplementalGroups").items();
  for (size_t i = 0; i < groups.size(); ++i) check_id(groups_path.index(i), &groups[i], errors);
  if (spec.at("shareProcessNamespace").as_bool() && spec.at("hostPID").as_bool()) {
    errors.invalid(path.child("shareProcessNamespace"), Value(true),
                   "ShareProcessNamespace and HostPID cannot both be enabled");
  }
  validate_sysctls(path.child("sysctls"), context.at("sysctls"), spec, errors);
  check_optional_one_of(path.child("fsGroupChangePolicy"), context.at("fsGroupChangePolicy"),
                        {"Always", "OnRootMismatch"}, errors);
  validate_seccomp(path.child("seccompProfile"), context.find("seccompProfile"), errors);
  validate_app_armor(path.child("appArmorProfile"), context.find("appArmorProfile"), errors);
  check_optional_one_of(path.child("supplementalGroupsPolicy"), context.at("supplementalGroupsPolicy"),
                        {"Merge", "Strict"}, errors);
  check_optional_one_of(path.child("seLinuxChangePolicy"), context.at("seLinuxChangePolicy"),
                        {"MountOption", "Recursive"}, errors);
}

void validate_container_security(const Path& path, const Value& context, const Value& spec, FieldErrors& errors) {
  for (std::string_view name : {"runAsUser", "runAsGroup"}) check_id(path.child(name), context.find(name), errors);
  const Value& mount = context.at("procMount");
  check_optional_one_of(path.child("procMount"), mount, {"Default", "Unmasked"}, errors);
  if (mount.as_string() == "Unmasked" && spec.at("hostUsers").as_bool(true)) {
    errors.invalid(path.child("procMount"), mount, "`hostUsers` must be false to use `Unmasked`");
  }
  validate_seccomp(path.child("seccompProfile"), context.find("seccompProfile"), errors);
  validate_app_armor(path.child("appArmorProfile"), context.find("appArmorProfile"), errors);
  const Value* escalation = context.find("allowPrivilegeEscalation");
  if (escalation == nullptr || escalation->as_bool()) return;
  if (context.at("privileged").as_bool()) {
    errors.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  }
  if (adds_sys_admin(context)) {
    errors.invalid(path, context,
                   "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
}

}  // namespace stead::kinds
