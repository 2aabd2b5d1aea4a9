#pragma once

// From a pod's document to what the container runtime is told: sandbox and container configurations. Pure; the
// parts that need files (subPath) are listed for the caller to resolve.

#include <string>
#include <vector>

#include "base/result.h"
#include "node/containers/environment.h"
#include "node/containers/pod_names.h"
#include "node/node_options.h"
#include "node/paths.h"
#include "node/runtime/runtime.h"
#include "node/volumes/volume_policy.h"

namespace stead::node {

// Labels and annotations by which containers are found again after a restart (the kubelet's own names).
inline constexpr char kLabelPodName[] = "io.kubernetes.pod.name";
inline constexpr char kLabelPodNamespace[] = "io.kubernetes.pod.namespace";
inline constexpr char kLabelPodUid[] = "io.kubernetes.pod.uid";
inline constexpr char kLabelContainerName[] = "io.kubernetes.container.name";
inline constexpr char kAnnotationHash[] = "io.kubernetes.container.hash";
inline constexpr char kAnnotationRestartCount[] = "io.kubernetes.container.restartCount";
inline constexpr char kAnnotationGrace[] = "io.kubernetes.pod.terminationGracePeriod";

Result<SandboxConfig> sandbox_config(const PodShape& shape, const NodeOptions& options, const PodPaths& paths,
                                     uint32_t attempt);

struct ContainerPlan {
  ContainerConfig config;
  struct SubPath {
    size_t mount = 0;  // index of config.mounts, whose host_path is the volume's until resolved
    std::string path;
  };
  std::vector<SubPath> sub_paths;
};

struct ContainerFacts {
  const NodeOptions& options;
  const PodPaths& paths;
  const DownwardFacts& downward;
  const std::vector<VolumePlan>& volumes;
  const Environment& environment;  // of this container, complete
  uint32_t attempt = 0;
  int64_t memory_capacity = 0;
};

// kInvalid where a mount names no volume or subPathExpr cannot be expanded.
Result<ContainerPlan> container_plan(const PodShape& shape, const ContainerShape& container,
                                     const ContainerFacts& facts);

// What the runtime holds a container to, by what is allocated to it.
Resources container_resources(const PodShape& shape, const ContainerShape& container, int64_t memory_capacity);

// runAsNonRoot against what the image says; the message is that of the CreateContainerConfigError.
Result<void> check_non_root(const PodShape& shape, const ContainerShape& container,
                            const std::optional<ImageInfo>& image);

// How the volume is reached on this machine.
std::string volume_path(const VolumePlan& volume, const PodPaths& paths);

}  // namespace stead::node
