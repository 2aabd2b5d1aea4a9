#include "http/relay.h"

namespace stead::http {
namespace {

constexpr std::chrono::seconds kAnswerTimeout{10};
constexpr std::chrono::seconds kHalfCloseTimeout{5};
constexpr size_t kUpstreamHeadMax = 64 * 1024;
constexpr size_t kUpstreamBodyMax = 1024 * 1024;
constexpr size_t kPipeBytes = 32 * 1024;
constexpr size_t kTurnBytes = 256 * 1024;

// `headers` without those that belong to one hop and that we write ourselves.
Headers forwarded(const Headers& headers) {
  Headers kept;
  for (const auto& header : headers) {
    bool ours = false;
    for (std::string_view name : {"Host", "Content-Length", "Transfer-Encoding", "Expect"}) {
      ours = ours || equal_ignoring_case(header.first, name);
    }
    // What a client shows to this server is not for those behind it.
    ours = ours || equal_ignoring_case(header.first, "Authorization") ||
           equal_ignoring_case(std::string_view(header.first).substr(0, 12), "Impersonate-");
    if (!ours) kept.push_back(header);
  }
  return kept;
}

}  // namespace

std::string upstream_request(const Request& request, const std::string& host, uint16_t port,
                             const std::string& target) {
  std::string text = request.method + " " + target + " HTTP/1.1\r\n";
  bool is_v6 = host.find(':') != std::string::npos;
  text += "Host: " + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port) + "\r\n";
  for (const auto& [name, value] : forwarded(request.headers)) text += name + ": " + value + "\r\n";
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  text += "\r\n";
  text += request.body;
  return text;
}

namespace {

class UpstreamConnector final : public UpstreamCall, public std::enable_shared_from_this<UpstreamConnector> {
 public:
  UpstreamConnector(loop::AsioLoop& loop, std::string request, bool head_only, Events events)
      : loop_(loop),
        request_(std::move(request)),
        events_(std::move(events)),
        parser_(make_response_parser(kUpstreamHeadMax, kUpstreamBodyMax, head_only)) {}

  ~UpstreamConnector() override {
    loop_.cancel(timer_);
    if (connection_) connection_->close();
  }

  void begin(const std::string& host, uint16_t port) {
    timer_ = loop_.call_after(kAnswerTimeout, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->fail("no answer in time");
    });
    boost::system::error_code code;
    auto address = boost::asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, code);
    if (code) return fail_later("not an IP address: " + host);
    boost::asio::ip::tcp::endpoint endpoint(address, port);
    Connection::Socket socket(loop_.context());
    socket.open(endpoint.protocol(), code);
    if (code) return fail_later(code.message());
    connection_ = std::make_shared<Connection>(std::move(socket));
    connection_->socket.async_connect(endpoint, [weak = weak_from_this()](const boost::system::error_code& failure) {
      auto self = weak.lock();
      if (!self || self->over_) return;
      if (failure) return self->fail(failure.message());
      self->pump();
    });
  }

 private:
  void pump() {
    if (over_) return;
    while (sent_ < request_.size()) {
      IoResult result = connection_->channel.write(request_.data() + sent_, request_.size() - sent_);
      if (result.state != Io::kDone) return wait_or_fail(result.state);
      sent_ += result.bytes;
    }
    for (;;) {
      char piece[4096];
      IoResult result = connection_->channel.read(piece, sizeof(piece));
      if (result.state == Io::kClosed) {
        parser_->end_of_input();
      } else if (result.state != Io::kDone) {
        return wait_or_fail(result.state);
      } else {
        take_in({piece, result.bytes});
      }
      if (parser_->state() == MessageParser::State::kComplete) return complete();
      if (parser_->state() == MessageParser::State::kFailed) return fail("malformed answer");
    }
  }

  void take_in(std::string_view bytes) {
    if (parser_->state() == MessageParser::State::kHead) received_.append(bytes);
    unused_.append(bytes);
    unused_.erase(0, parser_->consume(unused_));
  }

  void complete() {
    over_ = true;
    loop_.cancel(timer_);
    auto self = shared_from_this();
    if (parser_->status == 101) {
      events_.switched(std::move(connection_), std::move(received_));
      return;
    }
    Response response;
    response.status = parser_->status;
    response.headers = forwarded(parser_->headers);
    response.body.push_back(std::make_shared<const std::string>(std::move(parser_->body)));
    events_.answered(std::move(response));
  }

  void wait_or_fail(Io state) {
    if (state != Io::kWantRead && state != Io::kWantWrite) return fail("connection lost");
    // The wait holds no reference: an abandoned call ends with its session.
    connection_->when_ready(state, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->pump();
    });
  }

  void fail_later(const std::string& why) {
    loop_.post([weak = weak_from_this(), why] {
      if (auto self = weak.lock()) self->fail(why);
    });
  }

  void fail(const std::string& why) {
    if (over_) return;
    over_ = true;
    loop_.cancel(timer_);
    auto self = shared_from_this();
    events_.answered(Response::text(502, "upstream: " + why + "\n"));
  }

  loop::AsioLoop& loop_;
  const std::string request_;
  size_t sent_ = 0;
  Events events_;
  std::unique_ptr<ResponseParser> parser_;
  std::string received_;  // until the head is complete
  std::string unused_;
  ConnectionPtr connection_;
  loop::TimerId timer_ = loop::TimerId::kNone;
  bool over_ = false;
};

}  // namespace

