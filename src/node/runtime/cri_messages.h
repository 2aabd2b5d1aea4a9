#pragma once

// Our words to CRI's messages and back. Pure. Included by .cc files only.

#include "cri.pb.h"
#include "node/runtime/runtime.h"

namespace stead::node {

runtime::v1::PodSandboxConfig sandbox_message(const SandboxConfig& config);
runtime::v1::ContainerConfig container_message(const ContainerConfig& config);
runtime::v1::LinuxContainerResources resources_message(const Resources& resources);

SandboxInfo sandbox_info(const runtime::v1::PodSandbox& message);
SandboxStatus sandbox_status(const runtime::v1::PodSandboxStatus& message);
ContainerInfo container_info(const runtime::v1::Container& message);
ContainerStatus container_status(const runtime::v1::ContainerStatus& message);
ImageInfo image_info(const runtime::v1::Image& message);
ContainerUsage container_usage(const runtime::v1::ContainerStats& message);
// stdout, then stderr, cut at 16 KiB.
ExecResult exec_result(const runtime::v1::ExecSyncResponse& message);

}  // namespace stead::node
