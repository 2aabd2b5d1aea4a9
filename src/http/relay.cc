#include "http/relay.h"

namespace stead::http {
namespace {

constexpr std::chrono::seconds kConnectTimeout{10};
constexpr std::chrono::seconds kHalfCloseTimeout{5};
constexpr size_t kUpstreamHeadMax = 64 * 1024;
// What may wait for a client of an answer that is passed on, before its source is read no further.
constexpr size_t kPassedOnBytesMax = 256 * 1024;
constexpr size_t kPipeBytes = 32 * 1024;
constexpr size_t kTurnBytes = 256 * 1024;

// `headers` without those that belong to one hop and that we write ourselves.
Headers forwarded(const Headers& headers) {
  Headers kept;
  for (const auto& header : headers) {
    bool ours = false;
    for (std::string_view name : {"Host", "Content-Length", "Transfer-Encoding", "Expect", "Date"}) {
      ours = ours || equal_ignoring_case(header.first, name);
    }
    // What a client shows to this server is not for those behind it.
    ours = ours || equal_ignoring_case(header.first, "Authorization") ||
           equal_ignoring_case(std::string_view(header.first).substr(0, 12), "Impersonate-");
    if (!ours) kept.push_back(header);
  }
  return kept;
}

bool is_hop_header(std::string_view name) {
  for (std::string_view hop :
       {"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Upgrade", "Trailer"}) {
    if (equal_ignoring_case(name, hop)) return true;
  }
  return false;
}

}  // namespace

std::string upstream_request(const Request& request, const Upstream& upstream, const std::string& target) {
  std::string text = request.method + " " + target + " HTTP/1.1\r\n";
  bool is_v6 = upstream.host.find(':') != std::string::npos;
  std::string host = is_v6 ? "[" + upstream.host + "]" : upstream.host;
  text += "Host: " + host + ":" + std::to_string(upstream.port) + "\r\n";
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
        parser_(make_response_parser(kUpstreamHeadMax, SIZE_MAX, head_only)) {
    parser_->on_body = [this](std::string_view piece) {
      tell_head();
      if (!over_) events_.body(piece);
    };
  }

  ~UpstreamConnector() override {
    loop_.cancel(timer_);
    if (connection_) connection_->close();
  }

  void begin(const Upstream& upstream) {
    answer_timeout_ = upstream.answer_timeout;
    fail_after(kConnectTimeout, "no connection in time");
    boost::system::error_code code;
    auto address = boost::asio::ip::make_address(upstream.host == "localhost" ? "127.0.0.1" : upstream.host, code);
    if (code) return fail_later("not an IP address: " + upstream.host);
    boost::asio::ip::tcp::endpoint endpoint(address, upstream.port);
    Connection::Socket socket(loop_.context());
    socket.open(endpoint.protocol(), code);
    if (code) return fail_later(code.message());
    connection_ = std::make_shared<Connection>(std::move(socket));
    connection_->socket.async_connect(
        endpoint, [weak = weak_from_this(), upstream](const boost::system::error_code& failure) {
          auto self = weak.lock();
          if (!self || self->over_) return;
          if (failure) return self->fail(failure.message());
          if (upstream.tls) {
            int fd = self->connection_->socket.native_handle();
            self->connection_->channel = Channel(fd, make_client_connection(upstream.tls, fd, upstream.host));
          }
          self->pump();
        });
  }

  void pause() override { paused_ = true; }
  void resume() override {
    if (!std::exchange(paused_, false)) return;
    loop_.post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->pump();
    });
  }

 private:
  void pump() {
    if (over_) return;
    auto self = shared_from_this();  // a callback may drop the last reference
    Channel& channel = connection_->channel;
    if (!shaken_) {
      Io state = channel.handshake();
      if (state != Io::kDone) return wait_or_fail(state);
      shaken_ = true;
      loop_.cancel(timer_);
      if (answer_timeout_ > answer_timeout_.zero()) fail_after(answer_timeout_, "no answer in time");
    }
    while (sent_ < request_.size()) {
      IoResult result = channel.write(request_.data() + sent_, request_.size() - sent_);
      if (result.state != Io::kDone) return wait_or_fail(result.state);
      sent_ += result.bytes;
    }
    while (!paused_) {
      char piece[16 * 1024];
      IoResult result = channel.read(piece, sizeof(piece));
      if (result.state == Io::kClosed) {
        parser_->end_of_input();
      } else if (result.state != Io::kDone) {
        return wait_or_fail(result.state);
      } else {
        take_in({piece, result.bytes});
      }
      if (over_ || !settle()) return;
    }
  }

  void take_in(std::string_view bytes) {
    if (parser_->state() == MessageParser::State::kHead) received_.append(bytes);
    unused_.append(bytes);
    unused_.erase(0, parser_->consume(unused_));
  }

  // What the parser's state means; false once the call is over.
  bool settle() {
    using State = MessageParser::State;
    if (parser_->state() == State::kFailed) {
      fail("malformed or incomplete answer");
      return false;
    }
    if (parser_->state() == State::kComplete && parser_->status == 101) {
      over_ = true;
      loop_.cancel(timer_);
      events_.switched(std::move(connection_), std::move(received_));
      return false;
    }
    if (parser_->state() != State::kHead) tell_head();
    if (over_ || parser_->state() != State::kComplete) return !over_;
    over_ = true;
    events_.end(true);
    return false;
  }

  void tell_head() {
    if (std::exchange(head_told_, true)) return;
    loop_.cancel(timer_);
    events_.head(parser_->status, forwarded(parser_->headers));
  }

  void wait_or_fail(Io state) {
    if (state != Io::kWantRead && state != Io::kWantWrite) {
      std::string problem = shaken_ ? std::string() : verification_problem(connection_->channel.tls());
      return fail(problem.empty() ? "connection lost" : "its certificate: " + problem);
    }
    // The wait holds no reference: an abandoned call ends with its session.
    connection_->when_ready(state, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->pump();
    });
  }

  void fail_after(std::chrono::seconds time, const char* why) {
    timer_ = loop_.call_after(time, [weak = weak_from_this(), why] {
      if (auto self = weak.lock()) self->fail(why);
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
    if (head_told_) {
      events_.end(false);
    } else {
      events_.failed(why);
    }
  }

  loop::AsioLoop& loop_;
  const std::string request_;
  size_t sent_ = 0;
  Events events_;
  std::unique_ptr<ResponseParser> parser_;
  std::string received_;  // until the head is complete
  std::string unused_;
  ConnectionPtr connection_;
  std::chrono::seconds answer_timeout_{0};
  loop::TimerId timer_ = loop::TimerId::kNone;
  bool shaken_ = false;
  bool head_told_ = false;
  bool paused_ = false;
  bool over_ = false;
};

}  // namespace

