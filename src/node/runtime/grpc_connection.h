#pragma once

// How this folder speaks gRPC: one channel per socket, deadlines on every call, statuses as Errors.
// Included by .cc files only (gRPC's headers are heavy).

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"

namespace stead::node {

// Header that selects containerd's namespace; CRI keeps everything in this one.
inline constexpr char kContainerdNamespaceHeader[] = "containerd-namespace";
inline constexpr char kContainerdNamespace[] = "k8s.io";

// What every channel of this folder is made with: limits, and the name that Go's servers accept.
grpc::ChannelArguments channel_arguments();

// A channel to a unix socket. Connects with the first call; reconnects by itself with a back-off of 20 ms to 1 s.
// Thread-safe.
std::shared_ptr<grpc::Channel> open_channel(const std::string& socket_path);

// "<call>: <message>" with the Reason that fits the code.
Error grpc_error(const grpc::Status& status, const std::string& call);

// A blocking unary call: `method` is a stub's member function. A timeout of zero means no deadline.
template <class Stub, class Request, class Response>
Result<Response> call_unary(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                            const Request& request, std::chrono::milliseconds timeout, const std::string& name,
                            const std::multimap<std::string, std::string>& headers = {}) {
  grpc::ClientContext context;
  for (const auto& [key, value] : headers) context.AddMetadata(key, value);
  if (timeout.count() > 0) context.set_deadline(std::chrono::system_clock::now() + timeout);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return grpc_error(status, name);
  return response;
}

}  // namespace stead::node
