#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "http/client.h"
#include "node/probes/grpc_check.h"
#include "node/probes/handler.h"

namespace stead::node {
namespace {

constexpr size_t kBodyMax = 10 * 1024;  // of an HTTP answer, as the kubelet reads

class NetworkDialer final : public Dialer {
 public:
  HandlerAnswer http_get(const Handler& handler, const std::string& host, std::chrono::milliseconds timeout) override {
    http::ClientOptions options;
    options.host = host;
    options.port = handler.port;
    options.tls = handler.tls;
    options.timeout = std::max(std::chrono::seconds(1), std::chrono::duration_cast<std::chrono::seconds>(timeout));
    http::Headers headers{{"User-Agent", "kube-probe/1.35"}, {"Accept", "*/*"}, {"Connection", "close"}};
    for (const auto& wanted : handler.headers) {
      std::erase_if(headers,
                    [&](const auto& header) { return strcasecmp(header.first.c_str(), wanted.first.c_str()) == 0; });
      headers.push_back(wanted);
    }
    std::string body;
    auto take = [&body](std::string_view chunk) {
      body.append(chunk.substr(0, kBodyMax - std::min(kBodyMax, body.size())));
      return body.size() < kBodyMax;
    };
    auto answer = http::fetch(options, "GET", handler.path, headers, "", take);
    if (!answer.ok()) {
      return {false, fmt::format("Get \"{}://{}:{}{}\": {}", handler.tls ? "https" : "http", host, handler.port,
                                 handler.path, answer.error().message)};
    }
    if (answer->status >= 200 && answer->status < 400) return {true, body};
    return {false, fmt::format("HTTP probe failed with statuscode: {}", answer->status)};
  }

  HandlerAnswer tcp_connect(const std::string& host, uint16_t port, std::chrono::milliseconds timeout) override {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    auto failed = [&](const char* why) {
      return HandlerAnswer{false, fmt::format("dial tcp {}:{}: {}", host, port, why)};
    };
    if (int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
      return failed(gai_strerror(error));
    }
    std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return failed(std::strerror(errno));
    int error = connect(fd, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd waiting{fd, POLLOUT, 0};
      if (poll(&waiting, 1, static_cast<int>(timeout.count())) <= 0) {
        close(fd);
        return failed("i/o timeout");
      }
      socklen_t length = sizeof error;
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    close(fd);
    if (error == 0) return {true, ""};
    return failed(error == ECONNREFUSED ? "connect: connection refused" : std::strerror(error));
  }

  HandlerAnswer grpc_check(const Handler& handler, const std::string& host,
                           std::chrono::milliseconds timeout) override {
    return node::grpc_check(handler, host, timeout);
  }
};

}  // namespace

std::unique_ptr<Dialer> make_network_dialer() { return std::make_unique<NetworkDialer>(); }

}  // namespace stead::node
