#pragma once

// Probe and lifecycle handlers: exec, httpGet, tcpSocket, grpc, sleep. Reading is pure; running blocks and is done
// on worker threads. The network is behind Dialer so that simulated nodes need none.

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "node/runtime/runtime.h"
#include "object/value.h"

namespace stead::node {

struct Handler {
  enum class Kind : uint8_t { kNone, kExec, kHttp, kTcp, kGrpc, kSleep } kind = Kind::kNone;
  std::vector<std::string> command;
  bool tls = false;
  std::string host;  // empty: the pod's address
  uint16_t port = 0;
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string service;  // grpc
  std::chrono::seconds sleep{0};
};

// Named ports are looked up in `container`. kInvalid for ports that do not exist.
Result<Handler> read_handler(const object::Value& handler, const object::Value& container);

struct HandlerAnswer {
  bool success = false;
  std::string output;  // what an Unhealthy event shows
};

class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual HandlerAnswer http_get(const Handler& handler, const std::string& host,
                                 std::chrono::milliseconds timeout) = 0;
  virtual HandlerAnswer tcp_connect(const std::string& host, uint16_t port, std::chrono::milliseconds timeout) = 0;
  virtual HandlerAnswer grpc_check(const Handler& handler, const std::string& host,
                                   std::chrono::milliseconds timeout) = 0;
};

std::unique_ptr<Dialer> make_network_dialer();

// Answers every call with success.
class AgreeableDialer final : public Dialer {
 public:
  HandlerAnswer http_get(const Handler&, const std::string&, std::chrono::milliseconds) override { return {true, ""}; }
  HandlerAnswer tcp_connect(const std::string&, uint16_t, std::chrono::milliseconds) override { return {true, ""}; }
  HandlerAnswer grpc_check(const Handler&, const std::string&, std::chrono::milliseconds) override {
    return {true, ""};
  }
};

// kSleep and kNone succeed at once: waiting is the caller's business.
HandlerAnswer run_handler(const Handler& handler, const std::string& container_id, const std::string& pod_ip,
                          std::chrono::milliseconds timeout, ContainerRuntime& runtime, Dialer& dialer);

}  // namespace stead::node
