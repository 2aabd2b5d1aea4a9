#pragma once

// Mounting exports of NFS servers with mount(2) alone, as mount.nfs does: the kernel speaks the protocol, but wants the
// server's address among the options and leaves the choice of the version to the caller.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace stead::node {

struct NfsExport {
  std::string server;                // name or address
  std::string path;                  // absolute, on the server
  std::vector<std::string> options;  // as of mount(8): "ro", "nfsvers=4.1", "hard"
  bool read_only = false;
};

// What mounting asks of the system. Blocking; worker threads only.
class MountCalls {
 public:
  virtual ~MountCalls() = default;
  struct Addresses {
    std::string server;
    std::string client;  // ours, as the server sees it
  };
  virtual Result<Addresses> resolve(const std::string& host) = 0;
  // As mount(2); 0 or an errno.
  virtual int mount(const std::string& source, const std::string& target, const std::string& type, unsigned long flags,
                    const std::string& data) = 0;
  // Whether `target` is a mount point.
  virtual bool is_mounted(const std::string& target) = 0;
};
std::unique_ptr<MountCalls> make_system_mount_calls();

// Mounts the export at the directory `target`, unless something is mounted there already. Without a version among the
// options the newest that both sides know is taken: 4.2, 4.1, 4, 3. The error says what to do where that is known, e.g.
// for a kernel without NFS client.
Result<void> mount_nfs(MountCalls& calls, const NfsExport& what, const std::string& target);

}  // namespace stead::node