std::shared_ptr<UpstreamCall> call_upstream(loop::AsioLoop& loop, const Request& request, const Upstream& upstream,
                                            const std::string& target, UpstreamCall::Events events) {
  auto call = std::make_shared<UpstreamConnector>(loop, upstream_request(request, upstream, target),
                                                  request.method == "HEAD", std::move(events));
  call->begin(upstream);
  return call;
}

UpstreamCall::Events pass_on(ServerSession& session, uint64_t serial, const Upstream& upstream,
                             std::function<UpstreamSlots*()> slots) {
  UpstreamCall::Events events;
  events.failed = [&session, serial, slots, unreachable = upstream.unreachable](const std::string& why) {
    UpstreamSlots* at = slots();
    auto call = at ? std::move(at->pending) : nullptr;
    session.respond(serial, unreachable ? unreachable(why) : Response::text(502, "upstream: " + why + "\n"));
  };
  events.head = [&session, serial, slots](int status, Headers headers) {
    UpstreamSlots* at = slots();
    if (!at) return;
    at->source = std::move(at->pending);
    std::erase_if(headers, [](const auto& header) { return is_hop_header(header.first); });
    session.on_drain(serial, [weak = std::weak_ptr(at->source)] {
      if (auto source = weak.lock()) source->resume();
    });
    session.start(serial, status, headers);
  };
  events.body = [&session, serial, slots](std::string_view piece) {
    session.write(serial, std::make_shared<const std::string>(piece));
    UpstreamSlots* at = slots();
    if (at && at->source && session.queued_bytes(serial) > kPassedOnBytesMax) at->source->pause();
  };
  events.end = [&session, serial, slots](bool complete) {
    UpstreamSlots* at = slots();
    auto call = at ? std::move(at->source) : nullptr;
    if (complete) return session.finish(serial);
    session.abandoned(serial);
  };
  return events;
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
