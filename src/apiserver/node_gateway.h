#pragma once

#include <string>

#include "http/http.h"

namespace stead::apiserver {

// The way to a node's kubelet paths (/containerLogs/…, /exec/…, /portForward/…), declared by its only caller. The
// app joins it to the node part in this process, or to an agent's HTTPS port.
class NodeGateway {
 public:
  virtual ~NodeGateway() = default;
  // Answers `exchange` with what the node says to `target`. API loop. A node that is not there answers 503.
  virtual void forward(const std::string& node, const http::ExchangePtr& exchange, const std::string& target) = 0;
};

}  // namespace stead::apiserver
