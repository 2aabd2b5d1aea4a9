#pragma once

// Serves claims of classes whose provisioner is `stead.dev/local` with one directory each. One loop.

#include <functional>

#include "client/event_recorder.h"
#include "client/informer_set.h"
#include "client/work_queue.h"

namespace stead::controllers {

// Makes and removes the directories of volumes on the nodes named; the application implements it. Both may block
// elsewhere and must call `done` exactly once, later, on the provisioner's loop. Both succeed when there is nothing
// left to do. kUnavailable: the node cannot be reached now.
class VolumeDirectories {
 public:
  virtual ~VolumeDirectories() = default;
  // `done` gets the absolute path of the directory for the volume.
  virtual void create(const std::string& volume, const std::string& node,
                      std::function<void(Result<std::string> path)> done) = 0;
  virtual void remove(const std::string& volume, const std::string& node, const std::string& path,
                      std::function<void(Result<void>)> done) = 0;
};

class LocalProvisioner {
 public:
  // All references outlive this. Before informers.start().
  LocalProvisioner(client::ApiTransport& transport, loop::Loop& loop, client::EventRecorder& events,
                   client::InformerSet& informers, VolumeDirectories& directories);
  // Also makes the storage class `standard` if there is none of that name.
  void start();

 private:
  void create_standard_class();
  client::ObjectPtr node_for(const object::Object& claim) const;
  std::string node_of(const object::Object& volume) const;
  void provision(const std::string& key, client::WorkQueue::Finish finish);
  void store_volume(const client::ObjectPtr& claim, object::Value volume, client::WorkQueue::Finish finish);
  void remove(const std::string& key, client::WorkQueue::Finish finish);

  client::ApiTransport& transport_;
  client::EventRecorder& events_;
  client::InformerSet& informers_;
  VolumeDirectories& directories_;
  client::Informer& claims_;
  client::Informer& volumes_;
  client::Informer& classes_;
  client::Informer& nodes_;
  client::WorkQueue claim_queue_;
  client::WorkQueue volume_queue_;
};

}  // namespace stead::controllers
