#pragma once

// A gRPC connection that outlives this process by some seconds.
//
// containerd cancels the calls of a client that is gone. A start cancelled half-way kills the program that it has
// already begun, and says no more than "StartError": whether the program ran cannot be known, and after kill -9 of
// stead it would be begun a second time. So the connection on which containers are started is also held by a child
// process that does nothing else. When stead ends, however it ends, the child keeps the connection open for kKeptFor,
// or until the runtime closes it: starts under way come to their end, and the next life of stead adopts what they made.
//
// Included by .cc files only (gRPC's headers are heavy).

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "node/runtime/grpc_connection.h"

namespace stead::node {

class KeptConnection {
 public:
  static constexpr std::chrono::seconds kKeptFor{20};

  // Connects with the first use.
  explicit KeptConnection(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  KeptConnection(const KeptConnection&) = delete;
  KeptConnection& operator=(const KeptConnection&) = delete;
  // Calls are over by now: the keeper is told to end at once.
  ~KeptConnection();

  // The channel, connected anew if the runtime had closed it. kUnavailable if nothing listens. Any thread.
  Result<std::shared_ptr<grpc::Channel>> channel();

 private:
  void let_go();

  const std::string socket_path_;
  std::mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_;
  int release_ = -1;  // our end of the keeper's pipe: a byte ends it, a hang-up without one starts its clock
};

}  // namespace stead::node
