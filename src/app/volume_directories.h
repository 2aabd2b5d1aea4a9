#pragma once

#include <string>

#include "controllers/volumes/local_provisioner.h"
#include "loop/loop.h"

namespace stead::app {

// Directories of local volumes below one folder of this machine (0777, as claims are for any user). Removal of large
// trees runs on the pool. What is not below the folder is never touched.
class LocalVolumeDirectories final : public controllers::VolumeDirectories {
 public:
  // `loop` is the provisioner's. References outlive this.
  LocalVolumeDirectories(std::string root, loop::Loop& loop, loop::WorkerPool& pool)
      : root_(std::move(root)), loop_(loop), pool_(pool) {}

  void create(const std::string& volume, const std::string& node,
              std::function<void(Result<std::string> path)> done) override;
  void remove(const std::string& volume, const std::string& path, std::function<void(Result<void>)> done) override;

 private:
  const std::string root_;
  loop::Loop& loop_;
  loop::WorkerPool& pool_;
};

}  // namespace stead::app
