#include "node/probes/handler.h"

#include <fmt/format.h>

#include "kinds/core/pod_state.h"

namespace stead::node {
namespace {

using object::Value;

Result<uint16_t> read_port(const Value& port, const Value& container) {
  if (auto number = kinds::resolve_container_port(container, port)) return static_cast<uint16_t>(*number);
  std::string name(port.as_string());
  // A number written as text is a number.
  char* end = nullptr;
  long number = std::strtol(name.c_str(), &end, 10);
  if (!name.empty() && *end == '\0' && number > 0 && number < 65536) return static_cast<uint16_t>(number);
  return make_error(Reason::kInvalid, fmt::format("couldn't find port: \"{}\" in container", name));
}

std::string command_text(const std::vector<std::string>& command) { return fmt::format("{}", fmt::join(command, " ")); }

}  // namespace

Result<Handler> read_handler(const Value& handler, const Value& container) {
  Handler result;
  if (const Value* exec = handler.find("exec")) {
    result.kind = Handler::Kind::kExec;
    for (const Value& word : exec->at("command").items()) result.command.emplace_back(word.as_string());
  } else if (const Value* http = handler.find("httpGet")) {
    result.kind = Handler::Kind::kHttp;
    result.tls = http->at("scheme").as_string() == "HTTPS";
    result.host = http->at("host").as_string();
    STEAD_TRY(port, read_port(http->at("port"), container));
    result.port = port;
    if (std::string_view path = http->at("path").as_string(); !path.empty()) result.path = path;
    if (!result.path.starts_with('/')) result.path.insert(0, "/");
    for (const Value& header : http->at("httpHeaders").items()) {
      result.headers.emplace_back(header.at("name").as_string(), header.at("value").as_string());
    }
  } else if (const Value* tcp = handler.find("tcpSocket")) {
    result.kind = Handler::Kind::kTcp;
    result.host = tcp->at("host").as_string();
    STEAD_TRY(port, read_port(tcp->at("port"), container));
    result.port = port;
  } else if (const Value* grpc = handler.find("grpc")) {
    result.kind = Handler::Kind::kGrpc;
    result.port = static_cast<uint16_t>(grpc->at("port").as_int());
    result.service = grpc->at("service").as_string();
  } else if (const Value* sleep = handler.find("sleep")) {
    result.kind = Handler::Kind::kSleep;
    result.sleep = std::chrono::seconds(sleep->at("seconds").as_int());
  }
  return result;
}

HandlerAnswer run_handler(const Handler& handler, const std::string& container_id, const std::string& pod_ip,
                          std::chrono::milliseconds timeout, ContainerRuntime& runtime, Dialer& dialer) {
  const std::string& host = handler.host.empty() ? pod_ip : handler.host;
  switch (handler.kind) {
    case Handler::Kind::kNone:
    case Handler::Kind::kSleep:
      return {true, ""};
    case Handler::Kind::kExec: {
      auto result = runtime.exec_sync(container_id, handler.command, timeout);
      if (!result.ok()) return {false, result.error().message};
      if (result->timed_out) {
        return {false, fmt::format("command timed out: \"{}\" timed out after {}s", command_text(handler.command),
                                   timeout.count() / 1000)};
      }
      return {result->exit_code == 0, std::move(result->output)};
    }
    case Handler::Kind::kHttp:
      return dialer.http_get(handler, host, timeout);
    case Handler::Kind::kTcp:
      return dialer.tcp_connect(host, handler.port, timeout);
    case Handler::Kind::kGrpc:
      return dialer.grpc_check(handler, host, timeout);
  }
  return {};
}

}  // namespace stead::node
