#include "node/probes/grpc_check.h"

#include <gmock/gmock.h>
#include <grpcpp/server_builder.h>

#include "grpc_health.grpc.pb.h"

namespace stead::node {
namespace {

namespace health = ::grpc::health::v1;
using testing::HasSubstr;

constexpr std::chrono::seconds kTimeout{5};

class HealthServer final : public health::Health::Service {
 public:
  grpc::Status Check(grpc::ServerContext* context, const health::HealthCheckRequest* request,
                     health::HealthCheckResponse* response) override {
    if (request->service() == "silent") {
      while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (request->service() == "unknown") return {grpc::StatusCode::NOT_FOUND, "unknown service"};
    response->set_status(request->service() == "down" ? health::HealthCheckResponse::NOT_SERVING
                                                      : health::HealthCheckResponse::SERVING);
    return grpc::Status::OK;
  }
};

// A server on loopback.
struct RunningServer {
  explicit RunningServer(grpc::Service& service) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    server = builder.BuildAndStart();
  }

  HandlerAnswer check(const std::string& service, std::chrono::milliseconds timeout = kTimeout) const {
    Handler handler;
    handler.kind = Handler::Kind::kGrpc;
    handler.port = static_cast<uint16_t>(port);
    handler.service = service;
    return grpc_check(handler, "127.0.0.1", timeout);
  }

  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

TEST(GrpcCheckTest, OnlyServingIsHealthy) {
  HealthServer service;
  RunningServer server(service);
  EXPECT_TRUE(server.check("").success);
  EXPECT_TRUE(server.check("db").success);
  HandlerAnswer down = server.check("down");
  EXPECT_FALSE(down.success);
  EXPECT_EQ(down.output, "service unhealthy (responded with \"NOT_SERVING\")");
  HandlerAnswer unknown = server.check("unknown");
  EXPECT_FALSE(unknown.success);
  EXPECT_THAT(unknown.output, HasSubstr("unknown service"));
}

TEST(GrpcCheckTest, SilenceEndsWithTheTimeout) {
  HealthServer service;
  RunningServer server(service);
  HandlerAnswer silent = server.check("silent", std::chrono::milliseconds(1000));
  EXPECT_FALSE(silent.success);
  EXPECT_THAT(silent.output, HasSubstr("within 1s"));
}

TEST(GrpcCheckTest, AServerWithoutHealthIsNamedSo) {
  health::Health::Service nothing;
  RunningServer server(nothing);
  HandlerAnswer answer = server.check("");
  EXPECT_FALSE(answer.success);
  EXPECT_THAT(answer.output, HasSubstr("does not implement the grpc health protocol"));
}

TEST(GrpcCheckTest, NobodyThere) {
  int port = 0;
  {
    HealthServer service;
    RunningServer server(service);
    port = server.port;
  }
  Handler handler;
  handler.port = static_cast<uint16_t>(port);
  HandlerAnswer answer = grpc_check(handler, "127.0.0.1", kTimeout);
  EXPECT_FALSE(answer.success);
  EXPECT_THAT(answer.output, HasSubstr("failed to connect"));
}

}  // namespace
}  // namespace stead::node
