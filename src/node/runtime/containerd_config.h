#pragma once

// containerd's configuration file as text. Pure.

#include <string>

#include "node/runtime/containerd_layout.h"

namespace stead::node {

struct ContainerdConfigOptions {
  std::string cni_bin_dir = "/usr/lib/cni";
  std::string sandbox_image;
  // Without CAP_SYS_RESOURCE nobody can lower an OOM score below containerd's own, and runc would fail to.
  bool restrict_oom_score_adj = false;
};

// config.toml, version 2. Only what CRI on overlayfs with runc needs is enabled.
std::string containerd_config(const ContainerdLayout& layout, const ContainerdConfigOptions& options);

}  // namespace stead::node