std::shared_ptr<UpstreamCall> call_upstream(loop::AsioLoop& loop, const Request& request, const std::string& host,
                                            uint16_t port, const std::string& target, UpstreamCall::Events events) {
  auto call = std::make_shared<UpstreamConnector>(loop, upstream_request(request, host, port, target),
                                                  request.method == "HEAD", std::move(events));
  call->begin(host, port);
  return call;
}

Relay::Relay(std::shared_ptr<ServerState> server, ConnectionPtr client, std::string to_client, ConnectionPtr upstream,
             std::string to_upstream)
    : server_(std::move(server)),
      client_(std::move(client)),
      upstream_(std::move(upstream)),
      to_client_{upstream_.get(), client_.get(), std::move(to_client)},
      to_upstream_{client_.get(), upstream_.get(), std::move(to_upstream)} {}

void Relay::begin() { pump(); }

void Relay::close() {
  if (closed_) return;
  closed_ = true;
  auto self = shared_from_this();
  server_->loop.cancel(timer_);
  client_->close();
  upstream_->close();
  server_->remove(std::shared_ptr<Upgraded>(self));
}

void Relay::pump() {
  if (closed_) return;
  if (!copy(to_upstream_) || !copy(to_client_)) return close();
  if (to_upstream_.ended && to_client_.ended) return close();
  if ((to_upstream_.ended || to_client_.ended) && timer_ == loop::TimerId::kNone) {
    timer_ = server_->loop.call_after(kHalfCloseTimeout, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->close();
    });
  }
}

bool Relay::copy(Pipe& pipe) {
  for (size_t copied = 0; !pipe.ended;) {
    while (pipe.at < pipe.buffer.size()) {
      IoResult result = pipe.to->channel.write(pipe.buffer.data() + pipe.at, pipe.buffer.size() - pipe.at);
      if (result.state == Io::kWantRead || result.state == Io::kWantWrite) {
        wait(*pipe.to, result.state);
        return true;
      }
      if (result.state != Io::kDone) return false;
      pipe.at += result.bytes;
      copied += result.bytes;
    }
    pipe.buffer.clear();
    pipe.at = 0;
    if (copied >= kTurnBytes) {  // others want their turn
      wait(*pipe.to, Io::kWantWrite);
      return true;
    }
    IoResult result = pipe.from->channel.read(server_->scratch.data(), kPipeBytes);
    if (result.state == Io::kDone) {
      pipe.buffer.assign(server_->scratch.data(), result.bytes);
    } else if (result.state == Io::kClosed) {
      pipe.ended = true;
      pipe.to->channel.shut_down();
    } else if (result.state == Io::kFailed) {
      return false;
    } else {
      pipe.buffer = std::string();
      wait(*pipe.from, result.state);
      return true;
    }
  }
  return true;
}

void Relay::wait(Connection& connection, Io want) {
  connection.when_ready(want, [self = shared_from_this()] { self->pump(); });
}

}  // namespace stead::http
