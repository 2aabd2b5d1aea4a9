#pragma once

// The checks that the level "restricted" adds to "baseline", each as of the minor version it is given. Pure.

#include "kinds/pod_security/pod_under_check.h"

namespace stead::kinds {

Finding check_privilege_escalation(const PodUnderCheck& pod, int minor);
Finding check_dropped_capabilities(const PodUnderCheck& pod, int minor);
Finding check_volume_types(const PodUnderCheck& pod, int minor);
Finding check_run_as_non_root(const PodUnderCheck& pod, int minor);
Finding check_run_as_user(const PodUnderCheck& pod, int minor);
Finding check_seccomp_is_set(const PodUnderCheck& pod, int minor);

}  // namespace stead::kinds
