#pragma once

// A TCP socket on the loop with its channel. Waits for readiness and no more; whoever owns it reads and writes.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "http/channel.h"

namespace stead::http {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  // Small messages leave at once, and a peer that vanished is noticed by keep-alive probes.
  explicit Connection(Socket the_socket) : socket(std::move(the_socket)) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
    channel = Channel(socket.native_handle());
  }

  // Runs `wake` once, when the socket is ready the way `want` says. One wait each way at a time: a further one takes
  // its place. Nothing runs after close(). `wake` should keep the owner of this connection alive.
  void when_ready(Io want, std::function<void()> wake) {
    bool for_writing = want == Io::kWantWrite;
    std::function<void()>& slot = for_writing ? write_wake_ : read_wake_;
    bool waiting = static_cast<bool>(slot);
    slot = std::move(wake);
    if (waiting) return;
    socket.async_wait(for_writing ? Socket::wait_write : Socket::wait_read,
                      [self = shared_from_this(), for_writing](const boost::system::error_code& code) {
                        auto ready = std::exchange(for_writing ? self->write_wake_ : self->read_wake_, nullptr);
                        if (!code && ready) ready();
                      });
  }

  void close() {
    boost::system::error_code ignored;
    socket.close(ignored);
    read_wake_ = nullptr;
    write_wake_ = nullptr;
  }

  Socket socket;
  Channel channel;

 private:
  std::function<void()> read_wake_;
  std::function<void()> write_wake_;
};

using ConnectionPtr = std::shared_ptr<Connection>;

}  // namespace stead::http
