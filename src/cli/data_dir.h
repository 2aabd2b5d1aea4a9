#pragma once

// What lies where under the data directory. Everything Stead keeps on a machine is in it.
//
//   <data-dir>/                     0700
//     lock                          held by the running `stead up`, `server` or `agent`; holds its pid
//     kubeconfig                    0600, for people: system:masters
//     store.db, store.db-wal        all objects
//     pki/ca.{crt,key}              the cluster's CA
//     pki/server.{crt,key}          the API's and the node's serving certificate
//     pki/admin.{crt,key}           the kubeconfig's client certificate
//     pki/kubelet-client.{crt,key}  with which the API server speaks to nodes
//     pki/node.{crt,key}            an agent's certificate, of the user system:node:NAME; pki/ca.crt is the server's CA
//     pki/node-serving.{crt,key}    an agent's certificate of the kubelet's port
//     cluster.json                  what an agent has been told of the cluster
//     pki/service-accounts.key      signs service accounts' tokens
//     pki/encryption.keys           encrypts Secrets at rest: a line "NAME BASE64" per key, the first encrypts
//     containerd/                   the private containerd (config, root, state, socket, log)
//     ingress/                      HAProxy's configuration, certificates, sockets and log, once there is an Ingress
//     pods/, pod-logs/, volumes/    what pods use

#include <string>

#include "base/result.h"

namespace stead::cli {

class DataDir {
 public:
  // Creates the directory (0700) if it is missing. kInvalid with the path where it cannot be used.
  static Result<DataDir> open(const std::string& path);

  // Takes the lock until this process ends. kConflict, naming the holder's pid, if another stead runs on it.
  Result<void> lock();
  // The pid that holds the lock; 0 if nobody.
  int lock_holder() const;

  const std::string& root() const { return root_; }
  std::string path(const std::string& relative) const { return root_ + "/" + relative; }

 private:
  explicit DataDir(std::string root) : root_(std::move(root)) {}
  std::string root_;
};

// Whole files, written through a temporary name, so that a reader sees the old or the new one. fsynced.
Result<void> write_file(const std::string& path, const std::string& content, int mode);
Result<std::string> read_file(const std::string& path);

}  // namespace stead::cli
