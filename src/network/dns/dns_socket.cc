#include "network/dns/dns_socket.h"

#include <arpa/inet.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "loop/asio_loop.h"

namespace stead::network::dns {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

constexpr int kPacketsPerTurn = 64;
constexpr size_t kTcpQueryBytesMax = 4096;
// How long a TCP client may take for a query and for taking its answer (RFC 7766 section 6.2.3).
constexpr std::chrono::seconds kTcpIdle{10};
// No event tells that a descriptor has become free again.
constexpr std::chrono::milliseconds kAcceptPause{100};

class UdpSide : public std::enable_shared_from_this<UdpSide> {
 public:
  UdpSide(loop::AsioLoop& loop, std::shared_ptr<Responder> responder)
      : responder_(std::move(responder)), socket_(loop.context()) {}

  void open(const udp::endpoint& endpoint, error_code& code) {
    socket_.open(endpoint.protocol(), code);
    if (!code && endpoint.address().is_v6()) socket_.set_option(asio::ip::v6_only(true), code);
    if (!code) socket_.bind(endpoint, code);
    if (!code) socket_.non_blocking(true, code);
  }

  uint16_t port() const {
    error_code ignored;
    return socket_.local_endpoint(ignored).port();
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  void wait() {
    socket_.async_wait(udp::socket::wait_read, [self = shared_from_this()](const error_code& code) {
      if (code || !self->socket_.is_open()) return;
      self->receive();
      self->wait();
    });
  }

 private:
  void receive() {
    char packet[kUdpBytesMax * 4];
    for (int count = 0; count < kPacketsPerTurn; ++count) {
      udp::endpoint client;
      error_code code;
      size_t size = socket_.receive_from(asio::buffer(packet), client, 0, code);
      if (code == asio::error::would_block) return;
      if (code) continue;  // an earlier reply could not be delivered
      responder_->handle({packet, size}, false, [weak = weak_from_this(), client](const std::string& reply) {
        auto self = weak.lock();
        if (!self || !self->socket_.is_open()) return;
        error_code ignored;  // full buffers lose a reply, as networks do; clients ask again
        self->socket_.send_to(asio::buffer(reply), client, 0, ignored);
      });
    }
  }

  const std::shared_ptr<Responder> responder_;
  udp::socket socket_;
};

// One query after the other, each behind its length.
class TcpConnection : public std::enable_shared_from_this<TcpConnection> {
 public:
  TcpConnection(loop::AsioLoop& loop, std::shared_ptr<Responder> responder, std::shared_ptr<TcpLimits> limits,
                tcp::socket socket)
      : loop_(loop), responder_(std::move(responder)), limits_(std::move(limits)), socket_(std::move(socket)) {
    ++limits_->connections;
  }
  ~TcpConnection() {
    --limits_->connections;
    loop_.cancel(timer_);
  }

  void read_query() {
    restart_timer();
    read(2, [](TcpConnection& self) {
      size_t size = self.size_in(0);
      if (size < kHeaderBytes || size > kTcpQueryBytesMax) return self.close();
      self.read(size, [](TcpConnection& complete) { complete.answer(); });
    });
  }

 private:
  void close() {
    error_code ignored;
    socket_.close(ignored);
    loop_.cancel(timer_);
  }

  void restart_timer() {
    loop_.cancel(timer_);
    timer_ = loop_.call_after(kTcpIdle, [weak = weak_from_this()] {
      if (auto self = weak.lock()) self->close();
    });
  }

  size_t size_in(size_t at) const {
    return static_cast<size_t>(static_cast<unsigned char>(buffer_[at])) << 8 |
           static_cast<unsigned char>(buffer_[at + 1]);
  }

  void read(size_t size, void (*then)(TcpConnection&)) {
    buffer_.resize(size);
    asio::async_read(socket_, asio::buffer(buffer_), [self = shared_from_this(), then](const error_code& code, size_t) {
      if (!code && self->socket_.is_open()) then(*self);
    });
  }

