#pragma once

// What the parts of one node share. All references outlive the node and the work it has put on the pool.

#include "client/event_recorder.h"
#include "client/transport.h"
#include "loop/loop.h"
#include "node/background.h"
#include "node/images/image_puller.h"
#include "node/node_files.h"
#include "node/node_options.h"
#include "node/object_source.h"
#include "node/probes/handler.h"
#include "node/runtime/runtime.h"

namespace stead::node {

struct NodeContext {
  client::ApiTransport& transport;
  loop::Loop& loop;
  loop::WorkerPool& pool;
  ContainerRuntime& runtime;
  NodeFiles& files;
  Dialer& dialer;
  client::EventRecorder& events;
  ObjectSource& objects;
  ImagePuller& images;
  const NodeOptions& options;
};

}  // namespace stead::node
