#include "http/client.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "http/channel.h"
#include "http/message_parser.h"

namespace stead::http {
namespace {

constexpr size_t kHeaderBytesMax = 256 * 1024;
constexpr size_t kBodyBytesMax = size_t{1} << 32;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<void> wait(int fd, Io want, std::chrono::milliseconds timeout) {
  pollfd polled{fd, static_cast<short>(want == Io::kWantWrite ? POLLOUT : POLLIN), 0};
  int ready = 0;
  do {
    ready = ::poll(&polled, 1, static_cast<int>(timeout.count()));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) return make_error(Reason::kTimeout, "no answer in time");
  if (ready < 0) return errno_error("poll", errno);
  return {};
}

Result<Descriptor> connect_to(const addrinfo& address, std::chrono::milliseconds timeout) {
  Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return errno_error("socket", errno);
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return socket;
  if (errno != EINPROGRESS) return errno_error("connect", errno);
  STEAD_TRY_VOID(wait(socket.get(), Io::kWantWrite, timeout));
  int failure = 0;
  socklen_t size = sizeof(failure);
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure != 0) return errno_error("connect", failure);
  return socket;
}

Result<Descriptor> connect_to(const ClientOptions& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int code = ::getaddrinfo(options.host.c_str(), std::to_string(options.port).c_str(), &hints, &found);
  if (code != 0) return make_error(Reason::kUnavailable, options.host + ": " + gai_strerror(code));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  Error last = make_error(Reason::kUnavailable, "no address");
  for (const addrinfo* address = found; address; address = address->ai_next) {
    auto socket = connect_to(*address, options.timeout);
    if (socket.ok()) return socket;
    last = std::move(socket).error();
  }
  last.reason = last.reason == Reason::kTimeout ? Reason::kTimeout : Reason::kUnavailable;
  return last.with_context(options.host + ":" + std::to_string(options.port));
}

Error connection_error(const char* what) {
  return make_error(Reason::kUnavailable, std::string(what) + " failed: " + tls_error_text());
}

class Call {
 public:
  Call(const ClientOptions& options, Channel channel) : options_(options), channel_(std::move(channel)) {}

  Result<void> handshake() {
    for (;;) {
      Io state = channel_.handshake();
      if (state == Io::kDone) return {};
      if (state != Io::kWantRead && state != Io::kWantWrite) return connection_error("TLS handshake");
      STEAD_TRY_VOID(wait(channel_.fd(), state, options_.timeout));
    }
  }

  // A server may answer and close before it has read everything: then the answer matters, not the failed write.
  Result<void> send(std::string_view text) {
    while (!text.empty()) {
      IoResult result = channel_.write(text.data(), text.size());
      if (result.state == Io::kDone) {
        text.remove_prefix(result.bytes);
      } else if (result.state == Io::kWantRead || result.state == Io::kWantWrite) {
        STEAD_TRY_VOID(wait(channel_.fd(), result.state, options_.timeout));
      } else {
        return {};
      }
    }
    return {};
  }

  Result<ClientResponse> receive(bool head_only, const std::function<bool(std::string_view)>& on_chunk) {
    auto parser = new_parser(head_only, on_chunk);
    std::string pending;
    std::string buffer(64 * 1024, '\0');
    while (parser->state() != MessageParser::State::kComplete) {
      IoResult result = channel_.read(buffer.data(), buffer.size());
      if (result.state == Io::kWantRead || result.state == Io::kWantWrite) {
        STEAD_TRY_VOID(wait(channel_.fd(), result.state, options_.timeout));
        continue;
      }
      if (result.state == Io::kFailed) return connection_error("reading the answer");
      if (result.state == Io::kClosed) {
        parser->end_of_input();
      } else {
        pending.append(buffer.data(), result.bytes);
        pending.erase(0, parser->consume(pending));
      }
      // Interim answers (100 Continue) precede the final one.
      if (parser->state() == MessageParser::State::kComplete && parser->status / 100 == 1 && parser->status != 101) {
        parser = new_parser(head_only, on_chunk);
        pending.erase(0, parser->consume(pending));
      }
      if (parser->state() == MessageParser::State::kFailed) {
        return make_error(Reason::kUnavailable, "malformed or incomplete answer");
      }
      if (enough_) break;
    }
    return ClientResponse{parser->status, std::move(parser->headers), std::move(parser->body)};
  }

 private:
  std::unique_ptr<ResponseParser> new_parser(bool head_only, const std::function<bool(std::string_view)>& on_chunk) {
    auto parser = make_response_parser(kHeaderBytesMax, on_chunk ? SIZE_MAX : kBodyBytesMax, head_only);
    if (on_chunk) {
      parser->on_body = [this, &on_chunk](std::string_view chunk) { enough_ = enough_ || !on_chunk(chunk); };
    }
    return parser;
  }

  const ClientOptions& options_;
  Channel channel_;
  bool enough_ = false;
};

std::string request_text(const ClientOptions& options, const std::string& method, const std::string& target,
                         const Headers& headers, const std::string& body) {
  std::string text = method + " " + target + " HTTP/1.1\r\n";
  bool is_v6 = options.host.find(':') != std::string::npos;
  text += "Host: " + (is_v6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port) + "\r\n";
  bool connection_given = false;
  for (const auto& [name, value] : headers) {
    text += name + ": " + value + "\r\n";
    connection_given = connection_given || equal_ignoring_case(name, "Connection");
  }
  if (!connection_given) text += "Connection: close\r\n";
  if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return text + "\r\n" + body;
}

}  // namespace

Result<ClientResponse> fetch(const ClientOptions& options, const std::string& method, const std::string& target,
                             const Headers& headers, const std::string& body,
                             const std::function<bool(std::string_view)>& on_chunk) {
  STEAD_TRY(socket, connect_to(options));
  Tls tls;
  if (options.tls) {
    STEAD_TRY(context, make_client_tls(options.ca_pem, options.certificate_pem, options.key_pem));
    tls = make_client_connection(context, socket.get(), options.host);
  }
  Call call(options, Channel(socket.get(), tls));
  STEAD_TRY_VOID(call.handshake());
  STEAD_TRY_VOID(call.send(request_text(options, method, target, headers, body)));
  return call.receive(method == "HEAD", on_chunk);
}

}  // namespace stead::http
