#include "http/proxy_call.h"

#include <limits>

#include "http/connection.h"
#include "http/message_parser.h"
#include "http/relay.h"
#include "loop/asio_loop.h"

namespace stead::http {
namespace {

constexpr std::chrono::seconds kConnectTimeout{10};
constexpr size_t kHeadBytesMax = 64 * 1024;
// What may wait for the client before the server is not read any more.
constexpr size_t kQueuedBytesMax = 256 * 1024;

Headers without_hop_headers(const Headers& headers) {
  Headers kept;
  for (const auto& header : headers) {
    bool hop = false;
    for (std::string_view name : {"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate",
                                  "Transfer-Encoding", "Upgrade", "Trailer"}) {
      hop = hop || equal_ignoring_case(header.first, name);
    }
    if (!hop) kept.push_back(header);
  }
  return kept;
}

//   connecting ─▶ handshake ─▶ sending ─▶ head ──start()──▶ body ──finish()──▶ over
//        └────────────┴───────────┴─────────┴─ 502 ─▶ over  └─ cut short ─▶ over
class ProxyCall : public std::enable_shared_from_this<ProxyCall> {
 public:
  ProxyCall(loop::AsioLoop& loop, ExchangePtr exchange)
      : loop_(loop),
        exchange_(std::move(exchange)),
        parser_(make_response_parser(kHeadBytesMax, std::numeric_limits<size_t>::max(),
                                     exchange_->request().method == "HEAD")) {}

  void begin(const ProxyTarget& target) {
    request_ = upstream_request(exchange_->request(), {target.host, target.port, nullptr}, target.target);
    exchange_->on_close([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->stop();
    });
    boost::system::error_code code;
    auto address = boost::asio::ip::make_address(target.host, code);
    if (code) return fail("not an IP address: " + target.host);
    boost::asio::ip::tcp::endpoint endpoint(address, target.port);
    Connection::Socket socket(loop_.context());
    socket.open(endpoint.protocol(), code);
    if (code) return fail(code.message());
    connection_ = std::make_shared<Connection>(std::move(socket));
    if (target.tls) {
      // As upstream: what a pod presents is not verified, there is nothing to verify it against.
      auto context = make_client_tls("", "", "");
      if (!context.ok()) return fail(context.error().message);
      int fd = connection_->channel.fd();
      connection_->channel = Channel(fd, make_client_connection(*context, fd, target.host));
    }
    timer_ = loop_.call_after(kConnectTimeout, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->fail("no connection in time");
    });
    connection_->socket.async_connect(endpoint, [self = shared_from_this()](const boost::system::error_code& failure) {
      if (self->over_) return;
      if (failure) return self->fail(failure.message());
      self->pump();
    });
  }

 private:
  void pump() {
    if (over_) return;
    if (!connected_) {
      Io state = connection_->channel.handshake();
      if (state != Io::kDone) return wait_or_fail(state);
      connected_ = true;
      loop_.cancel(timer_);
      parser_->on_body = [this](std::string_view bytes) { body_.append(bytes); };
    }
    while (sent_ < request_.size()) {
      IoResult result = connection_->channel.write(request_.data() + sent_, request_.size() - sent_);
      if (result.state != Io::kDone) return wait_or_fail(result.state);
      sent_ += result.bytes;
    }
    receive();
  }

  void receive() {
    while (!over_ && exchange_->queued_bytes() <= kQueuedBytesMax) {
      char piece[16 * 1024];
      IoResult result = connection_->channel.read(piece, sizeof(piece));
      if (result.state == Io::kClosed) {
        parser_->end_of_input();
      } else if (result.state != Io::kDone) {
        return wait_or_fail(result.state);
      } else {
        unused_.append(piece, result.bytes);
        unused_.erase(0, parser_->consume(unused_));
      }
      if (parser_->state() == MessageParser::State::kFailed) return fail("malformed answer");
      if (parser_->state() == MessageParser::State::kHead) continue;
      if (parser_->status == 101) return fail("the server switched protocols unasked");
      start();
      if (!body_.empty()) exchange_->write(std::make_shared<const std::string>(std::exchange(body_, {})));
      if (parser_->state() == MessageParser::State::kComplete) {
        exchange_->finish();
        return stop();
      }
    }
  }

  void start() {
    if (std::exchange(started_, true)) return;
    exchange_->start(parser_->status, without_hop_headers(parser_->headers));
    exchange_->on_drain([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->pump();
    });
  }

  void wait_or_fail(Io state) {
    if (state != Io::kWantRead && state != Io::kWantWrite) return fail("connection lost");
    connection_->when_ready(state, [self = shared_from_this()] { self->pump(); });
  }

  void fail(const std::string& why) {
    if (over_) return;
    // An answer begun that is dropped is told apart from a whole one.
    if (!started_) exchange_->respond(Response::text(502, "error trying to reach service: " + why + "\n"));
    stop();
  }

  void stop() {
    if (over_) return;
    over_ = true;
    auto self = shared_from_this();
    loop_.cancel(timer_);
    if (connection_) connection_->close();
    // Later: this may run inside one of its calls.
    loop_.post([self] { self->exchange_.reset(); });
  }

  loop::AsioLoop& loop_;
  ExchangePtr exchange_;
  std::string request_;
  size_t sent_ = 0;
  std::unique_ptr<ResponseParser> parser_;
  std::string unused_;
  std::string body_;  // what the bytes just read bring of it
  ConnectionPtr connection_;
  loop::TimerId timer_ = loop::TimerId::kNone;
  bool connected_ = false;
  bool started_ = false;
  bool over_ = false;
};

}  // namespace

void proxy(loop::AsioLoop& loop, ExchangePtr exchange, const ProxyTarget& target) {
  std::make_shared<ProxyCall>(loop, std::move(exchange))->begin(target);
}

}  // namespace stead::http
