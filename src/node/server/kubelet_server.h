#pragma once

// KubeletServer: answers the kubelet's HTTP paths. Lives on the node's loop, where it looks pods up; blocking work goes
// to the pool; exchanges are answered on their own loop.

#include <map>
#include <memory>
#include <string>

#include "http/http.h"
#include "node/logs/log_stream.h"
#include "node/node_context.h"
#include "node/server/target.h"

namespace stead::node {

class PodWorker;

// Where the server finds pods.
class PodDirectory {
 public:
  virtual ~PodDirectory() = default;
  // The newest pod of that name; null: there is none here.
  virtual const PodWorker* find_pod(const std::string& ns, const std::string& name) const = 0;
};

class KubeletServer {
 public:
  // `pods` outlives the server.
  KubeletServer(const NodeContext& context, const PodDirectory& pods);
  // Streams begun end by themselves; they use nothing of the node any more.
  ~KubeletServer();

  // Answers `exchange`, later. On the node's loop.
  void serve(const http::ExchangePtr& exchange, const KubeletTarget& target);
  // Followers of the container's log see whether it has ended; empty: all of them.
  void container_changed(const std::string& container_id);

 private:
  Result<void> begin(const http::ExchangePtr& exchange, const KubeletTarget& target);
  Result<void> begin_logs(const http::ExchangePtr& exchange, const KubeletTarget& target, const PodWorker& pod);
  Result<void> begin_relay(const http::ExchangePtr& exchange, const KubeletTarget& target, const PodWorker& pod);
  void answer_usage(const http::ExchangePtr& exchange, KubeletTarget::Kind kind);

  NodeContext context_;
  const PodDirectory& pods_;
  const std::shared_ptr<StreamScope> scope_;
  std::multimap<std::string, std::weak_ptr<LogStream>> followers_;  // by container id
};

}  // namespace stead::node
