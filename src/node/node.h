#pragma once

// Node: the part of Stead that runs pods on one machine. Watches the pods assigned to it, runs each in a PodWorker,
// keeps its Node object and Lease, and serves the kubelet's HTTP paths. After a crash it reads back what the runtime
// holds and takes it over: known pods are adopted without a restart, others are ended.
//
// Lives on `loop`; all blocking work goes to `pool`. Everything passed by reference outlives the Node and the work it
// has put on the pool.

#include <memory>
#include <string>

#include "client/transport.h"
#include "http/http.h"
#include "loop/loop.h"
#include "node/node_files.h"
#include "node/node_options.h"
#include "node/probes/handler.h"
#include "node/runtime/runtime.h"

namespace stead::node {

class Node {
 public:
  Node(client::ApiTransport& transport, loop::Loop& loop, loop::WorkerPool& pool, ContainerRuntime& runtime,
       NodeFiles& files, Dialer& dialer, NodeOptions options);
  // Ends all watching; pods and their containers live on.
  ~Node();

  // On the loop.
  void start();
  // Looks at the runtime again: its network has just been configured. On the loop.
  void refresh();
  // Whether the node has reported itself Ready.
  bool ready() const;
  size_t pods() const;

  // Serves a kubelet path ("/containerLogs/ns/pod/container?follow=true"). Called on the exchange's loop; answers
  // there. 404 for unknown paths, pods and containers.
  void handle(const http::ExchangePtr& exchange, const std::string& target);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace stead::node
