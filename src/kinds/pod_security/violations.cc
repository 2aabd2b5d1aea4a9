#include "kinds/pod_security/violations.h"

#include <algorithm>

#include "kinds/pod_security/baseline_checks.h"
#include "kinds/pod_security/restricted_checks.h"

namespace stead::kinds {
namespace {

constexpr int kNewestMinor = 35;

}  // namespace

std::vector<Violation> security_violations(LevelVersion policy, const Value& metadata, const Value& spec) {
  std::vector<Violation> found;
  if (policy.level == SecurityLevel::kPrivileged) return found;
  const PodUnderCheck pod(metadata, spec);
  const int minor = std::min(policy.minor, kNewestMinor);
  const bool restricted = policy.level == SecurityLevel::kRestricted;
  auto add = [&](Finding finding) {
    if (finding) found.push_back(std::move(*finding));
  };
  // Where a check of "restricted" says more of the same, the one of "baseline" is left out.
  add(check_apparmor(pod, minor));
  if (!restricted || minor < 22) add(check_added_capabilities(pod, minor));
  add(check_host_namespaces(pod, minor));
  if (!restricted) add(check_host_path_volumes(pod, minor));
  add(check_host_ports(pod, minor));
  add(check_probe_hosts(pod, minor));
  add(check_privileged(pod, minor));
  if (!restricted || minor < 35) add(check_proc_mount(pod, minor >= 35));
  add(check_selinux(pod, minor));
  if (!restricted || minor < 19) add(check_seccomp(pod, minor));
  add(check_sysctls(pod, minor));
  add(check_windows_host_process(pod, minor));
  if (!restricted) return found;
  add(check_privilege_escalation(pod, minor));
  if (minor >= 22) add(check_dropped_capabilities(pod, minor));
  if (minor >= 35) add(check_proc_mount(pod, false));
  add(check_volume_types(pod, minor));
  add(check_run_as_non_root(pod, minor));
  add(check_run_as_user(pod, minor));
  if (minor >= 19) add(check_seccomp_is_set(pod, minor));
  return found;
}

std::string violations_text(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& violation : violations) {
    if (!text.empty()) text += ", ";
    text += violation.reason;
    if (!violation.detail.empty()) text += " (" + violation.detail + ")";
  }
  return text;
}

std::string violation_reasons(const std::vector<Violation>& violations) {
  Names reasons;
  for (const Violation& violation : violations) reasons.push_back(violation.reason);
  return joined(reasons, ", ");
}

}  // namespace stead::kinds
