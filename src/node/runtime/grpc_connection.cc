#include "node/runtime/grpc_connection.h"

#include <grpcpp/resource_quota.h>

namespace stead::node {

namespace {

// CRI answers with up to 16 MiB (ExecSync output); one more for the frame around it.
constexpr int kMessageBytesMax = 17 << 20;

Reason reason_of(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::NOT_FOUND:
      return Reason::kNotFound;
    case grpc::StatusCode::ALREADY_EXISTS:
      return Reason::kAlreadyExists;
    case grpc::StatusCode::UNAVAILABLE:
      return Reason::kUnavailable;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return Reason::kTimeout;
    case grpc::StatusCode::INVALID_ARGUMENT:
      return Reason::kBadRequest;
    case grpc::StatusCode::PERMISSION_DENIED:
      return Reason::kForbidden;
    case grpc::StatusCode::UNIMPLEMENTED:
      return Reason::kNotImplemented;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return Reason::kTooManyRequests;
    default:
      return Reason::kInternal;
  }
}

}  // namespace

grpc::ChannelArguments channel_arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  arguments.SetMaxSendMessageSize(kMessageBytesMax);
  // Go's gRPC server refuses the escaped socket path that would be sent as :authority otherwise.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  // gRPC's name for the least time that one attempt to connect gets, handshake included.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  grpc::ResourceQuota quota("stead-runtime");
  quota.Resize(64 << 20);
  quota.SetMaxThreads(8);
  arguments.SetResourceQuota(quota);
  return arguments;
}

std::shared_ptr<grpc::Channel> open_channel(const std::string& socket_path) {
  return grpc::CreateCustomChannel("unix:" + socket_path, grpc::InsecureChannelCredentials(), channel_arguments());
}

Error grpc_error(const grpc::Status& status, const std::string& call) {
  return make_error(reason_of(status.error_code()), call + ": " + status.error_message());
}

}  // namespace stead::node
