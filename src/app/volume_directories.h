#pragma once

// Directories of local volumes: on this machine, and, over its kubelet port, on any node.
//
//   LocalProvisioner ─▶ ClusterVolumeDirectories ─┬─ a node of this process ─▶ files
//                                                 └─ PUT, DELETE /volumes/NAME ─▶ serve_volume() on the agent ─▶ files

#include <memory>
#include <string>

#include "app/node_gateway.h"
#include "client/informer.h"
#include "controllers/volumes/local_provisioner.h"
#include "http/async_client.h"
#include "loop/asio_loop.h"

namespace stead::app {

// Makes the directory <root>/<volume> (0777, as claims are for any user) and gives its path; removes one with all that
// is in it. Both succeed when there is nothing left to do; what is not right below `root` is never touched. Blocking.
Result<std::string> make_volume_directory(const std::string& root, const std::string& volume);
Result<void> remove_volume_directory(const std::string& root, const std::string& path);

inline constexpr char kVolumesPath[] = "/volumes/";  // of the kubelet's port

// Answers a request below kVolumesPath: PUT makes the directory and tells its path, DELETE removes it. On the
// exchange's loop; the work is done on `pool`, which outlives it.
void serve_volume(const http::ExchangePtr& exchange, const std::string& root, loop::WorkerPool& pool);

class ClusterVolumeDirectories final : public controllers::VolumeDirectories {
 public:
  // `loop` is the provisioner's and that of `nodes`, which tells where nodes are. References outlive this.
  ClusterVolumeDirectories(std::string root, loop::AsioLoop& loop, loop::WorkerPool& pool, client::Informer& nodes,
                           const ClusterNodeGateway& gateway)
      : root_(std::move(root)), loop_(loop), pool_(pool), nodes_(nodes), gateway_(gateway) {}

  void create(const std::string& volume, const std::string& node,
              std::function<void(Result<std::string> path)> done) override;
  void remove(const std::string& volume, const std::string& node, const std::string& path,
              std::function<void(Result<void>)> done) override;

 private:
  void ask(const std::string& method, const std::string& volume, const std::string& node,
           std::function<void(Result<std::string>)> done);

  const std::string root_;
  loop::AsioLoop& loop_;
  loop::WorkerPool& pool_;
  client::Informer& nodes_;
  const ClusterNodeGateway& gateway_;
};

}  // namespace stead::app
