#include "node/runtime/containerd_config.h"

#include <fmt/format.h>

namespace stead::node {

namespace {

// A TOML basic string.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// Snapshotters of other file systems probe the machine at start; the rest is not ours.
constexpr char kDisabledPlugins[] = R"([
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.native",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.restart",
  "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp",
])";

}  // namespace

std::string containerd_config(const ContainerdLayout& layout, const ContainerdConfigOptions& options) {
  return fmt::format(R"(version = 2
root = {root}
state = {state}
disabled_plugins = {disabled}

[grpc]
  address = {socket}

[debug]
  level = "warn"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = {image}
  restrict_oom_score_adj = {restrict_oom}
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  max_container_log_line_size = 16384
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = {cni_bin}
    conf_dir = {cni_conf}
    max_conf_num = 1
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
)",
                     fmt::arg("root", quoted(layout.root)), fmt::arg("state", quoted(layout.state)),
                     fmt::arg("disabled", kDisabledPlugins), fmt::arg("socket", quoted(layout.socket)),
                     fmt::arg("image", quoted(options.sandbox_image)),
                     fmt::arg("restrict_oom", options.restrict_oom_score_adj),
                     fmt::arg("cni_bin", quoted(options.cni_bin_dir)), fmt::arg("cni_conf", quoted(layout.cni_conf)));
}

}  // namespace stead::node
