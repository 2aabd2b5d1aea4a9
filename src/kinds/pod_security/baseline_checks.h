#pragma once

// The checks of the level "baseline", each as of the minor version it is given. Pure.

#include "kinds/pod_security/pod_under_check.h"

namespace stead::kinds {

Finding check_apparmor(const PodUnderCheck& pod, int minor);
Finding check_added_capabilities(const PodUnderCheck& pod, int minor);
Finding check_host_namespaces(const PodUnderCheck& pod, int minor);
Finding check_host_path_volumes(const PodUnderCheck& pod, int minor);
Finding check_host_ports(const PodUnderCheck& pod, int minor);
Finding check_probe_hosts(const PodUnderCheck& pod, int minor);
Finding check_privileged(const PodUnderCheck& pod, int minor);
// `lenient`: a pod in a user namespace of its own may have any.
Finding check_proc_mount(const PodUnderCheck& pod, bool lenient);
Finding check_selinux(const PodUnderCheck& pod, int minor);
Finding check_seccomp(const PodUnderCheck& pod, int minor);
Finding check_sysctls(const PodUnderCheck& pod, int minor);
Finding check_windows_host_process(const PodUnderCheck& pod, int minor);

bool is_allowed_seccomp(const Value& type);

}  // namespace stead::kinds