  void answer() {
    // A packet that deserves no answer drops the last reference here, and with it the connection.
    responder_->handle(buffer_, true, [self = shared_from_this()](const std::string& reply) {
      if (reply.size() > kMessageBytesMax || !self->socket_.is_open()) return self->close();
      uint16_t size = htons(static_cast<uint16_t>(reply.size()));
      self->buffer_.assign(reinterpret_cast<char*>(&size), 2);
      self->buffer_ += reply;
      self->restart_timer();
      asio::async_write(self->socket_, asio::buffer(self->buffer_), [self](const error_code& code, size_t) {
        if (!code) self->read_query();
      });
    });
  }

  loop::AsioLoop& loop_;
  const std::shared_ptr<Responder> responder_;
  const std::shared_ptr<TcpLimits> limits_;
  tcp::socket socket_;
  std::string buffer_;
  loop::TimerId timer_ = loop::TimerId::kNone;
};

class TcpSide : public std::enable_shared_from_this<TcpSide> {
 public:
  TcpSide(loop::AsioLoop& loop, std::shared_ptr<Responder> responder, std::shared_ptr<TcpLimits> limits)
      : loop_(loop), responder_(std::move(responder)), limits_(std::move(limits)), acceptor_(loop.context()) {}

  void open(const tcp::endpoint& endpoint, error_code& code) {
    acceptor_.open(endpoint.protocol(), code);
    if (!code) acceptor_.set_option(tcp::acceptor::reuse_address(true), code);
    if (!code && endpoint.address().is_v6()) acceptor_.set_option(asio::ip::v6_only(true), code);
    if (!code) acceptor_.bind(endpoint, code);
    if (!code) acceptor_.listen(128, code);
  }

  void close() {
    error_code ignored;
    acceptor_.close(ignored);
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](const error_code& code, tcp::socket socket) {
      if (!self->acceptor_.is_open()) return;
      if (code) {
        self->loop_.call_after(kAcceptPause, [self] {
          if (self->acceptor_.is_open()) self->accept();
        });
        return;
      }
      if (self->limits_->connections < self->limits_->connections_max) {
        std::make_shared<TcpConnection>(self->loop_, self->responder_, self->limits_, std::move(socket))->read_query();
      }
      self->accept();
    });
  }

 private:
  loop::AsioLoop& loop_;
  const std::shared_ptr<Responder> responder_;
  const std::shared_ptr<TcpLimits> limits_;
  tcp::acceptor acceptor_;
};

class AsioDnsSocket final : public DnsSocket {
 public:
  AsioDnsSocket(std::shared_ptr<UdpSide> udp_side, std::shared_ptr<TcpSide> tcp_side)
      : udp_(std::move(udp_side)), tcp_(std::move(tcp_side)) {}
  ~AsioDnsSocket() override {
    udp_->close();
    tcp_->close();
  }
  uint16_t port() const override { return udp_->port(); }

 private:
  std::shared_ptr<UdpSide> udp_;
  std::shared_ptr<TcpSide> tcp_;
};

}  // namespace

Result<std::unique_ptr<DnsSocket>> open_dns_socket(loop::AsioLoop& loop, const std::string& address_text, uint16_t port,
                                                   std::shared_ptr<Responder> responder,
                                                   std::shared_ptr<TcpLimits> limits) {
  error_code code;
  auto address = asio::ip::make_address(address_text, code);
  if (code) return make_error(Reason::kBadRequest, "addresses: \"" + address_text + "\" is not an IP address");
  // With port 0 the system picks one for UDP, which TCP may not have free: then another.
  for (int tries = port == 0 ? 16 : 1; tries > 0; --tries) {
    auto udp_side = std::make_shared<UdpSide>(loop, responder);
    auto tcp_side = std::make_shared<TcpSide>(loop, responder, limits);
    code = {};
    udp_side->open({address, port}, code);
    if (!code) tcp_side->open({address, udp_side->port()}, code);
    if (code) continue;
    loop.post([udp_side, tcp_side] {
      udp_side->wait();
      tcp_side->accept();
    });
    return std::unique_ptr<DnsSocket>(std::make_unique<AsioDnsSocket>(std::move(udp_side), std::move(tcp_side)));
  }
  return make_error(Reason::kUnavailable,
                    "DNS on " + address_text + ":" + std::to_string(port) + ": " + code.message());
}

}  // namespace stead::network::dns
