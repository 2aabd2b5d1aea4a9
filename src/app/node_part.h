#pragma once

// The node part of this machine on its own loop and thread, with its container runtime, its kubelet port and its range
// of the pod addresses, joined.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "app/api_access.h"
#include "app/node_gateway.h"
#include "http/server.h"
#include "loop/asio_loop.h"
#include "node/node.h"

namespace stead::app {

struct NodePartOptions {
  node::NodeOptions node;
  // Serves the kubelet's paths on node_ip:kubelet_port to clients with a certificate of the CA that names the API
  // server (kKubeletClient) or a member of system:masters. An empty certificate: not served before use_kubelet_tls().
  http::TlsFiles kubelet_tls;
  // Called on a worker thread with the node's range whenever the API tells a new one: configures the pods' network.
  std::function<Result<void>(const std::string& pod_range)> use_pod_range;
};

// The common name of the certificate with which the API server speaks to nodes.
inline constexpr char kKubeletClient[] = "kube-apiserver-kubelet-client";

class NodePart {
 public:
  // `access` outlives this; `gateway` too, where there is one: it is told of the node. kUnavailable: the kubelet port
  // cannot be bound.
  static Result<std::unique_ptr<NodePart>> start(ApiAccess& access, ClusterNodeGateway* gateway,
                                                 std::unique_ptr<node::ContainerRuntime> runtime,
                                                 NodePartOptions options);
  // Ends watching; pods live on.
  ~NodePart();

  // Blocks until the API has the word of this node part that the node is Ready; false after `limit`.
  bool wait_ready(std::chrono::seconds limit);
  // A certificate of the kubelet port, the first or a renewed one. Any thread.
  void use_kubelet_tls(const http::TlsFiles& tls);

 private:
  struct Parts;
  explicit NodePart(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace stead::app
