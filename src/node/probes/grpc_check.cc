#include "node/probes/grpc_check.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>

#include "grpc_health.grpc.pb.h"

namespace stead::node {
namespace {

namespace health = ::grpc::health::v1;

constexpr int kAnswerBytesMax = 64 * 1024;

// A connection for one call: probes find out whether a new one can be made, too.
std::shared_ptr<grpc::Channel> open(const std::string& host, uint16_t port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetMaxReceiveMessageSize(kAnswerBytesMax);
  arguments.SetUserAgentPrefix("kube-probe/1.35");
  bool is_v6 = host.find(':') != std::string::npos;
  std::string address = fmt::format("{}:{}", is_v6 ? "[" + host + "]" : host, port);
  return grpc::CreateCustomChannel((is_v6 ? "ipv6:" : "ipv4:") + address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

std::string failure_text(const grpc::Status& status, const Handler& handler, const std::string& host,
                         std::chrono::milliseconds timeout) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNIMPLEMENTED:
      return "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): " +
             status.error_message();
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return fmt::format("timeout: health rpc did not complete within {}s", timeout.count() / 1000);
    case grpc::StatusCode::UNAVAILABLE:
      return fmt::format("error: failed to connect service \"{}:{}\": {}", host, handler.port, status.error_message());
    default:
      return "error: health rpc probe failed: " + status.error_message();
  }
}

}  // namespace

HandlerAnswer grpc_check(const Handler& handler, const std::string& host, std::chrono::milliseconds timeout) {
  auto stub = health::Health::NewStub(open(host, handler.port));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  health::HealthCheckRequest request;
  request.set_service(handler.service);
  health::HealthCheckResponse response;
  grpc::Status status = stub->Check(&context, request, &response);
  if (!status.ok()) return {false, failure_text(status, handler, host, timeout)};
  if (response.status() == health::HealthCheckResponse::SERVING) return {true, "service healthy"};
  return {false, fmt::format("service unhealthy (responded with \"{}\")",
                             health::HealthCheckResponse::ServingStatus_Name(response.status()))};
}

}  // namespace stead::node
